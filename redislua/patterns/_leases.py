"""Bases of `Lock` and `Semaphore`, and of what they give out: a blocking half, an asyncio half."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from types import TracebackType
from typing import Generic, Self, TypeVar

from redislua.patterns._aio import AsyncDriver
from redislua.patterns._blocking import Driver
from redislua.patterns._holding import HoldingPlans
from redislua.patterns._holding_terms import Holding, LeaseLost, seconds_of

__all__ = ["AsyncLease", "AsyncTaking", "Lease", "Taking"]

ELSEWHERE = (
    "the block was entered in another thread or task, so which of the leases is to be released "
    "is not known: use a block on what acquire() returns"
)


class _Held:
    def __init__(self, plans: HoldingPlans, holding: Holding) -> None:
        self._plans = plans
        self._holding = holding

    @property
    def name(self) -> str:
        """Name of what is held."""
        return self._holding.name

    @property
    def is_held(self) -> bool:
        """Whether it is certainly still held: by this process's clock, without asking."""
        return self._holding.left > 0

    @property
    def left(self) -> timedelta:
        """For how long it is certainly held if nothing renews it."""
        return timedelta(seconds=self._holding.left)

    def check(self) -> None:
        """Raise `LeaseLost` unless it is certainly still held.

        Call it before each step that must not be done by two.
        """
        if not self.is_held:
            raise LeaseLost(self.name)

    def __repr__(self) -> str:
        state = f"{self._holding.left:.3f} s left" if self.is_held else "not held"
        return f"<{type(self).__name__} of {self.name!r}, {state}>"


class Lease(_Held):
    """Something that is held: released at the end of a ``with`` block, or by `release`."""

    def __init__(self, driver: Driver, plans: HoldingPlans, holding: Holding) -> None:
        super().__init__(plans, holding)
        self._driver = driver

    def extend(self, hold: timedelta | None = None) -> None:
        """Have the hold start anew.

        Args:
            hold: For how long, from now on also where it is renewed; as before if not given.

        Raises:
            LeaseLost: It is no longer held.
        """
        self._driver.run(self._plans.extend(self._holding, hold))

    def release(self) -> None:
        """Give it back; a second time does nothing.

        Raises:
            LeaseLost: It had not been held until now.
            CallError: The server could not be told; the hold ends by itself.
        """
        self._driver.run(self._plans.release(self._holding))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._driver.run(self._plans.leave(self._holding, is_failing=error is not None))


class AsyncLease(_Held):
    """`Lease` for asyncio."""

    def __init__(self, driver: AsyncDriver, plans: HoldingPlans, holding: Holding) -> None:
        super().__init__(plans, holding)
        self._driver = driver

    async def extend(self, hold: timedelta | None = None) -> None:
        """`Lease.extend`."""
        await self._driver.run(self._plans.extend(self._holding, hold))

    async def release(self) -> None:
        """`Lease.release`."""
        await self._driver.run(self._plans.release(self._holding))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._driver.run(self._plans.leave(self._holding, is_failing=error is not None))


L = TypeVar("L", bound=Lease)
A = TypeVar("A", bound=AsyncLease)


class Taking(Generic[L]):
    """Something to take with a blocking client. Threads may share it."""

    _kind: type[L]

    def __init__(self, driver: Driver, plans: HoldingPlans) -> None:
        self._driver = driver
        self._plans = plans
        self._entered = _OfThread()

    @property
    def name(self) -> str:
        """Its name."""
        return self._plans.calls.name

    def acquire(self, within: timedelta | None = None) -> L:
        """Take it, waiting if need be; released by `Lease.release` or a ``with`` block on it.

        Args:
            within: How long to wait; ``wait`` of the options if not given.

        Raises:
            AcquireTimeout: Others held it for longer.
            CallError: The server could not be asked. If it had been taken all the same, its
                hold ends by itself.
        """
        seconds = self._plans.terms.wait
        if within is not None:
            seconds = seconds_of(type(self).__name__, "within", within)
        return self._given(self._driver.run(self._plans.acquire(seconds)))

    def try_acquire(self) -> L | None:
        """Take it if it is to be had now, else return None."""
        holding = self._driver.run(self._plans.try_acquire())
        return None if holding is None else self._given(holding)

    def _given(self, holding: Holding) -> L:
        return self._kind(self._driver, self._plans, holding)

    def __enter__(self) -> L:
        lease = self.acquire()
        self._entered.leases.append(lease)
        return lease

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._entered.leases:
            raise RuntimeError(ELSEWHERE)
        self._entered.leases.pop().__exit__(kind, error, trace)


class _OfThread(threading.local):
    """What the blocks of one thread were entered with, innermost last."""

    def __init__(self) -> None:
        self.leases: list[Lease] = []


class AsyncTaking(Generic[A]):
    """`Taking` with an asyncio client, in one event loop. Tasks may share it."""

    _kind: type[A]

    def __init__(self, driver: AsyncDriver, plans: HoldingPlans) -> None:
        self._driver = driver
        self._plans = plans
        self._entered: dict[asyncio.Task[object] | None, list[A]] = {}

    @property
    def name(self) -> str:
        """Its name."""
        return self._plans.calls.name

    async def acquire(self, within: timedelta | None = None) -> A:
        """`Taking.acquire`. Whoever is cancelled meanwhile holds nothing."""
        seconds = self._plans.terms.wait
        if within is not None:
            seconds = seconds_of(type(self).__name__, "within", within)
        return self._given(await self._driver.run(self._plans.acquire(seconds)))

    async def try_acquire(self) -> A | None:
        """`Taking.try_acquire`."""
        holding = await self._driver.run(self._plans.try_acquire())
        return None if holding is None else self._given(holding)

    def _given(self, holding: Holding) -> A:
        return self._kind(self._driver, self._plans, holding)

    async def __aenter__(self) -> A:
        lease = await self.acquire()
        self._entered.setdefault(asyncio.current_task(), []).append(lease)
        return lease

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        task = asyncio.current_task()
        leases = self._entered.get(task)
        if not leases:
            raise RuntimeError(ELSEWHERE)
        lease = leases.pop()
        if not leases:
            del self._entered[task]
        await lease.__aexit__(kind, error, trace)
