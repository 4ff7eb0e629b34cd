"""What holding something is: for how long, by whom, and what can become of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from redislua.errors import InvalidArgumentType, InvalidArgumentValue, RedisLuaError
from redislua.patterns._plan import Background
from redislua.runtime import DEFAULT_DEADLINE

__all__ = ["AcquireTimeout", "Holding", "LeaseLost", "Terms", "seconds_of"]


class AcquireTimeout(RedisLuaError):
    """Others held it for longer than this caller would wait.

    Attributes:
        name: Of the lock or the semaphore.
        waited: How long it waited.
        retry_after: When what is held now would be free if nobody gave it back sooner.
    """

    def __init__(self, name: str, waited: timedelta, retry_after: timedelta) -> None:
        super().__init__(
            f"{name!r} was not to be had in {waited.total_seconds():.3f} s; "
            f"the first hold ends in {retry_after.total_seconds():.3f} s"
        )
        self.name = name
        self.waited = waited
        self.retry_after = retry_after


class LeaseLost(RedisLuaError):
    """The hold ended before it was given back: somebody else may have had it since.

    What was done under it may have been done at the same time elsewhere.

    Attributes:
        name: Of the lock or the semaphore.
    """

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} was no longer held: its hold ended, or the server lost it")
        self.name = name


@dataclass(frozen=True, slots=True)
class Terms:
    """For how long things are held and waited for.

    Attributes:
        hold: How long the server keeps what nobody renews.
        wait: Seconds that a caller waits when it does not say.
        renew: Whether a hold is renewed in the background.
        on_lost: Called with the name when a hold ended too early; for asyncio it may return
            an awaitable.
        deadline: Seconds that a call may take.
    """

    hold: timedelta
    wait: float
    renew: bool
    on_lost: Callable[[str], Any] | None
    deadline: float

    @classmethod
    def of(
        cls,
        subject: str,
        *,
        hold: timedelta = timedelta(seconds=30),
        wait: timedelta = timedelta(seconds=30),
        renew: bool = True,
        on_lost: Callable[[str], Any] | None = None,
        deadline: timedelta | float = DEFAULT_DEADLINE,
    ) -> Terms:
        """Check what the application says, but for the hold, which the script's binding does."""
        if not isinstance(hold, timedelta):
            raise InvalidArgumentType(subject, "hold", hold, "a timedelta")
        seconds = deadline.total_seconds() if isinstance(deadline, timedelta) else deadline
        return cls(hold, seconds_of(subject, "wait", wait), renew, on_lost, seconds)


def seconds_of(subject: str, parameter: str, value: timedelta) -> float:
    """Seconds of a span that is not negative."""
    if not isinstance(value, timedelta):
        raise InvalidArgumentType(subject, parameter, value, "a timedelta")
    if value < timedelta(0):
        raise InvalidArgumentValue(subject, parameter, value, "a timedelta of 0 or more")
    return value.total_seconds()


@dataclass(slots=True, eq=False)
class Holding:
    """Something that is held, or was.

    Attributes:
        name: Of the lock or the semaphore.
        owner: What the server knows the holder by.
        fence: Of a lock, a decimal; ``""`` of a semaphore.
        hold: What it is renewed for.
        ends: When the hold ends at the latest that is certain, on the monotonic clock.
        is_lost: It ended before it was given back.
        is_over: It was given back.
        renewing: What keeps it, if anything does.
    """

    name: str
    owner: str
    fence: str
    hold: timedelta
    ends: float
    is_lost: bool = False
    is_over: bool = False
    renewing: Background | None = field(default=None, repr=False)

    @property
    def left(self) -> float:
        """Seconds for which it is certainly held; 0 when it is not."""
        if self.is_lost or self.is_over:
            return 0.0
        return max(self.ends - time.monotonic(), 0.0)
