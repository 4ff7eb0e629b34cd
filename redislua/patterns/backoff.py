"""Slower and slower attempts for whoever fails, among all processes that share a server.

::

    logins = Backoff(client, free=3, base=timedelta(seconds=1), most=timedelta(hours=1))

    with logins.attempt(f"login:{name}"):
        check_password(name, password)  # raises when it is wrong

* An attempt is counted as a failure before it is made, and forgotten when its block ends well:
  guesses at the same moment do not slip past the count.
* The first ``free`` failures cost nothing. Each further one locks its subject for twice as long
  as the one before, from ``base`` up to ``most``; attempts meanwhile are `LockedOut`.
* What began a minute or a month ago is forgotten ``forget`` after the last wait.

Whoever can name a subject can have it locked out: let the subject hold the address of the
caller as well where that matters. Keep failures on a server that does not evict. What happens
while the server cannot be asked is the application's choice: ``outage`` is ``raise`` (the
`CallError`), or ``allow``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import TypedDict, Unpack

from redislua.patterns._aio import AsyncDriver
from redislua.patterns._backoff import BackoffPlans, LockedOut, Outage, Standing
from redislua.patterns._blocking import Driver
from redislua.runtime import DEFAULT_DEADLINE, AsyncClient, BlockingClient

__all__ = ["AsyncBackoff", "Backoff", "LockedOut", "Options", "Outage", "Standing"]


class Options(TypedDict, total=False):
    """Keywords of `Backoff` and `AsyncBackoff`.

    Attributes:
        base: For how long the first failure that is not free locks; 1 s, up to a day.
        most: For how long a failure locks at most; 1 h.
        free: Failures that cost nothing; 3.
        forget: How long after the last wait the count begins anew; 1 day.
        outage: What happens when the server cannot be asked: ``raise`` or ``allow``.
        namespace: Put before every key, with a colon.
        deadline: How long each call may take, a timedelta or seconds; 2 s.
    """

    base: timedelta
    most: timedelta
    free: int
    forget: timedelta
    outage: Outage
    namespace: str
    deadline: timedelta | float


def _plans(options: Options) -> BackoffPlans:
    return BackoffPlans(
        base=options.get("base", timedelta(seconds=1)),
        most=options.get("most", timedelta(hours=1)),
        free=options.get("free", 3),
        forget=options.get("forget", timedelta(days=1)),
        outage=options.get("outage", "raise"),
        namespace=options.get("namespace", ""),
    )


class Backoff:
    """Any number of subjects, with a blocking client. Threads may share it.

    >>> logins = Backoff(client, free=1, base=timedelta(minutes=1))
    >>> for guess in ("a", "b", "c"):
    ...     try:
    ...         with logins.attempt("login:ada"):
    ...             raise PermissionError(guess)
    ...     except PermissionError as error:
    ...         print("wrong:", error)
    ...     except LockedOut as error:
    ...         print("wait", error.retry_after > timedelta(seconds=50))
    wrong: a
    wrong: b
    wait True
    >>> logins.ok("login:ada").fails  # an administrator lets her in again
    2
    """

    def __init__(self, client: BlockingClient, **options: Unpack[Options]) -> None:
        """Send nothing yet.

        Args:
            client: A blocking client of redis-py or valkey-py.
            options: See `Options`.
        """
        self._plans = _plans(options)
        self._driver = Driver(client, deadline=options.get("deadline", DEFAULT_DEADLINE))

    @contextmanager
    def attempt(self, subject: str) -> Iterator[None]:
        """A block that is one attempt: it failed unless it ends without an exception.

        Raises:
            LockedOut: The subject has to wait; the block is not entered.
            CallError: The server could not be asked, unless ``outage`` says otherwise.
        """
        self._driver.run(self._plans.enter(subject))
        yield
        self._driver.run(self._plans.ok(subject))

    def fail(self, subject: str) -> Standing:
        """Count a failure that happened; how the subject stands now."""
        return self._driver.run(self._plans.fail(subject))

    def check(self, subject: str) -> Standing:
        """How the subject stands, without counting anything."""
        return self._driver.run(self._plans.check(subject))

    def ok(self, subject: str) -> Standing:
        """Forget the subject's failures; how many there were."""
        return self._driver.run(self._plans.ok(subject))


class AsyncBackoff:
    """`Backoff` with an asyncio client, in one event loop: ``async with backoff.attempt(...)``."""

    def __init__(self, client: AsyncClient, **options: Unpack[Options]) -> None:
        """Send nothing yet.

        Args:
            client: An asyncio client of redis-py or valkey-py.
            options: See `Options`.
        """
        self._plans = _plans(options)
        self._driver = AsyncDriver(client, deadline=options.get("deadline", DEFAULT_DEADLINE))

    @asynccontextmanager
    async def attempt(self, subject: str) -> AsyncIterator[None]:
        """`Backoff.attempt`. An attempt that is cancelled has failed."""
        await self._driver.run(self._plans.enter(subject))
        yield
        await self._driver.run(self._plans.ok(subject))

    async def fail(self, subject: str) -> Standing:
        """`Backoff.fail`."""
        return await self._driver.run(self._plans.fail(subject))

    async def check(self, subject: str) -> Standing:
        """`Backoff.check`."""
        return await self._driver.run(self._plans.check(subject))

    async def ok(self, subject: str) -> Standing:
        """`Backoff.ok`."""
        return await self._driver.run(self._plans.ok(subject))
