"""The scripts of `leaderboard`: places, ties in the order of time, and nobody dropped unheard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pytest
import redis

from redislua.bindings import leaderboard
from redislua.errors import OutOfMemory
from redislua.runtime import Call, run
from tests.leaderboard.model import Order

SCORES, IDS = "leaderboard:{b}:scores:high", "leaderboard:{b}:ids:high"
Mode = Literal["best", "last", "worst"]
BOTH = pytest.mark.parametrize("order", ["high", "low"])


def submit(
    id: str,  # noqa: A002
    score: float,
    mode: Mode = "best",
    most: int = 100,
    *,
    ttl: int = 0,
    order: str = "high",
) -> Call[leaderboard.SubmitReply]:
    return leaderboard.submit(
        board="b", order=order, id=id, score=score, mode=mode, max_entries=most, ttl=ttl
    )


def add(
    id: str,  # noqa: A002
    amount: float,
    most: int = 100,
    order: str = "high",
) -> Call[leaderboard.AddReply]:
    return leaderboard.add(board="b", order=order, id=id, amount=amount, max_entries=most)


def page(first: int = 0, count: int = 100, order: str = "high") -> Call[leaderboard.PagePage]:
    return leaderboard.page(board="b", order=order, first=first, count=count)


def around(id: str, radius: int = 1, order: str = "high") -> Call[Any]:  # noqa: A002
    return leaderboard.around(board="b", order=order, id=id, radius=radius)


def rank(order: str = "high", **asked: Any) -> Call[leaderboard.RankReply]:
    return leaderboard.rank(board="b", order=order, **asked)


def remove(id: str, order: str = "high") -> Call[leaderboard.RemoveReply]:  # noqa: A002
    return leaderboard.remove(board="b", order=order, id=id)


def ids(reply: Any) -> list[str]:
    return [row.id for row in reply.rows]


# --- places ---------------------------------------------------------------------------------


@BOTH
def test_who_reached_a_score_first_leads(call: Any, order: Order) -> None:
    """P19: not who has the later name."""
    for name in ("zoe", "ann", "mia"):
        call(submit(name, 7, order=order))

    rows = call(page(order=order)).rows
    assert [(row.id, row.rank, row.tied_rank) for row in rows] == [
        ("zoe", 1, 1),
        ("ann", 2, 1),
        ("mia", 3, 1),
    ]
    assert [row.since for row in rows] == sorted(row.since for row in rows)


@BOTH
def test_the_best_score_counts_and_an_equal_one_changes_nothing(call: Any, order: Order) -> None:
    """P19: a worse score does not overwrite the best."""
    better, worse = (9, 3) if order == "high" else (3, 9)
    call(submit("ann", better, order=order))

    for score in (worse, better):
        reply = call(submit("ann", score, order=order))
        assert reply == leaderboard.SubmitUnchanged(1, 1, str(better))
    assert call(submit("ann", worse, "last", order=order)).score == str(worse)


def test_the_worst_and_the_last_score_can_count_instead(call: Any) -> None:
    call(submit("ann", 5))

    assert call(submit("ann", 6, "worst")) == leaderboard.SubmitUnchanged(1, 1, "5")
    assert call(submit("ann", 4, "worst")) == leaderboard.SubmitRanked(1, 1, "4", "5")
    assert call(submit("ann", 3, "last")) == leaderboard.SubmitRanked(1, 1, "3", "4")


def test_equal_scores_share_a_place_and_the_next_is_behind_all_of_them(call: Any) -> None:
    for name, score in (("a", 9), ("b", 7), ("c", 7), ("d", 7), ("e", 5)):
        call(submit(name, score))

    assert [row.tied_rank for row in call(page()).rows] == [1, 2, 2, 2, 5]
    assert [row.tied_rank for row in call(page(2, 3)).rows] == [2, 2, 5]
    assert call(rank(id="d")) == leaderboard.RankRanked(4, 2, "7", 5)
    assert call(rank(score=7)) == leaderboard.RankRanked(5, 2, "7", 5)
    assert call(rank(score=100)) == leaderboard.RankRanked(1, 1, "100", 5)


def test_pages_and_neighbours(call: Any) -> None:
    """P19: a count is a count, and there is a page that does not begin at the top."""
    for at in range(10):
        call(submit(f"p{at}", -at))

    assert ids(call(page(0, 3))) == ["p0", "p1", "p2"]
    assert ids(call(page(8, 5))) == ["p8", "p9"]
    assert ids(call(page(10, 5))) == []
    assert ids(call(around("p4", 2))) == ["p2", "p3", "p4", "p5", "p6"]
    assert ids(call(around("p0", 1))) == ["p0", "p1"]
    assert [row.rank for row in call(around("p9", 1)).rows] == [9, 10]
    assert call(around("nobody")) == leaderboard.AroundNotRanked()
    assert call(rank(id="nobody")) == leaderboard.RankNotRanked()


# --- the end of the board -------------------------------------------------------------------


def test_who_is_dropped_is_told_so(call: Any, client: Any) -> None:
    """P19."""
    for at in range(3):
        call(submit(f"p{at}", 10 + at, most=3))

    assert call(submit("late", 9, most=3)) == leaderboard.SubmitBelowCut("10")
    assert call(submit("new", 99, most=3)).rank == 1
    assert ids(call(page())) == ["new", "p2", "p1"]
    assert client.hlen(IDS) == 4  # the format and three players


def test_a_smaller_board_loses_fifty_with_each_call(call: Any) -> None:
    for at in range(100):
        call(submit(f"p{at}", at, most=1_000))

    call(submit("top", 999, most=10))
    assert call(page()).entries == 51
    call(submit("top", 1_000, most=10))
    assert call(page()).entries == 10


# --- scores ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "score",
    [0.1, -0.0, 2**53 - 1, 1 - 2**53, 1e-300, 123456789.123456789],
)
def test_a_score_comes_back_with_every_digit(call: Any, score: float) -> None:
    call(submit("ann", score))

    assert float(call(rank(id="ann")).score) == score
    assert float(call(page()).rows[0].score) == score


@pytest.mark.parametrize("score", ["nan", "inf", "-inf", "0x10", "", "1e400", "9007199254740992"])
def test_what_is_no_score_is_refused(
    client: redis.Redis, dataset: Callable[[], Any], score: str
) -> None:
    """P19: NaN is not silently ignored."""
    run(client, submit("ann", 1))
    before = dataset()

    source = submit("ann", 1).script.source.decode()
    with pytest.raises(redis.ResponseError, match="RLUA_BAD_ARGUMENT score"):
        client.eval(source, 2, SCORES, IDS, "ann", score, "best", "10", "0")
    source = add("ann", 1).script.source.decode()
    with pytest.raises(redis.ResponseError, match="RLUA_BAD_ARGUMENT amount"):
        client.eval(source, 2, SCORES, IDS, "ann", score, "10", "0")
    assert dataset() == before


def test_points_add_up_and_stay_exact(call: Any, dataset: Any) -> None:
    call(add("ann", 2**53 - 1))
    before = dataset()

    with pytest.raises(leaderboard.OutOfRangeError):
        call(add("ann", 2))
    assert dataset() == before
    assert call(add("ann", 2 - 2**53)).score == "1"


def test_a_board_lives_on_with_each_change_if_it_is_to_expire(call: Any, client: Any) -> None:
    call(submit("ann", 1, ttl=60_000))
    assert 0 < client.pttl(SCORES) <= 60_000
    assert 0 < client.pttl(IDS) <= 60_000
    call(submit("bob", 1))
    assert 0 < client.pttl(SCORES) <= 60_000


def test_a_full_server_takes_players_off_and_none_on(
    client: redis.Redis, make_full: Callable[[], None], dataset: Callable[[], Any]
) -> None:
    run(client, submit("ann", 1))
    make_full()
    before = dataset()

    for refused in (submit("bob", 2), add("bob", 2)):
        with pytest.raises(OutOfMemory):
            run(client, refused)
    assert dataset() == before
    assert ids(run(client, page())) == ["ann"]
    assert run(client, remove("ann")) == leaderboard.RemoveRemoved()
    assert run(client, remove("ann")) == leaderboard.RemoveNotRanked()
