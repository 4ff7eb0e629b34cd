"""How many different visitors: one small key for each page, however many there were.

::

    visitors = UniqueVisitors(client, "shop", ttl=timedelta(days=40))

    visitors.record(f"home:{date}", [user])
    visitors.count([f"home:{date}"])                      # an estimate, within some 2 %
    visitors.count([f"home:{day}" for day in last_week])  # who came on two days counts once
    visitors.rollup("home:2026-11", days, ttl=timedelta(days=366))

A page's name may hold the day, or whatever else is to be counted apart; pages of one site are
counted together without a temporary key. Counts are estimates of HyperLogLog: the standard error
is 0.81 %, so 19 times in 20 they are within 1.6 %. Who came is not stored, and cannot be read
back. A page takes 14 KB at most.

More than 16 pages at once take several calls, for the server's sake: they are folded 16 at a time
into keys that live for a minute, and these are counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from redislua.patterns._aio import AsyncDriver
from redislua.patterns._blocking import Driver
from redislua.patterns._unique_visitors import VisitorPlans
from redislua.runtime import DEFAULT_DEADLINE, AsyncClient, BlockingClient

__all__ = ["AsyncUniqueVisitors", "UniqueVisitors"]

FORTY_DAYS = timedelta(days=40)


class UniqueVisitors:
    """The visitors of one site, with a blocking client. Threads may share it.

    >>> visitors = UniqueVisitors(client, "shop")
    >>> visitors.record("home:mon", ["ann", "bob"]), visitors.record("home:tue", ["bob"])
    (True, True)
    >>> visitors.count(["home:mon", "home:tue"])
    2
    >>> visitors.rollup("home:week", ["home:mon", "home:tue"], ttl=timedelta(days=366))
    2
    """

    def __init__(
        self,
        client: BlockingClient,
        site: str,
        *,
        ttl: timedelta = FORTY_DAYS,
        namespace: str = "",
        deadline: timedelta | float = DEFAULT_DEADLINE,
    ) -> None:
        """Send nothing yet.

        Args:
            client: A blocking client of redis-py or valkey-py.
            site: What pages are counted together, without braces: they lie in one slot.
            ttl: How long a page is kept after its first visitor.
            namespace: Put before every key, with a colon.
            deadline: How long each call may take, a timedelta or seconds.
        """
        self._plans = VisitorPlans(site, ttl, namespace)
        self._driver = Driver(client, deadline=deadline)

    def record(self, page: str, ids: Iterable[str]) -> bool:
        """Note that visitors were seen, each up to 64 bytes; whether the count may have grown."""
        return self._driver.run(self._plans.record(page, ids))

    def count(self, pages: Sequence[str]) -> int:
        """Count the different visitors of up to 256 pages together, as an estimate."""
        return self._driver.run(self._plans.count(pages))

    def rollup(self, into: str, pages: Sequence[str], *, ttl: timedelta) -> int:
        """Fold up to 256 pages into one, and count it.

        Args:
            into: The page that then has seen whoever one of the others has, and nobody else.
            pages: The others, which stay.
            ttl: How long it is kept from now on.
        """
        return self._driver.run(self._plans.rollup(into, pages, ttl))


class AsyncUniqueVisitors:
    """`UniqueVisitors` with an asyncio client, in one event loop."""

    def __init__(
        self,
        client: AsyncClient,
        site: str,
        *,
        ttl: timedelta = FORTY_DAYS,
        namespace: str = "",
        deadline: timedelta | float = DEFAULT_DEADLINE,
    ) -> None:
        """Send nothing yet: see `UniqueVisitors`."""
        self._plans = VisitorPlans(site, ttl, namespace)
        self._driver = AsyncDriver(client, deadline=deadline)

    async def record(self, page: str, ids: Iterable[str]) -> bool:
        """`UniqueVisitors.record`."""
        return await self._driver.run(self._plans.record(page, ids))

    async def count(self, pages: Sequence[str]) -> int:
        """`UniqueVisitors.count`."""
        return await self._driver.run(self._plans.count(pages))

    async def rollup(self, into: str, pages: Sequence[str], *, ttl: timedelta) -> int:
        """`UniqueVisitors.rollup`."""
        return await self._driver.run(self._plans.rollup(into, pages, ttl))
