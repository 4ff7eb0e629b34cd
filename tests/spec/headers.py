"""Header texts for tests: one that is right, and ways to change it."""

from __future__ import annotations

from redislua.errors import HeaderError, ScriptsRefused
from redislua.spec.cursor import Meter
from redislua.spec.header import parse
from redislua.spec.model import Script

GOOD = """\
#!lua
--- Return the cached value, or elect one caller to refill it.
--
-- On a miss one caller gets the lease; the others learn how long to wait.
--
-- @version 1.0.0
-- @key     entry      cache:{<key>}:entry   hash   expires
-- @key     lease      cache:{<key>}:lease   string expires
-- @arg     owner      owner
-- @arg     hold       ms 1..600_000
-- @arg     mode       enum(one, two) = one
-- @returns Hit        value:bytes age:ms
-- @returns Fill
-- @returns Wait       retry_after:ms
-- @error   BadState   The entry was not written by this family.
-- @state   entry cache-entry/1
-- @retry   safe
-- @budget  calls<=4 growth=1
-- @example one caller fills, the next waits
--   get_or_lock key=user:1 owner=a hold=500ms -> Fill
--   get_or_lock key=user:1 owner=b hold=500ms -> Wait retry_after<=500ms

return {'Fill'}
"""


def read(text: str | bytes, *, major: int = 1, meter: Meter | None = None) -> Script:
    """Parse a text as ``cache/get_or_lock.v1.lua``."""
    data = text.encode() if isinstance(text, str) else text
    return parse(
        "cache/get_or_lock.v1.lua",
        data,
        family="cache",
        name="get_or_lock",
        major=major,
        meter=meter,
    )


def problems(text: str | bytes, *, major: int = 1) -> tuple[HeaderError, ...]:
    """Parse a text that must be refused, and return why."""
    try:
        read(text, major=major)
    except ScriptsRefused as refused:
        return refused.problems
    return ()


def line_of(text: str, part: str) -> int:
    """Number of the first line that holds a part."""
    return next(number for number, line in enumerate(text.split("\n"), 1) if part in line)
