"""What the notation of examples means: values typed by the header of the called script.

Used for `@example` lines and for the arguments of ``redislua run``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias

from redislua.errors import ExampleError
from redislua.spec.cursor import Cursor, Meter
from redislua.spec.example import scan_value
from redislua.spec.model import (
    UNIT_US,
    Arg,
    Group,
    Script,
    Type,
)
from redislua.spec.notation import (
    Argument,
    Blob,
    Items,
    Notation,
    Position,
    Reference,
    Row,
    Word,
)
from redislua.spec.values import Expected, read_literal

Value: TypeAlias = Any
"""What a binding takes: int, float, str, bytes, bool, timedelta, None, lists and row tuples."""


class Misfit(Exception):
    """A value that does not fit its parameter, and where it stands."""

    def __init__(self, position: Position, problem: str, expected: str) -> None:
        super().__init__(position, problem, expected)
        self.position = position
        self.problem = problem
        self.expected = expected

    def __str__(self) -> str:
        return f"{self.problem}: expected {self.expected}"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One keyword parameter of a script's binding.

    Attributes:
        name: Its name.
        convert: Notation to value; raises `Misfit`.
        required: True when it has no default.
    """

    name: str
    convert: Callable[[Notation], Value]
    required: bool


def parameters(script: Script) -> dict[str, Parameter]:
    """The binding's parameters by name, in signature order."""
    found: dict[str, Parameter] = {}
    for name in script.placeholders:
        spread = name == script.spread
        found[name] = Parameter(name, _strings if spread else _string, required=True)
    for arg in script.args:
        found[arg.name] = Parameter(arg.name, _scalar_of(arg), arg.default is None)
    for group in script.groups:
        found[group.name] = Parameter(group.name, _rows_of(group), required=True)
    return found


def _scalar_of(arg: Arg) -> Callable[[Notation], Value]:
    optional = arg.default is not None and arg.default.value is None
    return lambda value: scalar(arg.type, value, optional=optional)


def _rows_of(group: Group) -> Callable[[Notation], Value]:
    return lambda value: rows(group, value)


def arguments(script: Script, given: tuple[Argument, ...]) -> dict[str, Value | Reference]:
    """Type the arguments of one call.

    Returns:
        Keyword arguments for the binding; a `Reference` stays for the runner to fill in.

    Raises:
        Misfit: For a name that is unknown, given twice or missing, or a value of another type.
    """
    known = parameters(script)
    typed: dict[str, Value | Reference] = {}
    for argument in given:
        if argument.name not in known:
            raise Misfit(
                argument.position,
                f"{script.full_name} has no parameter {argument.name!r}",
                f"one of {', '.join(known)}",
            )
        if argument.name in typed:
            raise Misfit(argument.position, f"{argument.name!r} is given twice", "each once")
        if isinstance(argument.value, Reference):
            typed[argument.name] = argument.value
        else:
            typed[argument.name] = known[argument.name].convert(argument.value)
    missing = [name for name, found in known.items() if found.required and name not in typed]
    if missing:
        where = given[-1].position if given else Position(0, 1, 1)
        raise Misfit(
            where,
            f"{script.full_name} misses {', '.join(missing)}",
            "every parameter without a default",
        )
    return typed


def scalar(of: Type, value: Notation, *, optional: bool = False) -> Value:
    """Type one value; durations become timedeltas."""
    if isinstance(value, Blob):
        if of.kind != "bytes":
            raise Misfit(value.position, "bytes", f"a value of type {of}")
        return value.value
    if not isinstance(value, Word):
        raise Misfit(value.position, "a list", f"a value of type {of}")
    if value.text == "none" and not value.quoted and (optional or of.optional):
        return None
    found = read_literal(of, value.text)
    if isinstance(found, Expected):
        raise Misfit(value.position, f"{value.text[:40]!r} is no {of}", found.text)
    if of.is_duration and isinstance(found, int):
        return timedelta(microseconds=found * UNIT_US[of.kind])
    return found


def rows(group: Group, value: Notation) -> list[tuple[Value, ...]]:
    """Type the rows of a group."""
    expected = f"rows such as [({', '.join(column.name for column in group.columns)})]"
    if not isinstance(value, Items):
        raise Misfit(value.position, "not a list of rows", expected)
    typed = []
    for row in value.items:
        if not isinstance(row, Row) or len(row.items) != len(group.columns):
            raise Misfit(row.position, "not a row of this group", expected)
        typed.append(
            tuple(
                scalar(column.type, item)
                for column, item in zip(group.columns, row.items, strict=True)
                if not isinstance(item, Reference)
            )
        )
        if len(typed[-1]) != len(group.columns):
            raise Misfit(row.position, "a reference inside a row", expected)
    return typed


_STR = Type("str")


def _string(value: Notation) -> Value:
    return scalar(_STR, value)


def _strings(value: Notation) -> Value:
    if not isinstance(value, Items):
        raise Misfit(value.position, "one value for several keys", "a list such as [a b]")
    typed = []
    for item in value.items:
        if not isinstance(item, Word):
            raise Misfit(item.position, "not a key's value", "a word or a quoted string")
        typed.append(item.text)
    return typed


def from_shell(script: Script, words: tuple[str, ...]) -> Mapping[str, Value]:
    """Type the ``key=value`` words of a command line, which a shell has already unquoted.

    Raises:
        ExampleError: With the word and what was expected.
    """
    given = []
    for word in words:
        name, sign, text = word.partition("=")
        if not sign or not name:
            raise ExampleError(f"{word!r}: expected name=value")
        given.append(Argument(name, _shell_value(name, text), Position(1, 1, 1)))
    try:
        return arguments(script, tuple(given))
    except Misfit as misfit:
        raise ExampleError(_of_script(script, misfit)) from None


def _of_script(script: Script, misfit: Misfit) -> str:
    text = str(misfit)
    return text if text.startswith(script.full_name) else f"{script.full_name}: {text}"


def _shell_value(name: str, text: str) -> Notation:
    if not text.startswith(("[", "b'", 'b"')):
        return Word(text, quoted=False, position=Position(1, 1, 1))
    cursor = Cursor(name, 1, text, 0, Meter())
    value = scan_value(cursor)
    if not cursor.done:
        raise ExampleError(f"{name}={text}: expected nothing behind the value")
    return value
