"""How many arguments a command takes, in words."""

from __future__ import annotations

from redislua.syntax.commands import Command

__all__ = ["are", "number", "takes", "usage"]


def takes(row: Command, given: int, is_open: bool) -> bool:
    if is_open:
        return row.arity < 0 or given <= row.arity
    return row.takes(given)


def number(row: Command) -> str:
    least = abs(row.arity) - 1
    words = "no arguments" if not least else f"{least} argument{'' if least == 1 else 's'}"
    return words if row.arity > 0 else f"at least {words}"


def are(given: int) -> str:
    return f"{given or 'none'} {'is' if given < 2 else 'are'}"


def usage(row: Command) -> str:
    if not row.arguments:
        return ""
    names = " ".join(argument.name for argument in row.arguments)
    return f"it is called as {row.name.partition(' ')[0]} {names}{' …' if row.arity < 0 else ''}"
