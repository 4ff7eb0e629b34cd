"""What the functions of Lua's and the server's libraries give for what they are given."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeAlias

from redislua.syntax.literals import number_of
from redislua.syntax.values import ANYTHING, Kind, Origin, Value, joined, origins, symbol_of

__all__ = ["CONSTANTS", "FUNCTIONS", "METHODS", "concatenated"]

LONGEST = 4096
"""Bytes of a constant text that is put together: beyond that it is any text."""

_DECLARED = Origin.KEYS | Origin.DERIVED
_FROM_OUTSIDE = Origin.ARGV | Origin.STORED | Origin.UNKNOWN
_NUMBER_OR_NIL = Kind.NUMBER | Kind.NIL

Gives: TypeAlias = Callable[[Sequence[Value]], Value]


def concatenated(parts: Sequence[Value]) -> Value:
    """Text made of parts: from KEYS if one of them is, else from where all of them are."""
    origin = origins(parts)
    if origin & _DECLARED:
        origin = (origin & Origin.UNKNOWN) | Origin.DERIVED
    else:
        origin = _without_literals(origin)
    constants = [_bytes(part) for part in parts]
    constant: bytes | None = None
    known = [one for one in constants if one is not None]
    if len(known) == len(constants) and sum(map(len, known)) <= LONGEST:
        constant = b"".join(known)
    symbols: list[Hashable] = []
    for part in parts:
        if isinstance(part.symbol, tuple) and part.symbol[:1] == ("..",):
            symbols += part.symbol[1:]
        else:
            symbols.append(part.symbol)
    symbol = symbol_of("..", *symbols)
    return Value(origin, Kind.STRING, constant, constant if constant is not None else symbol)


def _without_literals(origin: Origin) -> Origin:
    """What counts where something is made of literals and more."""
    return (origin & ~Origin.LITERAL) or origin


def _bytes(value: Value) -> bytes | None:
    if isinstance(value.constant, float):
        return b"%.14g" % value.constant
    return value.constant


def _tonumber(given: Sequence[Value]) -> Value:
    if not given:
        return ANYTHING
    value = given[0]
    if isinstance(value.constant, bytes):
        number = number_of(value.constant)
        kind = Kind.NIL if number is None else Kind.NUMBER
        return Value(value.origin, kind, number, number)
    is_number = value.is_only(Kind.NUMBER) or value.comes_from(Origin.TIME)
    kind = Kind.NUMBER if is_number else _NUMBER_OR_NIL
    symbol = symbol_of("tonumber", value.symbol)
    is_whole = value.is_whole and not value.comes_from(_FROM_OUTSIDE)
    return value.but(kind=kind, symbol=symbol, element=None, is_whole=is_whole)


def _tostring(given: Sequence[Value]) -> Value:
    if not given:
        return ANYTHING
    value = given[0]
    text = concatenated([value])
    # KEYS[1] stays itself; anything else is what it came from.
    return text.but(origin=value.origin, symbol=value.symbol, kind=Kind.STRING)


def _kept(kind: Kind) -> Gives:
    """A function of text whose result comes from what it is given."""

    def give(given: Sequence[Value]) -> Value:
        value = concatenated([one for one in given if one.origin])
        return value.but(kind=kind, constant=None, symbol=None)

    return give


def _number(*, is_whole: bool) -> Gives:
    def give(given: Sequence[Value]) -> Value:
        found = joined(given)
        symbol = None
        if len(given) == 1 and found.symbol is not None:
            symbol = symbol_of("whole" if is_whole else "number", found.symbol)
        whole = is_whole or all(one.is_whole for one in given)
        return Value(found.origin, Kind.NUMBER, symbol=symbol, is_whole=whole, size=found.size)

    return give


def _from(kind: Kind, *, can_be_anything: bool = False) -> Gives:
    def give(given: Sequence[Value]) -> Value:
        origin = _without_literals(origins(given))
        return Value(origin or Origin.LITERAL, kind, is_whole=not can_be_anything)

    return give


def _always(value: Value) -> Gives:
    return lambda _: value


def _table_concat(given: Sequence[Value]) -> Value:
    if not given:
        return ANYTHING
    element = given[0].element
    parts = [element if element is not None else ANYTHING, *given[1:2]]
    return concatenated(parts).but(constant=None, symbol=None)


def _format(given: Sequence[Value]) -> Value:
    text = concatenated(given)
    return text.but(constant=None, symbol=symbol_of("format", text.symbol))


_STRING = Value(Origin.LITERAL, Kind.STRING)
_ERROR = Value(Origin.LITERAL, Kind.TABLE)

FUNCTIONS: dict[str | None, Gives] = {
    "tonumber": _tonumber,
    "tostring": _tostring,
    "type": _always(_STRING),
    "select": _always(ANYTHING),
    "math.floor": _number(is_whole=True),
    "math.ceil": _number(is_whole=True),
    "math.abs": _number(is_whole=False),
    "math.max": _number(is_whole=False),
    "math.min": _number(is_whole=False),
    "math.fmod": _number(is_whole=False),
    "math.sqrt": lambda given: Value(joined(given).origin, Kind.NUMBER, is_whole=False),
    "math.log": lambda given: Value(joined(given).origin, Kind.NUMBER, is_whole=False),
    "math.log10": lambda given: Value(joined(given).origin, Kind.NUMBER, is_whole=False),
    "math.exp": lambda given: Value(joined(given).origin, Kind.NUMBER, is_whole=False),
    "math.pow": lambda given: Value(joined(given).origin, Kind.NUMBER, is_whole=False),
    "math.random": lambda given: Value(Origin.LITERAL, Kind.NUMBER, is_whole=bool(given)),
    "string.format": _format,
    "string.sub": _kept(Kind.STRING),
    "string.lower": _kept(Kind.STRING),
    "string.upper": _kept(Kind.STRING),
    "string.rep": _kept(Kind.STRING),
    "string.reverse": _kept(Kind.STRING),
    "string.gsub": _kept(Kind.STRING),
    "string.match": _kept(Kind.STRING | Kind.NIL),
    "string.find": _from(Kind.NUMBER | Kind.NIL),
    "string.len": _from(Kind.NUMBER),
    "string.byte": _from(Kind.NUMBER | Kind.NIL),
    "string.char": _from(Kind.STRING),
    "table.concat": _table_concat,
    "table.getn": _from(Kind.NUMBER),
    "table.maxn": _from(Kind.NUMBER),
    "cjson.encode": _from(Kind.STRING),
    "cjson.decode": _from(Kind.ANY, can_be_anything=True),
    "cmsgpack.pack": _from(Kind.STRING),
    "cmsgpack.unpack": _from(Kind.ANY, can_be_anything=True),
    "struct.pack": _from(Kind.STRING),
    "struct.unpack": _from(Kind.ANY, can_be_anything=True),
    "redis.sha1hex": _kept(Kind.STRING),
    "redis.error_reply": _always(_ERROR),
    "redis.status_reply": _always(_ERROR),
    "server.error_reply": _always(_ERROR),
    "server.status_reply": _always(_ERROR),
    "server.sha1hex": _kept(Kind.STRING),
    **{
        f"bit.{name}": _number(is_whole=True)
        for name in ("band", "bor", "bxor", "bnot", "lshift", "rshift", "arshift", "tobit")
    },
    "bit.tohex": _from(Kind.STRING),
    "os.clock": lambda _: Value(Origin.TIME, Kind.NUMBER, is_whole=False),
}

METHODS: dict[str, Gives] = {
    name.removeprefix("string."): give
    for name, give in FUNCTIONS.items()
    if name is not None and name.startswith("string.")
}

CONSTANTS: dict[str | None, Value] = {
    "cjson.null": Value(Origin.LITERAL, Kind.TABLE, symbol="cjson.null"),
    "math.huge": Value(Origin.LITERAL, Kind.NUMBER, float("inf"), symbol="math.huge"),
    "math.pi": Value(Origin.LITERAL, Kind.NUMBER, is_whole=False, symbol="math.pi"),
    "redis.LOG_DEBUG": Value(Origin.LITERAL, Kind.NUMBER, 0.0, 0.0),
    "redis.LOG_VERBOSE": Value(Origin.LITERAL, Kind.NUMBER, 1.0, 1.0),
    "redis.LOG_NOTICE": Value(Origin.LITERAL, Kind.NUMBER, 2.0, 2.0),
    "redis.LOG_WARNING": Value(Origin.LITERAL, Kind.NUMBER, 3.0, 3.0),
}
