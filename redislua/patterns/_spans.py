"""Durations that an application gives to a pattern."""

from __future__ import annotations

from datetime import timedelta

from redislua.errors import InvalidArgumentType, InvalidArgumentValue

__all__ = ["milliseconds"]

MILLISECOND = timedelta(milliseconds=1)


def milliseconds(pattern: str, name: str, value: object, *, least: int = 1, most: timedelta) -> int:
    """Return a duration in whole milliseconds, rounded up.

    Args:
        pattern: Whose parameter it is, for the message.
        name: The parameter.
        value: What was given.
        least: The shortest that will do, in milliseconds.
        most: The longest.

    Raises:
        InvalidArgument: It is no timedelta, or out of range.
    """
    if not isinstance(value, timedelta):
        raise InvalidArgumentType(pattern, name, value, "a timedelta")
    found = -(-value // MILLISECOND)
    if not least <= found <= most // MILLISECOND:
        raise InvalidArgumentValue(pattern, name, value, f"{least} ms to {most}")
    return found
