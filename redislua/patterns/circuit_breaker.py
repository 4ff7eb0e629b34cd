"""No calls to what fails, among all processes that share a server.

::

    mail = CircuitBreaker(client, "mail", open=timedelta(seconds=30), failures=(OSError,))

    with mail.guarded():  # raises CircuitOpen instead of calling
        smtp.send(message)

* Calls and failures of all processes are counted together. When ``percent`` of at least
  ``least`` calls in ``window`` have failed the circuit opens: calls are `CircuitOpen` at once.
* After ``open`` one caller makes a probe. If it goes well the circuit closes for everybody; if
  not it stays open for twice as long, up to ``most``. A probe whose process died is given to
  another after ``hold``.
* A process goes by what it heard last for ``trust``: while all goes well a call costs one
  round trip, after it, and while the circuit is open none at all.
* What is raised and is no failure (``failures``) counts as a call that went well: the other
  side has answered. A call that was cancelled or interrupted counts as none.

What happens while the server cannot be asked is the application's choice: ``outage`` is
``allow`` (calls are made and not counted), or ``raise``.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import ParamSpec, TypedDict, TypeVar, Unpack

from redislua.patterns._aio import AsyncDriver
from redislua.patterns._blocking import Driver
from redislua.patterns._circuit_breaker import BreakerPlans, CircuitOpen, Outage, Terms
from redislua.runtime import DEFAULT_DEADLINE, AsyncClient, BlockingClient

__all__ = ["AsyncCircuitBreaker", "CircuitBreaker", "CircuitOpen", "Options", "Outage"]

P = ParamSpec("P")
T = TypeVar("T")


class Options(TypedDict, total=False):
    """Keywords of `CircuitBreaker` and `AsyncCircuitBreaker`.

    Attributes:
        window: In which calls are counted; 10 s, up to an hour.
        least: How many calls there must be before it opens; 10.
        percent: How many of a hundred must fail; 50.
        open: For how long it opens; 10 s, up to an hour.
        most: For how long at most, after probes that failed; 10 min.
        hold: After how long a probe that reports nothing is given to another; 10 s.
        trust: How long a process goes by what it heard last; 1 s. With 0 it asks before
            every call.
        failures: What counts as a failure when it is raised; every `Exception`.
        outage: What happens when the server cannot be asked: ``allow`` or ``raise``.
        namespace: Put before every key, with a colon.
        deadline: How long each call of a script may take, a timedelta or seconds; 2 s.
    """

    window: timedelta
    least: int
    percent: int
    open: timedelta
    most: timedelta
    hold: timedelta
    trust: timedelta
    failures: tuple[type[Exception], ...]
    outage: Outage
    namespace: str
    deadline: timedelta | float


def _plans(name: str, options: Options) -> BreakerPlans:
    terms = Terms.of(
        window=options.get("window", timedelta(seconds=10)),
        least=options.get("least", 10),
        percent=options.get("percent", 50),
        open=options.get("open", timedelta(seconds=10)),
        most=options.get("most", timedelta(minutes=10)),
        hold=options.get("hold", timedelta(seconds=10)),
        trust=options.get("trust", timedelta(seconds=1)),
        failures=options.get("failures", (Exception,)),
    )
    outage = options.get("outage", "allow")
    return BreakerPlans(name, terms, outage, options.get("namespace", ""))


class CircuitBreaker:
    """One circuit, with a blocking client. Threads may share it.

    >>> mail = CircuitBreaker(client, "mail", least=2, failures=(OSError,))
    >>> @mail.guards
    ... def send(text):
    ...     raise ConnectionError("no mail server")
    >>> for _ in range(3):
    ...     try:
    ...         send("hello")
    ...     except (ConnectionError, CircuitOpen) as error:
    ...         print(type(error).__name__)
    ConnectionError
    ConnectionError
    CircuitOpen
    """

    def __init__(self, client: BlockingClient, name: str, **options: Unpack[Options]) -> None:
        """Send nothing yet.

        Args:
            client: A blocking client of redis-py or valkey-py.
            name: What is called, without braces: the same in all processes.
            options: See `Options`.
        """
        self._plans = _plans(name, options)
        self._driver = Driver(client, deadline=options.get("deadline", DEFAULT_DEADLINE))

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """A block that is one call.

        Raises:
            CircuitOpen: It is not entered: the circuit is open.
            CallError: The server could not be asked, and ``outage`` is ``raise``.
        """
        owner = self._driver.run(self._plans.enter())
        try:
            yield
        except BaseException as error:
            self._driver.run(self._plans.leave(owner, error))
            raise
        self._driver.run(self._plans.leave(owner, None))

    def guards(self, function: Callable[P, T]) -> Callable[P, T]:
        """Decorate a function: each call of it is one call."""

        @functools.wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            with self.guarded():
                return function(*args, **kwargs)

        return guarded


class AsyncCircuitBreaker:
    """`CircuitBreaker` with an asyncio client, in one event loop."""

    def __init__(self, client: AsyncClient, name: str, **options: Unpack[Options]) -> None:
        """Send nothing yet.

        Args:
            client: An asyncio client of redis-py or valkey-py.
            name: What is called, without braces: the same in all processes.
            options: See `Options`.
        """
        self._plans = _plans(name, options)
        self._driver = AsyncDriver(client, deadline=options.get("deadline", DEFAULT_DEADLINE))

    @asynccontextmanager
    async def guarded(self) -> AsyncIterator[None]:
        """`CircuitBreaker.guarded`."""
        owner = await self._driver.run(self._plans.enter())
        try:
            yield
        except BaseException as error:
            await self._driver.run(self._plans.leave(owner, error))
            raise
        await self._driver.run(self._plans.leave(owner, None))

    def guards(self, function: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        """`CircuitBreaker.guards`, for coroutine functions."""

        @functools.wraps(function)
        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            async with self.guarded():
                return await function(*args, **kwargs)

        return guarded
