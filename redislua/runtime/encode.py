"""Arguments into bytes: what every generated function calls to validate and encode.

Each function takes the script and the parameter's name, so that an error can say
both, then the value and the bounds of the header. All raise `InvalidArgumentType`
or `InvalidArgumentValue` and do no I/O.
"""

from __future__ import annotations

import math
import os
import secrets
from binascii import hexlify
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any, TypeVar, TypeVarTuple

from redislua.errors import InvalidArgument, InvalidArgumentType, InvalidArgumentValue
from redislua.runtime.call import Script

Row = TypeVar("Row")
Values = TypeVarTuple("Values")

OWNER_BYTES = 48
TOKEN_BYTES = 32
NAMESPACE_LENGTH = 64
REMEMBERED = 128
"""How many different settings are kept for each script: about 100 KB when all are."""

_NAMESPACE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-")
_MICROSECOND = timedelta(microseconds=1)


def new_owner() -> str:
    """Make an owner: 32 random hex digits, 128 bits.

    An owner is what a later call must present again (fill, release, acknowledge).
    Make one for each attempt to own something, never one per process.
    """
    return secrets.token_hex(16)


# --- keys ------------------------------------------------------------------------------------


def namespace(script: Script, value: str) -> bytes:
    """Return the prefix that a namespace puts before every key: ``b"shop:"`` or ``b""``."""
    return b"" if value == "" else namespace_prefix(script.name, value)


def namespace_prefix(subject: str, value: str) -> bytes:
    """Do the same under another name than a script's; ``subject`` is what errors name."""
    if value == "":
        return b""
    if not isinstance(value, str):
        raise InvalidArgumentType(subject, "namespace", value, "a str")
    try:
        return _prefix(value)
    except ValueError as rule:
        raise InvalidArgumentValue(subject, "namespace", value, str(rule)) from None


@lru_cache(maxsize=64)  # every call of a bindings object passes the same one
def _prefix(value: str) -> bytes:
    if len(value) > NAMESPACE_LENGTH or not _NAMESPACE.issuperset(value):
        raise ValueError(f"1 to {NAMESPACE_LENGTH} of A-Z a-z 0-9 _ . : -")
    return value.encode("ascii") + b":"


def name(script: Script, parameter: str, value: str) -> bytes:
    """Encode a placeholder that stands after the hash tag, or a whole key: not empty."""
    if isinstance(value, str) and value:
        try:
            return value.encode()
        except UnicodeEncodeError:
            pass
    raise _refused(script, parameter, value)


def tag(script: Script, parameter: str, value: str) -> bytes:
    """Encode a placeholder inside the hash tag: not empty, and no brace that would move the slot."""
    if isinstance(value, str) and value and "{" not in value and "}" not in value:
        try:
            return value.encode()
        except UnicodeEncodeError:
            pass
    raise _refused(script, parameter, value)


def many(
    script: Script, parameter: str, values: Sequence[str], low: int, high: int
) -> Sequence[str]:
    """Check the length of a variadic key's parameter."""
    if isinstance(values, str | bytes) or not isinstance(values, Sequence):
        raise InvalidArgumentType(script.name, parameter, values, "a sequence of str")
    if not low <= len(values) <= high:
        raise InvalidArgumentValue(script.name, parameter, values, f"{low} to {high} values")
    return values


# --- scalars ---------------------------------------------------------------------------------


def integer(script: Script, parameter: str, value: int, low: int, high: int) -> bytes:
    """Encode an ``int``. A bool is refused: ``True`` for a limit is a slip, not a 1."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidArgumentType(script.name, parameter, value, "an int")
    if not low <= value <= high:
        raise InvalidArgumentValue(script.name, parameter, value, f"an int in {low}..{high}")
    return b"%d" % value


def real(script: Script, parameter: str, value: float, low: float, high: float) -> bytes:
    """Encode a finite ``float`` with 17 significant digits, which read back as the same double."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidArgumentType(script.name, parameter, value, "a float")
    if isinstance(value, int) and abs(value) > 2**53:
        raise InvalidArgumentValue(script.name, parameter, value, "a number that a double holds")
    if not math.isfinite(value) or not low <= value <= high:
        bounds = "" if math.isinf(low) and math.isinf(high) else f" in {low}..{high}"
        raise InvalidArgumentValue(script.name, parameter, value, f"a finite float{bounds}")
    return b"%.17g" % value


def text(script: Script, parameter: str, value: str, low: int, high: int) -> bytes:
    """Encode a ``str`` as UTF-8; the bounds count bytes."""
    encoded = _utf8(script, parameter, value)
    if not low <= len(encoded) <= high:
        raise InvalidArgumentValue(script.name, parameter, value, f"{low} to {high} bytes")
    return encoded


def binary(script: Script, parameter: str, value: bytes, low: int, high: int) -> bytes:
    """Pass ``bytes`` on; the bounds count bytes."""
    if not isinstance(value, bytes | bytearray | memoryview):
        raise InvalidArgumentType(script.name, parameter, value, "bytes")
    encoded = bytes(value)
    if not low <= len(encoded) <= high:
        raise InvalidArgumentValue(script.name, parameter, value, f"{low} to {high} bytes")
    return encoded


def flag(script: Script, parameter: str, value: bool) -> bytes:
    """Encode a ``bool`` as 1 or 0."""
    if not isinstance(value, bool):
        raise InvalidArgumentType(script.name, parameter, value, "a bool")
    return b"1" if value else b"0"


def word(script: Script, parameter: str, value: str, choices: tuple[str, ...]) -> bytes:
    """Encode one of the words of an ``enum``."""
    if not isinstance(value, str):
        raise InvalidArgumentType(script.name, parameter, value, "a str")
    if value not in choices:
        raise InvalidArgumentValue(script.name, parameter, value, f"one of {', '.join(choices)}")
    return value.encode("ascii")


def duration(
    script: Script, parameter: str, value: timedelta | int, unit: int, low: int, high: int
) -> bytes:
    """Encode a duration as an integer of its unit.

    Args:
        script: The script, for errors.
        parameter: The parameter's name, for errors.
        value: A timedelta, rounded up to the unit, or an int already in the unit.
        unit: Microseconds in one unit: 1, 1 000 or 1 000 000.
        low: Least value, in the unit.
        high: Greatest value, in the unit.
    """
    if isinstance(value, timedelta):
        count = -(-(value // _MICROSECOND) // unit)
    elif isinstance(value, bool) or not isinstance(value, int):
        raise InvalidArgumentType(script.name, parameter, value, "a timedelta or an int")
    else:
        count = value
    if not low <= count <= high:
        sign = {1: "us", 1_000: "ms", 1_000_000: "s"}[unit]
        raise InvalidArgumentValue(
            script.name, parameter, value, f"a duration in {low}..{high} {sign}"
        )
    return b"%d" % count


def owner(script: Script, parameter: str, value: str) -> bytes:
    """Encode an owner: 1 to 48 bytes; `new_owner` makes one."""
    return text(script, parameter, value, 1, OWNER_BYTES)


def token(script: Script, parameter: str, value: str | None) -> bytes:
    """Encode an operation token: 1 to 32 bytes, fresh when absent.

    A fresh token is drawn once for each `Call`, so running one call twice is a resend.
    """
    if value is None:
        return hexlify(os.urandom(TOKEN_BYTES // 2))
    return text(script, parameter, value, 1, TOKEN_BYTES)


# --- settings --------------------------------------------------------------------------------


def remembered(
    encoder: Callable[[*Values], tuple[bytes, ...]],
) -> Callable[[*Values], tuple[bytes, ...]]:
    """Decorate an encoder of settings: what it made of the latest values is looked up.

    Settings are what callers repeat (limits, periods, modes), of types whose equal
    values have one encoding: ints, durations, flags, words. Floats have not
    (``0.0 == -0.0``), and whatever names one caller or one operation would only fill
    the memory: `REMEMBERED` results are kept. Nothing is kept of a value that is refused.
    """
    look_up = lru_cache(REMEMBERED, typed=True)(encoder)  # typed: 1, True and 1.0 are equal

    def settings(*values: *Values) -> tuple[bytes, ...]:
        try:
            return look_up(*values)
        except TypeError:  # one is not hashable, or refused: the encoder says which
            pass
        return encoder(*values)

    return settings


# --- groups ----------------------------------------------------------------------------------


def rows(
    script: Script,
    parameter: str,
    values: Sequence[Row],
    low: int,
    high: int,
    row: type[Row],
    encode_row: Callable[[Row], tuple[bytes, ...]],
) -> tuple[bytes, ...]:
    """Encode a group: its count, then its rows, flat."""
    if isinstance(values, str | bytes) or not isinstance(values, Sequence):
        raise InvalidArgumentType(script.name, parameter, values, "a sequence of rows")
    if not low <= len(values) <= high:
        raise InvalidArgumentValue(script.name, parameter, values, f"{low} to {high} rows")
    for value in values:
        if not isinstance(value, row):
            raise InvalidArgumentType(script.name, parameter, value, f"rows of {row.__name__}")
    return (b"%d" % len(values), *(field for row in values for field in encode_row(row)))


def pairs(
    script: Script, parameter: str, values: object, make: Callable[[Any, Any], Row]
) -> Sequence[Row]:
    """Turn the mapping form of a two-field group into rows; pass a sequence on."""
    if isinstance(values, Mapping):
        return [make(first, second) for first, second in values.items()]
    if isinstance(values, Sequence):
        return values
    raise InvalidArgumentType(script.name, parameter, values, "a sequence of rows or a mapping")


def _utf8(script: Script, parameter: str, value: str) -> bytes:
    if isinstance(value, str):
        try:
            return value.encode()
        except UnicodeEncodeError:
            pass
    raise _refused(script, parameter, value)


def _refused(script: Script, parameter: str, value: object) -> InvalidArgument:
    """Say what is wrong with a value that is no text, or not one that may stand in a key."""
    if not isinstance(value, str):
        return InvalidArgumentType(script.name, parameter, value, "a str")
    if not value:
        expected = "a str that is not empty"
    elif any("\ud800" <= char <= "\udfff" for char in value):
        expected = "a str that UTF-8 can encode (no lone surrogate)"
    else:
        expected = "a str without '{' or '}': it stands in a hash tag"
    return InvalidArgumentValue(script.name, parameter, value, expected)
