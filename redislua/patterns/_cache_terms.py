"""What a cache is told and what it answers: terms, results and errors, without I/O."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Final, Generic, Literal, TypeAlias, TypeVar

from redislua.errors import InvalidArgumentType, InvalidArgumentValue, RedisLuaError

__all__ = [
    "ABSENT",
    "Absence",
    "Failed",
    "FetchFailed",
    "FetchTimeout",
    "Found",
    "Missing",
    "Outage",
    "Progress",
    "Result",
    "Terms",
    "Written",
]

T = TypeVar("T")

Outage: TypeAlias = Literal["raise", "fetch"]
"""What a cache does when the server cannot be reached."""

Progress: TypeAlias = Callable[[int, int], object]
"""Told how many keys of how many are done."""

LONGEST_HOLD = timedelta(minutes=10)


class Absence(Enum):
    """The type of `ABSENT`."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absence.ABSENT
"""There is no such thing, and that is known: what a fetch returns, and what is cached for it."""


class FetchFailed(RedisLuaError):
    """Another caller's fetch of this key failed, and none may begin yet.

    Attributes:
        key: The key.
        fails: How many fetches failed since the last value.
        retry_after: When the next one may begin.
    """

    def __init__(self, key: str, fails: int, retry_after: timedelta) -> None:
        super().__init__(
            f"the fetch of {key!r} failed elsewhere, {fails} since the last value; "
            f"the next may begin in {retry_after.total_seconds():.3f} s"
        )
        self.key = key
        self.fails = fails
        self.retry_after = retry_after


class FetchTimeout(RedisLuaError):
    """Another caller's fetch of this key took longer than this one would wait.

    Attributes:
        key: The key.
        waited: How long it waited.
    """

    def __init__(self, key: str, waited: timedelta) -> None:
        super().__init__(f"waited {waited.total_seconds():.3f} s for another fetch of {key!r}")
        self.key = key
        self.waited = waited


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """The cache has a value.

    Attributes:
        value: The value.
        is_stale: Whether it is past its soft expiry.
    """

    value: T
    is_stale: bool = False


@dataclass(frozen=True, slots=True)
class Missing:
    """The cache has nothing under this key."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The server could not say, or could not do, for this one key.

    Attributes:
        error: Why: a `redislua.errors.CallError`, or what the codec raised.
    """

    error: Exception


Result: TypeAlias = Found[T] | Absence | Missing | Failed
"""What became of one key of several."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a write of several keys.

    Attributes:
        done: How many are written.
        failed: Of the others, why.
    """

    done: int
    failed: Mapping[str, Exception]


@dataclass(frozen=True, slots=True)
class Terms:
    """How long things last; milliseconds where not said otherwise.

    Attributes:
        soft: Until a value is refreshed.
        keep: How much longer it may be served while nobody has refreshed it.
        negative: Until an absence is looked at again.
        hold: How long a fetch may be silent before another caller takes its place.
        cooldown: How long after a failed fetch no other begins.
        wait: Seconds that a caller waits for another's fetch.
        beta_ppm: XFetch's beta in millionths.
        jitter: Share by which expiries differ at random, 0 to 1.
    """

    soft: int
    keep: int
    negative: int
    hold: int
    cooldown: int
    wait: float
    beta_ppm: int
    jitter: float

    @classmethod
    def of(
        cls,
        *,
        ttl: timedelta,
        stale_for: timedelta,
        negative_ttl: timedelta,
        hold: timedelta,
        cooldown: timedelta,
        wait: timedelta,
        beta: float,
        jitter: float,
    ) -> Terms:
        """Check what the application says."""
        if not 0 <= beta <= 100:
            raise InvalidArgumentValue("Cache", "beta", beta, "0 to 100")
        if not 0 <= jitter < 1:
            raise InvalidArgumentValue("Cache", "jitter", jitter, "0 to less than 1")
        return cls(
            soft=_milliseconds("ttl", ttl),
            keep=_milliseconds("stale_for", stale_for, least=0),
            negative=_milliseconds("negative_ttl", negative_ttl),
            hold=_milliseconds("hold", hold, most=LONGEST_HOLD),
            cooldown=_milliseconds("cooldown", cooldown, most=LONGEST_HOLD),
            wait=_milliseconds("wait", wait, least=0) / 1_000,
            beta_ppm=round(beta * 1_000_000),
            jitter=jitter,
        )

    def spread(self, milliseconds: int) -> int:
        """Shorten a span at random, so that what was stored together does not expire together."""
        return max(1, round(milliseconds * (1 - self.jitter * random.random())))  # noqa: S311


def _milliseconds(
    name: str, value: timedelta, *, least: int = 1, most: timedelta = timedelta(days=183)
) -> int:
    if not isinstance(value, timedelta):
        raise InvalidArgumentType("Cache", name, value, "a timedelta")
    found = -(-value // timedelta(milliseconds=1))
    if not least <= found <= most / timedelta(milliseconds=1):
        raise InvalidArgumentValue("Cache", name, value, f"{least} ms to {most}")
    return found
