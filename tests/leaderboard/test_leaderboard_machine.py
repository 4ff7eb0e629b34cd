"""A board against its model, in any order that hypothesis can think of."""

from __future__ import annotations

from typing import Any

import redis
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from redislua.bindings import leaderboard
from tests.cache.clock import Clocked
from tests.leaderboard.model import Board, Order, Place
from tests.leaderboard.test_leaderboard_family import add, around, page, rank, remove, submit

names = st.sampled_from(["a", "b", "cé", "d%d\x00", "e:1"])
scores = st.sampled_from([-1.5, 0.0, 1.0, 1e15 + 0.5, 3.0])
most = st.sampled_from([2, 4, 100])


def place(row: Any) -> Place:
    return Place(row.id, float(row.score), row.rank, row.tied_rank, row.since)


class Machine(RuleBasedStateMachine):
    """One board, under a clock that also stands still and goes back."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__()
        client.flushall()
        self.clocked = Clocked(client)
        self.board = Board("high")

    @initialize(order=st.sampled_from(["high", "low"]))
    def begin(self, order: Order) -> None:
        self.board = Board(order)

    def same(self, reply: Any, expected: Place | float) -> None:
        if isinstance(expected, Place):
            found = (float(reply.score), reply.rank, reply.tied_rank)
            assert found == (expected.score, expected.rank, expected.tied_rank)
        else:
            assert float(reply.cut) == expected

    @rule(id=names, score=scores, mode=st.sampled_from(["best", "last", "worst"]), most=most)
    def submit(self, id: str, score: float, mode: Any, most: int) -> None:  # noqa: A002
        old = self.board.place(id)
        counts = self.board.counts(id, score, mode)
        reply = self.clocked.run(submit(id, score, mode, most, order=self.board.order))
        if counts:
            self.same(reply, self.board.enter(id, score, self.clocked.now_us, most))
            if isinstance(reply, leaderboard.SubmitRanked):
                assert reply.previous == (None if old is None else f"{old.score:.17g}")
        else:
            assert isinstance(reply, leaderboard.SubmitUnchanged)
            assert old is not None
            self.same(reply, old)

    @rule(id=names, amount=st.sampled_from([-1.0, 0.5, 2.0]), most=most)
    def add(self, id: str, amount: float, most: int) -> None:  # noqa: A002
        score = self.board.players.get(id, (0.0, 0))[0] + amount
        expected = self.board.enter(id, score, self.clocked.now_us, most)
        self.same(self.clocked.run(add(id, amount, most, self.board.order)), expected)

    @rule(id=names)
    def remove(self, id: str) -> None:  # noqa: A002
        was_there = self.board.players.pop(id, None) is not None
        reply = self.clocked.run(remove(id, self.board.order))
        assert isinstance(reply, leaderboard.RemoveRemoved) == was_there

    @rule(id=names, radius=st.integers(0, 2))
    def around(self, id: str, radius: int) -> None:  # noqa: A002
        reply = self.clocked.run(around(id, radius, self.board.order))
        own = self.board.place(id)
        if own is None:
            assert reply == leaderboard.AroundNotRanked()
        else:
            rows = self.board.rows()[max(own.rank - 1 - radius, 0) : own.rank + radius]
            assert [place(row) for row in reply.rows] == rows

    @rule(id=names, score=scores)
    def rank(self, id: str, score: float) -> None:  # noqa: A002
        order, own = self.board.order, self.board.place(id)
        reply = self.clocked.run(rank(order, id=id))
        if own is None:
            assert reply == leaderboard.RankNotRanked()
        else:
            self.same(reply, own)
        rows = self.board.rows()
        better = sum(row.score > score if order == "high" else row.score < score for row in rows)
        equal = sum(row.score == score for row in rows)
        reply = self.clocked.run(rank(order, score=score))
        assert isinstance(reply, leaderboard.RankRanked)
        assert (reply.rank, reply.tied_rank) == (better + equal + 1, better + 1)

    @rule(us=st.sampled_from([1, 1_000, -500, -(10**9), 10**9]))
    def the_clock_moves(self, us: int) -> None:
        self.clocked.now_us += us

    @invariant()
    def the_whole_board_is_the_models(self) -> None:
        reply = self.clocked.run(page(order=self.board.order))
        assert [place(row) for row in reply.rows] == self.board.rows()
        assert reply.entries == len(self.board.players)


def test_the_family_behaves_as_its_model(client: redis.Redis) -> None:
    run_state_machine_as_test(
        lambda: Machine(client),  # type: ignore[arg-type]  # a factory will do, its page says
        settings=settings(max_examples=60, stateful_step_count=25, deadline=None),
    )
