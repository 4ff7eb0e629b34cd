"""What rules find in a short script."""

from __future__ import annotations

from collections.abc import Iterable

from redislua.lint.diagnostic import Diagnostic
from redislua.lint.engine import Linter
from redislua.lint.rules import find_rule
from redislua.lint.settings import Settings


def diagnostics(
    lua: str | bytes, rule: str = "", *, targets: Iterable[str] = (), path: str = "<script>"
) -> list[Diagnostic]:
    """All diagnostics of a script, in its order.

    Args:
        lua: The script.
        rule: The code of the one rule to ask; all that are on by default if empty.
        targets: Servers, as in ``redis>=7.4``; the project's floor if empty.
        path: What the script is called.
    """
    if rule:
        assert find_rule(rule) is not None, f"there is no rule {rule}"
    select = (rule,) if rule else ()
    linter = Linter(Settings(select=select, targets=tuple(targets)))
    source = lua.encode() if isinstance(lua, str) else lua
    return linter.file(source, path).diagnostics


def codes(
    lua: str | bytes, rule: str = "", *, targets: Iterable[str] = (), path: str = "<script>"
) -> list[tuple[str, int]]:
    """Code and line of each diagnostic; the arguments are those of `diagnostics`."""
    return [(one.code, one.line) for one in diagnostics(lua, rule, targets=targets, path=path)]


def lines(lua: str | bytes, rule: str, *, targets: Iterable[str] = ()) -> list[int]:
    """The lines on which one rule finds something."""
    return [line for _, line in codes(lua, rule, targets=targets)]


def fixed(lua: str | bytes, rule: str, *, targets: Iterable[str] = ()) -> str:
    """The script after every fix of one rule was applied."""
    source = lua.encode() if isinstance(lua, str) else lua
    edits = [
        edit
        for one in diagnostics(lua, rule, targets=targets)
        if one.fix is not None
        for edit in one.fix.edits
    ]
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        source = source[: edit.start] + edit.text + source[edit.end :]
    return source.decode()
