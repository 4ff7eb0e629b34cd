"""What `Leaderboard` and `AsyncLeaderboard` do, as plans."""

from __future__ import annotations

import heapq
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any, Literal, TypeAlias

from redislua.bindings import leaderboard as scripts
from redislua.errors import (
    CallError,
    InvalidArgumentType,
    InvalidArgumentValue,
    OutcomeUnknown,
)
from redislua.patterns._plan import Plan, ask, ask_many
from redislua.patterns._spans import milliseconds
from redislua.runtime import Call, encode

__all__ = ["BelowCut", "LeaderboardPlans", "Mode", "Order", "Place", "Standing"]

Order: TypeAlias = Literal["high", "low"]
"""Which score leads."""

Mode: TypeAlias = Literal["best", "last", "worst"]
"""Which of a player's scores counts."""

MOST_SHARDS = 256
MOST_ROWS = 100
"""Rows of one call, as its script gives them."""

MOST_AT_ONCE = 1_000
"""Places of one page, and of a sharded board the last: every shard gives so many."""


@dataclass(frozen=True, slots=True)
class Place:
    """A player on a board.

    Attributes:
        id: The player.
        score: The score.
        rank: The place, from 1; of equal scores the one that was reached first leads.
        tied_rank: The place that equal scores share.
        since: When the score was reached, in microseconds since 1970 by the server's clock.
    """

    id: str
    score: float
    rank: int
    tied_rank: int
    since: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How a player stands.

    Attributes:
        score: The score that counts.
        rank: The place, from 1. On a sharded board players of other shards with an equal
            score are taken to be behind.
        tied_rank: The place that equal scores share.
        changed: Whether what was entered counts.
    """

    score: float
    rank: int
    tied_rank: int
    changed: bool


@dataclass(frozen=True, slots=True)
class BelowCut:
    """A player is not among those that the board keeps.

    Attributes:
        cut: The last score on the board.
    """

    cut: float


class LeaderboardPlans:
    """The plans of one board, or of its shards."""

    def __init__(
        self,
        name: str,
        *,
        order: Order,
        max_entries: int,
        ttl: timedelta | None,
        shards: int,
        namespace: str,
    ) -> None:
        encode.namespace_prefix("Leaderboard", namespace)
        if order not in ("high", "low"):
            raise InvalidArgumentValue("Leaderboard", "order", order, "high or low")
        if not isinstance(shards, int) or not 1 <= shards <= MOST_SHARDS:
            raise InvalidArgumentValue("Leaderboard", "shards", shards, f"1 to {MOST_SHARDS}")
        most = timedelta(days=366)
        self._ttl = 0 if ttl is None else milliseconds("Leaderboard", "ttl", ttl, most=most)
        self._order: Order = order
        self._most = max_entries
        self._namespace = namespace
        self._boards = [name] if shards == 1 else [f"{name}:{shard}" for shard in range(shards)]
        self._submit("a", 0.0, "best")  # whatever is wrong with the terms is said now

    def _board(self, id: str) -> str:  # noqa: A002
        """The shard of a player: the same in every process and every version of Python."""
        return self._boards[zlib.crc32(id.encode()) % len(self._boards)]

    def _submit(self, id: str, score: float, mode: Mode) -> Call[scripts.SubmitReply]:  # noqa: A002
        return scripts.submit(
            board=self._board(id),
            order=self._order,
            id=id,
            score=score,
            mode=mode,
            max_entries=self._most,
            ttl=self._ttl,
            namespace=self._namespace,
        )

    # --- entering ------------------------------------------------------------------------------

    def submit(self, id: str, score: float, mode: Mode) -> Plan[Standing | BelowCut]:  # noqa: A002
        """Enter a score."""
        reply = yield from ask(self._submit(id, score, mode))
        if isinstance(reply, scripts.SubmitBelowCut):
            return BelowCut(float(reply.cut))
        changed = isinstance(reply, scripts.SubmitRanked)
        return (yield from self._standing(id, reply, changed=changed))

    def add(self, id: str, amount: float) -> Plan[Standing | BelowCut]:  # noqa: A002
        """Add to a score."""
        call = scripts.add(
            board=self._board(id),
            order=self._order,
            id=id,
            amount=amount,
            max_entries=self._most,
            ttl=self._ttl,
            namespace=self._namespace,
        )
        reply = yield from ask(call)
        if isinstance(reply, scripts.AddBelowCut):
            return BelowCut(float(reply.cut))
        try:
            return (yield from self._standing(id, reply, changed=True))
        except CallError as error:
            # As it is it could say that nothing was executed, and be tried again.
            reason = "it was added; the other shards did not say what place that gives"
            raise OutcomeUnknown(reason, script=str(call.script), keys=call.keys) from error

    def remove(self, id: str) -> Plan[bool]:  # noqa: A002
        """Take a player off: whether it was on."""
        call = scripts.remove(
            board=self._board(id), order=self._order, id=id, namespace=self._namespace
        )
        reply = yield from ask(call)
        return isinstance(reply, scripts.RemoveRemoved)

    # --- places --------------------------------------------------------------------------------

    def rank(self, id: str) -> Plan[Standing | None]:  # noqa: A002
        """How a player stands."""
        call = scripts.rank(
            board=self._board(id), order=self._order, id=id, namespace=self._namespace
        )
        reply = yield from ask(call)
        if isinstance(reply, scripts.RankNotRanked):
            return None
        return (yield from self._standing(id, reply, changed=False))

    def _standing(
        self,
        id: str,  # noqa: A002
        reply: Any,
        *,
        changed: bool,
    ) -> Plan[Standing]:
        """What one shard says, and how many of the others are ahead."""
        score, ahead = float(reply.score), 0
        others = [board for board in self._boards if board != self._board(id)]
        if others:
            calls = [
                scripts.rank(board=board, order=self._order, score=score, namespace=self._namespace)
                for board in others
            ]
            found = yield from ask_many(*calls)
            ahead = sum(_reply(one).tied_rank - 1 for one in found)
        return Standing(score, reply.rank + ahead, reply.tied_rank + ahead, changed)

    def page(self, first: int, count: int) -> Plan[list[Place]]:
        """Some places."""
        if first < 0:
            raise InvalidArgumentValue("Leaderboard.page", "first", first, "at least 0")
        if not 1 <= count <= MOST_AT_ONCE:
            raise InvalidArgumentValue("Leaderboard.page", "count", count, f"1 to {MOST_AT_ONCE}")
        if len(self._boards) == 1:
            return (yield from self._merged(first, count))
        if first + count > MOST_AT_ONCE:
            expected = f"of a sharded board first + count up to {MOST_AT_ONCE}"
            raise InvalidArgumentValue("Leaderboard.page", "count", count, expected)
        rows = yield from self._merged(0, first + count)
        return rows[first:]

    def _merged(self, first: int, count: int) -> Plan[list[Place]]:
        """The places of all shards as one board."""
        calls = [
            scripts.page(
                board=board,
                order=self._order,
                first=begin,
                count=min(first + count - begin, MOST_ROWS),
                namespace=self._namespace,
            )
            for board in self._boards
            for begin in range(first, first + count, MOST_ROWS)
        ]
        found = yield from ask_many(*calls)
        rows = [[_place(row) for row in _reply(one).rows] for one in found]
        if len(self._boards) == 1:
            return [row for page in rows for row in page]
        return self._ranked(
            heapq.nsmallest(count, (row for page in rows for row in page), self._key)
        )

    def _key(self, row: Place) -> tuple[float, int, str]:
        return (-row.score if self._order == "high" else row.score, row.since, row.id)

    def _ranked(self, rows: Iterable[Place]) -> list[Place]:
        """Rows of several shards, the leader first, with places of their own."""
        found: list[Place] = []
        for _, tied in groupby(rows, key=lambda row: row.score):
            tied_rank = len(found) + 1
            for row in tied:
                found.append(Place(row.id, row.score, len(found) + 1, tied_rank, row.since))
        return found

    def around(self, id: str, radius: int) -> Plan[list[Place]]:  # noqa: A002
        """A player and its neighbours; empty for one that is not on the board."""
        if len(self._boards) > 1:
            expected = "a board that is not sharded"
            raise InvalidArgumentType("Leaderboard.around", "shards", len(self._boards), expected)
        call = scripts.around(
            board=self._boards[0],
            order=self._order,
            id=id,
            radius=radius,
            namespace=self._namespace,
        )
        reply = yield from ask(call)
        if isinstance(reply, scripts.AroundNotRanked):
            return []
        return [_place(row) for row in reply.rows]

    def size(self) -> Plan[int]:
        """How many players the board has."""
        calls = [
            scripts.page(board=board, order=self._order, count=1, namespace=self._namespace)
            for board in self._boards
        ]
        found = yield from ask_many(*calls)
        return sum(_reply(one).entries for one in found)


def _place(row: Any) -> Place:
    return Place(row.id, float(row.score), row.rank, row.tied_rank, row.since)


def _reply(found: Any) -> Any:
    """One of several replies, or what it failed with."""
    if isinstance(found, BaseException):
        raise found
    return found
