"""The forms of a call: alone, in a batch or in a transaction, blocking or asyncio."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal, NamedTuple, TypeAlias

from redislua.errors import CallError
from redislua.runtime import Call, aio, batch, blocking, configure
from redislua.runtime.plan import ends, single
from redislua.runtime.pools import async_pools, pools
from redislua.runtime.route import route_of
from tests.faults.grounds import Ground
from tests.faults.samples import beside
from tests.runtime.callers import Caller
from tests.runtime.proxy import Proxy

Shape: TypeAlias = Literal["single", "leased", "batch", "atomic"]

PATIENT = 30.0
"""Seconds: a deadline that is there to end a test that would hang."""


class Kind(NamedTuple):
    """What a form is, before it is opened.

    Attributes:
        is_async: Whether it is asyncio's.
        shape: ``leased`` is single without coalescing, which asyncio reads in another way.
    """

    is_async: bool
    shape: Shape

    def __str__(self) -> str:
        return f"{'asyncio' if self.is_async else 'blocking'}-{self.shape}"


_SHAPES: tuple[Shape, ...] = ("single", "batch", "atomic")

KINDS = (*(Kind(*one) for one in product((False, True), _SHAPES)), Kind(True, "leased"))


@dataclass(frozen=True)
class Ended:
    """How a call ended.

    Attributes:
        own: Its reply, or the `CallError` that it ended in.
        beside: The same of the calls before and after it; nothing where it was alone.
    """

    own: Any
    beside: tuple[Any, ...]


class Form:
    """One form of calling, and the clients that it opened.

    Attributes:
        kind: Which.
        caller: Opens its clients.
    """

    def __init__(self, kind: Kind, caller: Caller) -> None:
        self.kind = kind
        self.caller = caller

    @property
    def is_atomic(self) -> bool:
        """Whether the calls are one transaction."""
        return self.kind.shape == "atomic"

    @property
    def is_alone(self) -> bool:
        """Whether the call travels by itself."""
        return self.kind.shape in ("single", "leased")

    @property
    def neighbours(self) -> int:
        """How many calls travel with the one in question."""
        return 0 if self.is_alone else 2

    def beside(self, *ended: Any) -> tuple[Any, ...]:
        """What `Ended.beside` is when the neighbours end so."""
        return () if self.is_alone else ended

    def open(self, ground: Ground, *, through: Proxy | None = None, **options: Any) -> Any:
        """A client with the library's own defaults, its ten retries included."""
        return self.take(ground.open(self.kind.is_async, through=through, **options))

    def take(self, client: Any) -> Any:
        """Use a client that the test made, and close it at the end."""
        if self.kind.shape == "leased":
            configure(client, coalesce=False)
        return self.caller.keep(client)

    def run(
        self, client: Any, call: Call[Any], *, deadline: float = PATIENT, **options: Any
    ) -> Any:
        """Return the call's own reply, or raise what it ended in.

        Where it does not fail, neither do the calls that travel with it.
        """
        ended = self.end(client, call, deadline=deadline, **options)
        for one in (ended.own, *ended.beside):
            if isinstance(one, Exception):
                raise one
        return ended.own

    def end(
        self, client: Any, call: Call[Any], *, among: Call[Any] | None = None, **options: Any
    ) -> Ended:
        """Run the call and return how it ended, it and those that travel with it."""
        among = among or beside()
        try:
            if self.is_alone:
                return Ended(self.caller.run(client, call, **options), ())
            first, own, last = self.caller.run_many(
                client, among, call, among, atomic=self.is_atomic, return_exceptions=True, **options
            )
        except CallError as error:
            # Of a batch each call has its own: only a transaction is refused as a whole.
            assert self.is_alone or self.is_atomic
            return Ended(error, self.beside(error, error))
        return Ended(own, (first, last))

    def once(self, client: Any, call: Call[Any], *, among: Call[Any] | None = None) -> Ended:
        """The same, but what waiting could end is not waited for: the first refusal is told.

        The replies may take their time nevertheless, so a loaded machine changes nothing.
        """
        if self.kind.is_async:
            return self.caller.wait(self._once(client, call, among or beside()))
        plan, until = self._plan(pools.of(client), call, among or beside()), ends("once", PATIENT)
        try:
            return self._ended(blocking.drive(pools.of(client), plan, until))
        except CallError as error:
            return Ended(error, self.beside(error, error))

    async def _once(self, client: Any, call: Call[Any], among: Call[Any]) -> Ended:
        pool = async_pools.of(client)
        try:
            done = await aio.drive(pool, self._plan(pool, call, among), ends("once", PATIENT))
        except CallError as error:
            return Ended(error, self.beside(error, error))
        return self._ended(done)

    def _plan(self, pool: Any, call: Call[Any], among: Call[Any]) -> Any:
        if self.is_alone:
            route = route_of(pool.topology, [call])
            return single(call, route=route, until=0.0)
        return batch.plan((among, call, among), pool, atomic=self.is_atomic, until=0.0)

    def _ended(self, done: Any) -> Ended:
        return Ended(done, ()) if self.is_alone else Ended(done[1], (done[0], done[2]))


@contextlib.contextmanager
def opened(kind: Kind, runner: asyncio.Runner) -> Iterator[Form]:
    """A form; its clients are closed at the end."""
    caller = Caller(is_async=kind.is_async, runner=runner)
    try:
        yield Form(kind, caller)
    finally:
        caller.close()
