"""Rankings: places, neighbours, ties in the order of time.

::

    board = Leaderboard(client, "week:47", ttl=timedelta(days=14))

    board.submit("ann", 1250)      # her best score counts: Standing, or BelowCut
    board.top(10)                  # Places, the leader first
    board.around("ann", 3)
    board.rank("ann")

* Of equal scores the one that was reached first leads, to the microsecond. Every place also has
  a ``tied_rank``, which equal scores share.
* Scores are doubles: integers below 2^53 are exact. Nothing of them is used for the time.
* The board keeps its best ``max_entries``; who is dropped, or does not get on, is told the score
  that would have been enough.
* A board that is too busy for one server can be spread over ``shards``: players are divided by
  their ids, `Leaderboard.top` and `Leaderboard.page` merge up to 1 000 places exactly,
  `Leaderboard.rank` asks every shard, and there is no `Leaderboard.around`. ``max_entries`` is
  then that of each shard.
* A page of more than 100 places is made of several calls, and so is every page of a sharded
  board: who moves in that moment may be on it twice, or not at all.

Keep boards on a server that does not evict.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TypedDict, Unpack

from redislua.patterns._aio import AsyncDriver
from redislua.patterns._blocking import Driver
from redislua.patterns._leaderboard import (
    BelowCut,
    LeaderboardPlans,
    Mode,
    Order,
    Place,
    Standing,
)
from redislua.runtime import DEFAULT_DEADLINE, AsyncClient, BlockingClient

__all__ = [
    "AsyncLeaderboard",
    "BelowCut",
    "Leaderboard",
    "Mode",
    "Options",
    "Order",
    "Place",
    "Standing",
]


class Options(TypedDict, total=False):
    """Keywords of `Leaderboard` and `AsyncLeaderboard`.

    Attributes:
        order: ``high`` where the highest score leads, or ``low``; ``high``. Boards of one name
            and different order are different boards.
        max_entries: How many players it keeps, up to 1 000 000; 100 000.
        ttl: How long it lives on after the last change; None, which is for ever.
        shards: Over how many boards it is spread, up to 256; 1. Do not change it while there
            are players.
        namespace: Put before every key, with a colon.
        deadline: How long each call may take, a timedelta or seconds; 2 s.
    """

    order: Order
    max_entries: int
    ttl: timedelta | None
    shards: int
    namespace: str
    deadline: timedelta | float


def _plans(name: str, options: Options) -> LeaderboardPlans:
    return LeaderboardPlans(
        name,
        order=options.get("order", "high"),
        max_entries=options.get("max_entries", 100_000),
        ttl=options.get("ttl"),
        shards=options.get("shards", 1),
        namespace=options.get("namespace", ""),
    )


class Leaderboard:
    """A board, with a blocking client. Threads may share it.

    >>> board = Leaderboard(client, "week:47", max_entries=3)
    >>> for player, score in [("ann", 10), ("bob", 12), ("cid", 10)]:
    ...     standing = board.submit(player, score)
    >>> [(place.id, place.rank, place.tied_rank) for place in board.top(3)]
    [('bob', 1, 1), ('ann', 2, 2), ('cid', 3, 2)]
    >>> board.submit("dan", 7)
    BelowCut(cut=10.0)
    >>> board.submit("ann", 9).changed, board.rank("ann").score
    (False, 10.0)
    >>> [place.id for place in board.around("ann", 1)]
    ['bob', 'ann', 'cid']
    """

    def __init__(self, client: BlockingClient, name: str, **options: Unpack[Options]) -> None:
        """Send nothing yet.

        Args:
            client: A blocking client of redis-py or valkey-py.
            name: The board, without braces.
            options: See `Options`.
        """
        self._plans = _plans(name, options)
        self._driver = Driver(client, deadline=options.get("deadline", DEFAULT_DEADLINE))

    def submit(self, id: str, score: float, mode: Mode = "best") -> Standing | BelowCut:  # noqa: A002
        """Enter a score; how the player stands now.

        Args:
            id: The player.
            score: A number between -2^53 and 2^53.
            mode: Whether the best score counts, the last, or the worst.
        """
        return self._driver.run(self._plans.submit(id, score, mode))

    def add(self, id: str, amount: float) -> Standing | BelowCut:  # noqa: A002
        """Add to a player's score, which begins at 0; how the player stands now.

        Raises:
            OutOfRangeError: It would leave the range of scores (`redislua.bindings`).
            OutcomeUnknown: It may have been added, or it was and the other shards of the board
                did not answer; it is never sent again by itself.
        """
        return self._driver.run(self._plans.add(id, amount))

    def remove(self, id: str) -> bool:  # noqa: A002
        """Take a player off; whether it was on."""
        return self._driver.run(self._plans.remove(id))

    def top(self, count: int = 10) -> list[Place]:
        """The first places, at most 1 000."""
        return self._driver.run(self._plans.page(0, count))

    def page(self, first: int, count: int = 10) -> list[Place]:
        """Some places, at most 1 000, from ``first`` on, which counts from 0."""
        return self._driver.run(self._plans.page(first, count))

    def around(self, id: str, radius: int = 5) -> list[Place]:  # noqa: A002
        """A player with up to ``radius`` on either side, at most 50; empty if not ranked."""
        return self._driver.run(self._plans.around(id, radius))

    def rank(self, id: str) -> Standing | None:  # noqa: A002
        """How a player stands; None if not ranked."""
        return self._driver.run(self._plans.rank(id))

    def size(self) -> int:
        """How many players the board has."""
        return self._driver.run(self._plans.size())


class AsyncLeaderboard:
    """`Leaderboard` with an asyncio client, in one event loop."""

    def __init__(self, client: AsyncClient, name: str, **options: Unpack[Options]) -> None:
        """Send nothing yet.

        Args:
            client: An asyncio client of redis-py or valkey-py.
            name: The board, without braces.
            options: See `Options`.
        """
        self._plans = _plans(name, options)
        self._driver = AsyncDriver(client, deadline=options.get("deadline", DEFAULT_DEADLINE))

    async def submit(
        self,
        id: str,  # noqa: A002
        score: float,
        mode: Mode = "best",
    ) -> Standing | BelowCut:
        """`Leaderboard.submit`."""
        return await self._driver.run(self._plans.submit(id, score, mode))

    async def add(self, id: str, amount: float) -> Standing | BelowCut:  # noqa: A002
        """`Leaderboard.add`."""
        return await self._driver.run(self._plans.add(id, amount))

    async def remove(self, id: str) -> bool:  # noqa: A002
        """`Leaderboard.remove`."""
        return await self._driver.run(self._plans.remove(id))

    async def top(self, count: int = 10) -> list[Place]:
        """`Leaderboard.top`."""
        return await self._driver.run(self._plans.page(0, count))

    async def page(self, first: int, count: int = 10) -> list[Place]:
        """`Leaderboard.page`."""
        return await self._driver.run(self._plans.page(first, count))

    async def around(self, id: str, radius: int = 5) -> list[Place]:  # noqa: A002
        """`Leaderboard.around`."""
        return await self._driver.run(self._plans.around(id, radius))

    async def rank(self, id: str) -> Standing | None:  # noqa: A002
        """`Leaderboard.rank`."""
        return await self._driver.run(self._plans.rank(id))

    async def size(self) -> int:
        """`Leaderboard.size`."""
        return await self._driver.run(self._plans.size())
