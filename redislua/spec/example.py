"""The notation of examples: ``name arg=value … -> Variant field<=value``.

This module reads the notation alone. What a value means is decided by the header
of the script that is called, in `redislua.spec.typing`.
"""

from __future__ import annotations

from redislua.spec.cursor import BLANK, LOWER, NAME_TAIL, UPPER, Cursor
from redislua.spec.notation import (
    Argument,
    Blob,
    Condition,
    ExampleCall,
    ExampleWait,
    Expectation,
    Items,
    Notation,
    Operator,
    Reference,
    Row,
    Word,
)
from redislua.spec.values import position, read_duration_us, scan_integer

CALL = "a call: name arg=value ... -> Variant [field=value], or: wait 20ms"
OPERATORS: tuple[Operator, ...] = ("<=", ">=", "=")
_BARE_STOPS = BLANK | frozenset("()[],'\"")
_MAX_WAIT_US = 60_000_000


def scan_example_line(cursor: Cursor) -> ExampleCall | ExampleWait:
    """Read one line of an example; the cursor stands behind its indentation."""
    start = cursor.at
    text = cursor.text[start:].rstrip(" \t")
    if cursor.peek() not in LOWER or not cursor.peek():
        cursor.fail("not a call", CALL)
    name = cursor.take_while(NAME_TAIL)
    if name == "wait":
        return _scan_wait(cursor, text, start)
    if cursor.accept("."):
        name = f"{name}.{cursor.name('the script behind its family')}"
    where = position(cursor, start)
    arguments = []
    while not cursor.done and not cursor.looking_at("->"):
        arguments.append(scan_argument(cursor))
        if cursor.peek() not in ("", " ", "\t"):
            cursor.fail("unexpected text behind the value", "a blank between arguments")
    if cursor.done:
        cursor.fail("the call expects nothing", "-> and the variant, error or value to expect")
    expectation = _scan_expectation(cursor)
    return ExampleCall(name, tuple(arguments), expectation, text, where)


def _scan_wait(cursor: Cursor, text: str, start: int) -> ExampleWait:
    cursor.blanks()
    at = cursor.at
    amount = read_duration_us(cursor.word())
    if amount is None or not 0 <= amount <= _MAX_WAIT_US:
        cursor.fail("not a time to wait", "a duration of at most 60s, as in wait 20ms", start=at)
    if not cursor.done:
        cursor.fail("unexpected text behind wait", "wait 20ms")
    return ExampleWait(amount, text, position(cursor, start))


def scan_argument(cursor: Cursor) -> Argument:
    """Read ``name=value``."""
    start = cursor.at
    name = cursor.name("an argument, as in key=user:1")
    where = position(cursor, start)
    cursor.expect("=", f"'=' and a value behind {name!r}")
    return Argument(name, scan_value(cursor), where)


def _scan_expectation(cursor: Cursor) -> Expectation:
    cursor.expect("->", "->")
    cursor.blanks()
    start = cursor.at
    if cursor.peek() in UPPER and cursor.peek():
        variant = cursor.variant("a variant")
        where = position(cursor, start)
        conditions = []
        while not cursor.done:
            conditions.append(_scan_condition(cursor))
        return Expectation(variant, "", tuple(conditions), where)
    if cursor.accept("error"):
        cursor.blanks()
        error = cursor.variant("the declared error's name")
        return Expectation("", error, (), position(cursor, start))
    if cursor.done:
        cursor.fail("nothing is expected", "a variant, 'error Name', or a value")
    operator = _scan_operator(cursor, default="=")
    value = scan_value(cursor)
    where = position(cursor, start)
    return Expectation("", "", (Condition("", operator, value, where),), where)


def _scan_condition(cursor: Cursor) -> Condition:
    start = cursor.at
    name = cursor.name("a field, as in retry_after<=500ms")
    operator = _scan_operator(cursor, default=None)
    value = scan_value(cursor)
    return Condition(name, operator, value, position(cursor, start))


def _scan_operator(cursor: Cursor, default: Operator | None) -> Operator:
    for operator in OPERATORS:
        if cursor.accept(operator):
            return operator
    if default is None:
        cursor.fail("no comparison", "=, <= or >= and a value")
    return default


def scan_value(cursor: Cursor) -> Notation:
    """Read a value: a word, a quoted string, bytes, a reference, or a list in brackets."""
    if cursor.peek() == "[":
        return _scan_items(cursor)
    return _scan_atom(cursor)


def _scan_items(cursor: Cursor) -> Items:
    start = cursor.at
    cursor.expect("[", "'['")
    items: list[Word | Blob | Reference | Row] = []
    while True:
        cursor.blanks()
        if cursor.accept("]"):
            return Items(tuple(items), position(cursor, start))
        items.append(_scan_row(cursor) if cursor.peek() == "(" else _scan_atom(cursor))
        cursor.blanks()
        cursor.accept(",")


def _scan_row(cursor: Cursor) -> Row:
    start = cursor.at
    cursor.expect("(", "'('")
    items: list[Word | Blob | Reference] = []
    while True:
        cursor.blanks()
        items.append(_scan_atom(cursor))
        cursor.blanks()
        if cursor.accept(")"):
            return Row(tuple(items), position(cursor, start))
        cursor.expect(",", "',' or ')' in a row")


def _scan_atom(cursor: Cursor) -> Word | Blob | Reference:
    start = cursor.at
    if cursor.looking_at("b'") or cursor.looking_at('b"'):
        cursor.accept("b")
        return Blob(_scan_bytes(cursor), position(cursor, start))
    if cursor.peek() in ("'", '"'):
        return Word(_scan_quoted(cursor), quoted=True, position=position(cursor, start))
    if cursor.accept("$"):
        line = scan_integer(cursor, "the number of an earlier line, as in $1.fence")
        cursor.expect(".", "'.' and a field of that line's reply")
        field = cursor.name("a field of that line's reply")
        return Reference(line, field, position(cursor, start))
    word = cursor.take_until(_BARE_STOPS)
    if not word:
        cursor.fail("no value", "a value; quote it when it is empty or holds blanks")
    return Word(word, quoted=False, position=position(cursor, start))


def _scan_quoted(cursor: Cursor) -> str:
    start = cursor.at
    quote = cursor.peek()
    cursor.accept(quote)
    parts: list[str] = []
    stops = frozenset(quote + "\\") if quote == '"' else frozenset(quote)
    while True:
        parts.append(cursor.take_until(stops))
        if cursor.accept(quote):
            return "".join(parts)
        if not cursor.accept("\\"):
            cursor.fail("the quote is not closed", f"a closing {quote}", start=start)
        escaped = cursor.peek()
        if escaped not in ('"', "\\") or not escaped:
            cursor.fail("unknown escape", '\\" or \\\\ inside double quotes')
        cursor.accept(escaped)
        parts.append(escaped)


_ESCAPES = {"n": 10, "r": 13, "t": 9, "0": 0, "\\": 92, "'": 39, '"': 34}
_HEX = frozenset("0123456789abcdefABCDEF")


def _scan_bytes(cursor: Cursor) -> bytes:
    start = cursor.at
    quote = cursor.peek()
    cursor.accept(quote)
    found = bytearray()
    while True:
        found += cursor.take_until(frozenset(quote + "\\")).encode("utf-8")
        if cursor.accept(quote):
            return bytes(found)
        if not cursor.accept("\\"):
            cursor.fail("the quote is not closed", f"a closing {quote}", start=start)
        found.append(_scan_escape(cursor))


def _scan_escape(cursor: Cursor) -> int:
    start = cursor.at - 1
    if cursor.accept("x"):
        digits = cursor.text[cursor.at : cursor.at + 2]
        if len(digits) != 2 or not _HEX.issuperset(digits):
            cursor.fail("unknown escape", "\\x and two hex digits", start=start)
        cursor.accept(digits)
        return int(digits, 16)
    char = cursor.peek()
    if char not in _ESCAPES:
        cursor.fail("unknown escape", "\\xNN, \\n, \\r, \\t, \\0, \\\\ or a quote", start=start)
    cursor.accept(char)
    return _ESCAPES[char]
