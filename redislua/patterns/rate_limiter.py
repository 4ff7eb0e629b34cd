"""Rate limits that an application asks: one interface over every algorithm of `limit`.

::

    limiter = RateLimiter(client, Gcra(limit=100, period=timedelta(seconds=1), burst=20))

    decision = limiter.consume("user:42")
    if not decision:
        return too_many_requests(headers=decision.headers())

==================  =====================================================================
``Gcra``            evenly, with a burst; one small key. The rule to begin with
``TokenBucket``     the same, with tokens that are counted
``SlidingWindow``   exact, for small limits
``WindowCounter``   nearly exact, for any limit
``Quota``           so much until the window that the first request began is over
``Tiers``           several ``Gcra`` at once: 10 a second, 500 an hour and 5 000 a day
==================  =====================================================================

Work whose cost is known when it is done is settled: ``consume`` what it may cost, and
`RateLimiter.settle` the difference, which is never given back twice. A subject can be shut out
(`RateLimiter.block`) and forgotten (`RateLimiter.reset`).

A subject that is unknown to the server has its whole burst: keep limiters on a server that does
not evict. What happens while the server cannot be asked is the application's choice:
``outage`` is ``raise`` (the `CallError`), ``allow``, ``deny``, or ``local``: the same rate for
each process by itself. It is for what takes and looks: `RateLimiter.settle`, ``reset``, ``block``
and ``unblock`` raise, since they are lost on a server that is not there.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import ParamSpec, TypeVar

from redislua.patterns._aio import AsyncDriver
from redislua.patterns._blocking import Driver
from redislua.patterns._limit_rules import (
    Gcra,
    Quota,
    Rule,
    SlidingWindow,
    Tiers,
    TokenBucket,
    WindowCounter,
)
from redislua.patterns._limit_terms import (
    CostTooLarge,
    Decision,
    Granted,
    LimitExceeded,
    TierLeft,
)
from redislua.patterns._rate_limiter import LimiterPlans, Outage
from redislua.runtime import DEFAULT_DEADLINE, AsyncClient, BlockingClient

__all__ = [
    "AsyncRateLimiter",
    "CostTooLarge",
    "Decision",
    "Gcra",
    "Granted",
    "LimitExceeded",
    "Outage",
    "Quota",
    "RateLimiter",
    "Rule",
    "SlidingWindow",
    "TierLeft",
    "Tiers",
    "TokenBucket",
    "WindowCounter",
]

P = ParamSpec("P")
T = TypeVar("T")

NO_WAIT = timedelta(0)


class RateLimiter:
    """A rule for any number of subjects, with a blocking client. Threads may share it.

    >>> limiter = RateLimiter(client, Gcra(limit=2, period=timedelta(minutes=1)))
    >>> [bool(limiter.consume("user:42")) for _ in range(3)]
    [True, True, False]
    >>> limiter.check("user:43").headers()
    {'RateLimit-Policy': '"default";q=2;w=60', 'RateLimit': '"default";r=2;t=0'}
    >>> @limiter.limits(lambda name: f"mail:{name}")
    ... def send_mail(name):
    ...     return f"to {name}"
    >>> send_mail("ada")
    'to ada'

    Several limits in one call, and who misbehaves shut out for a while:

    >>> minute, hour = timedelta(minutes=1), timedelta(hours=1)
    >>> tiers = RateLimiter(client, Tiers(minute=Gcra(2, minute), hour=Gcra(3, hour)))
    >>> tiers.consume("user:44").headers()["RateLimit-Policy"]
    '"minute";q=2;w=60, "hour";q=3;w=3600'
    >>> tiers.block("user:44", minute)
    datetime.timedelta(seconds=60)
    >>> tiers.consume("user:44").is_blocked
    True
    >>> tiers.unblock("user:44")
    >>> tiers.reset("user:44")
    True

    Work whose cost is known afterwards, and work in batches:

    >>> tokens = RateLimiter(client, Gcra(1_000, hour, max_debt=200))
    >>> bool(tokens.consume("user:45", 800))
    True
    >>> tokens.settle("user:45", -300)
    500
    >>> tokens.take_up_to("user:45", 600).count
    500
    """

    def __init__(
        self,
        client: BlockingClient,
        rule: Rule,
        *,
        outage: Outage = "raise",
        blocks: bool = False,
        namespace: str = "",
        deadline: timedelta | float = DEFAULT_DEADLINE,
    ) -> None:
        """Send nothing yet.

        Args:
            client: A blocking client of redis-py or valkey-py.
            rule: `Gcra`, `TokenBucket`, `SlidingWindow`, `WindowCounter`, `Quota` or `Tiers`.
            outage: What to do when the server cannot be asked.
            blocks: Whether each decision asks whether the subject is shut out, in the same
                round trip, which takes its cost all the same. `Tiers` always do.
            namespace: Put before every key, with a colon.
            deadline: How long each call may take, a timedelta or seconds.

        Raises:
            InvalidArgument: The rule is none that its script can keep.
        """
        self._plans = LimiterPlans(rule, outage, namespace, blocks=blocks)
        self._driver = Driver(client, deadline=deadline)

    def consume(self, subject: str, cost: int = 1) -> Decision:
        """Take the cost, or nothing.

        Args:
            subject: Whose request: a user, an address, an API key.
            cost: What it takes, at least 1.

        Raises:
            CostTooLarge: The rule never grants so much at once.
            CallError: The server could not be asked, unless ``outage`` says otherwise.
        """
        return self._driver.run(self._plans.consume(subject, cost))

    def check(self, subject: str, cost: int = 1) -> Decision:
        """Say what `consume` would, and take nothing.

        Raises:
            InvalidArgumentType: The rule's script cannot look without taking.
        """
        return self._driver.run(self._plans.check(subject, cost))

    def wait(self, subject: str, cost: int = 1, *, within: timedelta) -> Decision:
        """Take the cost as soon as that can be.

        Raises:
            LimitExceeded: It would not be within the time, which is known at once.
        """
        return self._driver.run(self._plans.wait(subject, cost, within.total_seconds()))

    def take_up_to(self, subject: str, count: int) -> Granted:
        """Take as many tokens as there are, up to ``count``.

        Args:
            subject: Whose.
            count: How many at most, at least 1.

        Raises:
            InvalidArgumentType: The rule is no `Gcra`.
            CallError: The server could not be asked, unless ``outage`` says otherwise.
        """
        return self._driver.run(self._plans.take_up_to(subject, count))

    def settle(self, subject: str, delta: int, *, token: str | None = None) -> int:
        """Correct a charge after the work; what remains, negative for a debt.

        Args:
            subject: Whose.
            delta: Negative gives back, up to a full burst; positive takes more, up to the
                rule's ``max_debt`` below nothing. The rule is a `Gcra`.
            token: A name for this correction, if it may be made again by another process;
                within an hour it is made once.

        Raises:
            InvalidArgumentType: The rule is no `Gcra`.
            CallError: The server could not be asked, whatever ``outage`` says.
        """
        return self._driver.run(self._plans.settle(subject, delta, token))

    def reset(self, subject: str) -> bool:
        """Forget all limits and blocks of a subject; whether there were any."""
        return self._driver.run(self._plans.reset(subject))

    def block(self, subject: str, span: timedelta) -> timedelta:
        """Shut a subject out, for limiters with ``blocks`` and for `Tiers`; for how long."""
        return self._driver.run(self._plans.block(subject, span))

    def unblock(self, subject: str) -> None:
        """Let a subject in again."""
        self._driver.run(self._plans.unblock(subject))

    @contextmanager
    def limited(
        self, subject: str, cost: int = 1, *, within: timedelta = NO_WAIT
    ) -> Iterator[Decision]:
        """A block that is entered only if the cost could be taken.

        Raises:
            LimitExceeded: It could not, within the time.
        """
        seconds = within.total_seconds()
        yield self._driver.run(self._plans.enter(subject, cost, seconds))

    def limits(
        self,
        subject: str | Callable[P, str],
        cost: int = 1,
        *,
        within: timedelta = NO_WAIT,
    ) -> Callable[[Callable[P, T]], Callable[P, T]]:
        """Decorate a function: each call takes the cost first, or raises `LimitExceeded`.

        Args:
            subject: Whose calls, or a function that says so, with the call's own arguments.
            cost: What a call takes.
            within: How long to wait for it.
        """

        def decorate(function: Callable[P, T]) -> Callable[P, T]:
            @functools.wraps(function)
            def limited(*args: P.args, **kwargs: P.kwargs) -> T:
                whose = subject if isinstance(subject, str) else subject(*args, **kwargs)
                seconds = within.total_seconds()
                self._driver.run(self._plans.enter(whose, cost, seconds))
                return function(*args, **kwargs)

            return limited

        return decorate


class AsyncRateLimiter:
    """`RateLimiter` with an asyncio client, in one event loop."""

    def __init__(
        self,
        client: AsyncClient,
        rule: Rule,
        *,
        outage: Outage = "raise",
        blocks: bool = False,
        namespace: str = "",
        deadline: timedelta | float = DEFAULT_DEADLINE,
    ) -> None:
        """Send nothing yet: see `RateLimiter`."""
        self._plans = LimiterPlans(rule, outage, namespace, blocks=blocks)
        self._driver = AsyncDriver(client, deadline=deadline)

    async def consume(self, subject: str, cost: int = 1) -> Decision:
        """`RateLimiter.consume`."""
        return await self._driver.run(self._plans.consume(subject, cost))

    async def check(self, subject: str, cost: int = 1) -> Decision:
        """`RateLimiter.check`."""
        return await self._driver.run(self._plans.check(subject, cost))

    async def wait(self, subject: str, cost: int = 1, *, within: timedelta) -> Decision:
        """`RateLimiter.wait`."""
        return await self._driver.run(self._plans.wait(subject, cost, within.total_seconds()))

    async def take_up_to(self, subject: str, count: int) -> Granted:
        """`RateLimiter.take_up_to`."""
        return await self._driver.run(self._plans.take_up_to(subject, count))

    async def settle(self, subject: str, delta: int, *, token: str | None = None) -> int:
        """`RateLimiter.settle`."""
        return await self._driver.run(self._plans.settle(subject, delta, token))

    async def reset(self, subject: str) -> bool:
        """`RateLimiter.reset`."""
        return await self._driver.run(self._plans.reset(subject))

    async def block(self, subject: str, span: timedelta) -> timedelta:
        """`RateLimiter.block`."""
        return await self._driver.run(self._plans.block(subject, span))

    async def unblock(self, subject: str) -> None:
        """`RateLimiter.unblock`."""
        await self._driver.run(self._plans.unblock(subject))

    @asynccontextmanager
    async def limited(
        self, subject: str, cost: int = 1, *, within: timedelta = NO_WAIT
    ) -> AsyncIterator[Decision]:
        """`RateLimiter.limited`."""
        seconds = within.total_seconds()
        yield await self._driver.run(self._plans.enter(subject, cost, seconds))

    def limits(
        self,
        subject: str | Callable[P, str],
        cost: int = 1,
        *,
        within: timedelta = NO_WAIT,
    ) -> Callable[[Callable[P, Awaitable[T]]], Callable[P, Awaitable[T]]]:
        """`RateLimiter.limits`, for coroutine functions."""

        def decorate(function: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
            @functools.wraps(function)
            async def limited(*args: P.args, **kwargs: P.kwargs) -> T:
                whose = subject if isinstance(subject, str) else subject(*args, **kwargs)
                seconds = within.total_seconds()
                await self._driver.run(self._plans.enter(whose, cost, seconds))
                return await function(*args, **kwargs)

            return limited

        return decorate
