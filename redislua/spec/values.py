"""Types, ranges, defaults and durations: the values of the header grammar."""

from __future__ import annotations

import math
from typing import cast, get_args

from redislua.spec.cursor import DIGITS, NAME_TAIL, Cursor
from redislua.spec.model import (
    MAX_SAFE_INTEGER,
    UNIT_US,
    Arg,
    Default,
    Group,
    Kind,
    Literal_,
    Range,
    Type,
)
from redislua.spec.notation import Position

KINDS: tuple[str, ...] = get_args(Kind)
TYPE = f"a type: {', '.join(kind for kind in KINDS if kind != 'enum')} or enum(a, b)"
ARG_TYPE = f"{TYPE}; a group is written name:(id:str count:int)... 1..8"
BARE_TYPE = f"a variant in PascalCase, as in Hit value:bytes, or {TYPE}"
RANGE = "a range such as 1..600_000, 0.. or ..10"
SUFFIX_US = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
}
"""Microseconds in one unit of a duration as people write it."""

_NUMBER = DIGITS | frozenset("_")
_FLOAT = _NUMBER | frozenset("+-.eE")
_NOT_IN_REPLY = ("owner", "token")


def position(cursor: Cursor, start: int) -> Position:
    """The `Position` from ``start`` to the cursor."""
    return Position(cursor.line, start + 1, max(1, cursor.at - start))


# --- types -----------------------------------------------------------------------------------


def scan_type(cursor: Cursor, *, reply: bool) -> Type:
    """Read a type; ``reply`` admits ``T?`` and excludes what only a caller can send."""
    return _scan_type(cursor, TYPE if reply else ARG_TYPE, reply=reply)


def scan_bare_type(cursor: Cursor) -> Type:
    """Read the type of a reply that is one value; a variant is expected as often."""
    return _scan_type(cursor, BARE_TYPE, reply=True)


def _scan_type(cursor: Cursor, expected: str, *, reply: bool) -> Type:
    start = cursor.at
    kind = cursor.take_while(NAME_TAIL)
    if kind not in KINDS:
        cursor.at = start
        cursor.fail(f"unknown type {_word(cursor)!r}", expected)
    if reply and kind in _NOT_IN_REPLY:
        cursor.fail(f"type {kind} in a reply", "a type that a server can send", start=start)
    choices = _scan_choices(cursor) if kind == "enum" else ()
    optional = reply and cursor.accept("?")
    return Type(cast("Kind", kind), choices, optional)


def _scan_choices(cursor: Cursor) -> tuple[str, ...]:
    cursor.expect("(", "the words of the enum, as in enum(consume, peek)")
    choices: list[str] = []
    seen: set[str] = set()
    while True:
        cursor.blanks()
        start = cursor.at
        word = cursor.name("a word of the enum")
        if word in seen:
            cursor.fail(f"the enum has {word!r} twice", "each word once", start=start)
        seen.add(word)
        choices.append(word)
        cursor.blanks()
        if cursor.accept(")"):
            return tuple(choices)
        cursor.expect(",", "',' or ')' after a word of the enum")


def _word(cursor: Cursor) -> str:
    saved = cursor.at
    word = cursor.word()
    cursor.at = saved
    return word[:40]


# --- numbers and ranges ----------------------------------------------------------------------


def scan_integer(cursor: Cursor, expected: str) -> int:
    """Read an integer; ``_`` may group digits."""
    start = cursor.at
    negative = cursor.accept("-")
    digits = cursor.take_while(_NUMBER)
    if not digits or digits[0] == "_" or digits[-1] == "_" or "__" in digits or len(digits) > 40:
        cursor.at = start
        cursor.fail(f"{_word(cursor)!r} is not an integer", expected)
    value = int(digits.replace("_", ""))
    return -value if negative else value


def scan_float(cursor: Cursor, expected: str) -> float:
    """Read a finite decimal number."""
    start = cursor.at
    word = cursor.take_while(_FLOAT)
    if ".." in word:  # the dots of the range that this bound belongs to
        word = word[: word.index("..")]
        cursor.at = start + len(word)
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or len(word) > 40:
        cursor.at = start
        cursor.fail(f"{_word(cursor)!r} is not a finite number", expected)
    return value


def looks_like_range(cursor: Cursor) -> bool:
    """Tell whether a range and not a default or the line's end comes next."""
    return cursor.peek() in DIGITS | frozenset("-.") and bool(cursor.peek())


def scan_range(cursor: Cursor, of: Type) -> Range:
    """Read ``low..high``; a missing bound is open."""
    start = cursor.at
    low = _scan_bound(cursor, of)
    cursor.expect("..", RANGE)
    high = _scan_bound(cursor, of)
    if cursor.peek() not in ("", " ", "\t", ")"):
        cursor.fail(f"unexpected {_word(cursor)!r} after the range", RANGE)
    if low is None and high is None:
        cursor.fail("the range has no bound", RANGE, start=start)
    if low is not None and high is not None and low > high:
        cursor.fail(f"the range is empty: {low} is above {high}", RANGE, start=start)
    _check_range(cursor, of, Range(low, high), start)
    return Range(low, high)


def _scan_bound(cursor: Cursor, of: Type) -> float | None:
    if cursor.peek() not in DIGITS | {"-"} or not cursor.peek():
        return None
    return scan_float(cursor, RANGE) if of.kind == "float" else scan_integer(cursor, RANGE)


def _check_range(cursor: Cursor, of: Type, found: Range, start: int) -> None:
    if of.kind in ("enum", "bool", "owner", "token"):
        cursor.fail(f"a range on type {of.kind}", "no range here", start=start)
    bounds = [bound for bound in (found.low, found.high) if bound is not None]
    if of.kind in ("str", "bytes") and min(bounds) < 0:
        cursor.fail("a negative length", "a range of bytes from 0 up", start=start)
    if of.kind != "float" and max(abs(bound) for bound in bounds) > MAX_SAFE_INTEGER:
        cursor.fail(
            "a bound that Lua cannot hold",
            f"bounds within {MAX_SAFE_INTEGER} (2^53 - 1)",
            start=start,
        )


# --- arguments, fields, groups ---------------------------------------------------------------


def scan_field(cursor: Cursor, what: str, *, reply: bool) -> Arg:
    """Read ``name:type [range]``: a field of a reply, or a column of a group."""
    start = cursor.at
    name = cursor.name(what)
    where = position(cursor, start)
    cursor.expect(":", f"':' and a type after {name!r}")
    type_ = scan_type(cursor, reply=reply)
    cursor.blanks()
    range_ = scan_range(cursor, type_) if not reply and looks_like_range(cursor) else None
    return Arg(name, type_, range_, None, where)


def scan_group(cursor: Cursor, name: str, where: Position, *, reply: bool) -> Group:
    """Read ``(a:T1 b:T2)...`` and, in ARGV, the range of rows; the name and ':' are read."""
    cursor.expect("(", "the columns of the group, as in (id:str limit:int)...")
    columns: list[Arg] = []
    seen: set[str] = set()
    while True:
        cursor.blanks()
        if columns and cursor.accept(")"):
            break
        column = scan_field(cursor, "a column", reply=reply)
        if column.type.optional or column.type.kind in _NOT_IN_REPLY:
            cursor.fail(f"type {column.type} in a group", "a type with a value in every row")
        if column.name in seen:
            cursor.fail(f"column {column.name!r} stands twice", "each column once")
        seen.add(column.name)
        columns.append(column)
    cursor.expect("...", "'...' after the columns of a group")
    if reply:
        return Group(name, tuple(columns), None, where)
    cursor.blanks()
    start = cursor.at
    if not looks_like_range(cursor):
        cursor.fail("the group has no range", "how many rows there may be, as in 1..8")
    count = scan_range(cursor, Type("int"))
    check_count(cursor, count, start)
    return Group(name, tuple(columns), count, where)


def check_count(cursor: Cursor, count: Range, start: int) -> None:
    """Refuse a number of rows or keys that is open or negative."""
    if count.low is None or count.high is None or count.low < 0 or count.high < 1:
        cursor.fail("the count is not bounded", "both bounds, as in 1..256", start=start)


def scan_default(cursor: Cursor, of: Type, bounds: Range | None) -> Default:
    """Read the value behind ``=``; the sign itself is read."""
    cursor.blanks()
    start = cursor.at
    if cursor.done:
        cursor.fail("no value behind '='", "a default, or none")
    word = cursor.rest()
    if word == "none":
        if of.kind in ("str", "bytes") and not (
            bounds and bounds.low is not None and bounds.low > 0
        ):
            cursor.fail(
                "none on a type for which empty is a value",
                "a range that excludes 0 bytes, or a default",
                start=start,
            )
        if of.kind == "bool":
            cursor.fail("none on a bool", "true or false", start=start)
        return Default(None)
    value = read_literal(of, word)
    if isinstance(value, Expected):
        cursor.fail(f"{word[:40]!r} is not a default of type {of.kind}", value.text, start=start)
    if bounds is not None and _measure(value) not in bounds:
        cursor.fail(f"the default lies outside {bounds}", "a default in range", start=start)
    return Default(value)


class Expected:
    """Why a literal could not be read: what was expected instead."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def _measure(value: Literal_) -> float:
    if isinstance(value, str | bytes):
        return len(value.encode("utf-8") if isinstance(value, str) else value)
    return float(value) if value is not None else math.nan


def read_literal(of: Type, word: str) -> Literal_ | Expected:
    """Read one word as a value of a type; durations come back as an integer of their unit."""
    if of.kind == "int":
        value = _whole(word)
        return value if value is not None else Expected("an integer")
    if of.kind == "float":
        try:
            number = float(word)
        except ValueError:
            return Expected("a number")
        return number if math.isfinite(number) else Expected("a finite number")
    if of.is_duration:
        return _read_duration(of, word)
    if of.kind == "bool":
        return word == "true" if word in ("true", "false") else Expected("true or false")
    if of.kind == "enum":
        return word if word in of.choices else Expected(f"one of {', '.join(of.choices)}")
    if of.kind == "bytes":
        return word.encode("utf-8")
    return word


def _read_duration(of: Type, word: str) -> int | Expected:
    plain = _whole(word)
    if plain is not None:
        return plain
    amount = read_duration_us(word)
    if amount is None:
        return Expected("a whole duration such as 500ms, 10s or 2h, without a fraction")
    unit = UNIT_US[of.kind]
    if amount % unit:
        return Expected(f"a whole number of {of.kind}")
    return amount // unit


def read_duration_us(word: str) -> int | None:
    """Read ``500ms`` as microseconds, or return None."""
    digits = word.rstrip("abcdefghijklmnopqrstuvwxyz")
    count, suffix = _whole(digits), word[len(digits) :]
    if count is None or suffix not in SUFFIX_US:
        return None
    return count * SUFFIX_US[suffix]


def _whole(word: str) -> int | None:
    digits = word.removeprefix("-")
    if not digits or len(digits) > 24 or digits[0] == "_" or digits[-1] == "_":
        return None
    if not _NUMBER.issuperset(digits) or "__" in digits:
        return None
    value = int(digits.replace("_", ""))
    return -value if word.startswith("-") else value
