"""The connections of one asyncio client: one that its calls share, or one for each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from redislua.runtime.call import Call
from redislua.runtime.connections import wire
from redislua.runtime.connections.lane import Lane
from redislua.runtime.connections.leased import Leased
from redislua.runtime.connections.line import LATE, Source
from redislua.runtime.connections.product import ANY, HELLO, product_of
from redislua.runtime.plan import evalsha
from redislua.runtime.settings import Settings
from redislua.runtime.steps import Address, Lost, NotSent, Outcome, Requires, Send

__all__ = ["AsyncPool", "outcome_of"]

CONNECT = 10.0
"""Seconds that opening a shared connection may take; each caller leaves at its own deadline."""


class AsyncPool(Leased):
    """The connections to one server of one asyncio client in one event loop.

    Calls share one connection, a `Lane`. Without hiredis, and where the client's calls are
    not to be coalesced, each has a connection to itself.
    """

    topology = None

    def __init__(
        self,
        source: Source,
        errors: ModuleType,
        settings: Settings,
        loop: asyncio.AbstractEventLoop,
        *,
        replica: bool = False,
    ) -> None:
        super().__init__(source, errors, settings, loop, replica=replica)
        self._lane: Lane | None = None
        self._opening: asyncio.Task[Lane] | None = None
        self._openers = 0

    def way(self, call: Call[Any]) -> tuple[None, bool]:
        """To the one server, as a primary."""
        del call
        return None, False

    def known_by(self, to: Address | None) -> set[str]:
        """Digests of the scripts that the server is believed to have."""
        del to
        return self.known

    def submit(
        self, call: Call[Any], until: float, *, read_only: bool = False
    ) -> asyncio.Future[Any] | None:
        """Send EVALSHA on the shared connection: the whole of nearly every call.

        Returns:
            A future of the reply, which fails with `NotSent` or `Lost`; None while there is
            no such connection, for `first` to make one.
        """
        lane = self._lane
        if lane is None or not lane.is_ready() or not self.settings.coalesce:
            return None
        return lane.submit(wire.evalsha(call, read_only=read_only), 1, until)

    async def first(self, call: Call[Any], until: float, *, read_only: bool = False) -> Any:
        """Connect if need be, send EVALSHA and return its reply.

        Raises:
            NotSent: No byte left.
            Lost: The bytes may have arrived.
        """
        if not self._shares():
            self._stop_sharing()
            command = evalsha(call, read_only=read_only)
            return (await self.leased_exchange([command], until, ANY))[0]
        lane = await self._shared(until)
        return await lane.submit(wire.evalsha(call, read_only=read_only), 1, until)

    async def exchange(self, send: Send, until: float) -> list[Any]:
        """Write commands and read one reply for each, an error reply as an exception value.

        Raises:
            NotSent: No byte left.
            Lost: The bytes may have arrived.
        """
        if send.within is not None:
            until = min(until, time.monotonic() + send.within)
        if not self._shares():
            self._stop_sharing()
            return await self.leased_exchange(send.commands, until, send.requires)
        lane = await self._shared(until)
        if send.requires:
            await self._identify_lane(lane, send.requires, until)
        replies = await lane.submit(wire.pack(send.commands), len(send.commands), until)
        return replies if len(send.commands) > 1 else [replies]

    async def exchange_all(self, sends: Sequence[Send], until: float) -> list[Outcome]:
        """Make several exchanges side by side."""
        return list(await asyncio.gather(*(outcome_of(self, send, until) for send in sends)))

    def renew(self, to: Address | None = None) -> None:
        """Give up the connections that no call is on: what follows looks the server up again."""
        del to
        self._drop_idle()
        if self._lane is not None:
            self._lane.retire()

    def close(self) -> None:
        """Close the connections, each when what is on it has ended. In the loop only."""
        super().close()
        if self._lane is not None:
            self._lane.retire()

    def _stop_sharing(self) -> None:
        if self._lane is not None:
            self._lane.retire()

    def _shares(self) -> bool:
        return wire.IS_FAST and self.settings.coalesce

    async def _shared(self, until: float) -> Lane:
        """Return the shared connection, opened by one task for all who wait for it."""
        lane = self._lane
        if lane is not None:
            if lane.is_fresh() and await self._answers(lane, until):
                return lane
            lane.retire()
        if time.monotonic() >= until:
            raise NotSent(TimeoutError(LATE))
        if self._opening is None:
            self._opening = self._loop.create_task(self._open())
            self._opening.add_done_callback(self._opened)
        opening = self._opening
        self._openers += 1
        try:
            await asyncio.wait((opening,), timeout=until - time.monotonic())
        finally:
            self._openers -= 1
            if not opening.done() and not self._openers:
                opening.cancel()
        if not opening.done() or opening.cancelled():
            raise NotSent(TimeoutError(LATE))
        failure = opening.exception()
        if isinstance(failure, NotSent):  # an exception of one's own: tracebacks are written to
            raise NotSent(failure.cause) from failure.cause
        return opening.result()

    async def _open(self) -> Lane:
        self._drop_idle()  # of a time when calls did not share one
        connection = await self._connection(time.monotonic() + CONNECT)
        return Lane(connection, self._errors, self._loop, self._retired)

    def _opened(self, opening: asyncio.Task[Lane]) -> None:
        self._opening = None
        if not opening.cancelled() and opening.exception() is None:
            self._lane = opening.result()
            if self._ended:
                self._lane.retire()

    def _retired(self, lane: Lane) -> None:
        self._gone()
        if self._lane is lane:
            self._lane = None

    async def _answers(self, lane: Lane, until: float) -> bool:
        """Whether a connection that was idle answers a PING, where the client asks for that."""
        if not lane.is_due():
            return True
        try:
            check = lane.check(until)
        except NotSent:
            return False
        await asyncio.wait((check,), timeout=until - time.monotonic())
        return check.done() and not check.cancelled() and check.exception() is None

    async def _identify_lane(self, lane: Lane, requires: Requires, until: float) -> None:
        if lane.product is None:
            try:
                lane.product = product_of(await lane.submit(wire.pack([HELLO]), 1, until))
            except Lost as error:  # of HELLO; of the call nothing was sent
                raise NotSent(error.cause) from error
        refused = self._refused(lane.product, requires)
        if refused is not None:
            raise refused


async def outcome_of(pool: AsyncPool, send: Send, until: float) -> Outcome:
    """Make an exchange; its failure is a value."""
    try:
        return await pool.exchange(send, until)
    except (NotSent, Lost) as failure:
        return failure
