"""`Leaderboard` and `AsyncLeaderboard`, on one board and on shards."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from redislua.errors import InvalidArgument, OutcomeUnknown, WrongType
from redislua.patterns.leaderboard import AsyncLeaderboard, BelowCut, Leaderboard, Standing
from tests.patterns.stage import Stage

BOTH = pytest.mark.parametrize("shards", [1, 4])


@pytest.fixture
def make(stage: Stage, client: Any) -> Callable[..., Any]:
    """``make(shards=…)`` is a board of the surface's kind on an empty server."""
    return lambda **options: stage.make(Leaderboard, AsyncLeaderboard, "week", **options)


def fill(stage: Stage, board: Any, scores: dict[str, float]) -> None:
    for player, score in scores.items():
        stage.call(partial(board.submit, player, score))


@BOTH
@pytest.mark.parametrize("order", ["high", "low"])
def test_the_top_is_the_top_of_all(stage: Stage, make: Any, shards: int, order: str) -> None:
    """Ties in the order of time, over shards as well."""
    board, chance = make(shards=shards, order=order), random.Random(7)
    scores = {f"p{at}": float(chance.randint(0, 9)) for at in range(60)}
    fill(stage, board, scores)

    found = stage.call(lambda: board.top(50))

    sign = -1 if order == "high" else 1
    expected = sorted(scores, key=lambda one: sign * scores[one])[:50]  # sorting is stable
    assert [place.id for place in found] == expected
    assert [place.rank for place in found] == list(range(1, 51))
    ranked = [scores[one] for one in expected]
    assert [place.tied_rank for place in found] == [ranked.index(one) + 1 for one in ranked]
    assert [place.id for place in stage.call(lambda: board.page(45, 5))] == expected[45:]
    assert stage.call(board.size) == 60


@BOTH
def test_a_player_learns_how_it_stands(stage: Stage, make: Any, shards: int) -> None:
    board = make(shards=shards)
    fill(stage, board, {f"p{at}": at for at in range(20)})

    assert stage.call(lambda: board.rank("p19")) == Standing(19.0, 1, 1, changed=False)
    assert stage.call(lambda: board.rank("p0")) == Standing(0.0, 20, 20, changed=False)
    assert stage.call(lambda: board.rank("nobody")) is None
    assert stage.call(lambda: board.submit("p5", 4)) == Standing(5.0, 15, 15, changed=False)
    assert stage.call(lambda: board.submit("p5", 4, "last")).changed
    assert stage.call(lambda: board.add("p0", 30)) == Standing(30.0, 1, 1, changed=True)
    assert stage.call(lambda: board.remove("p0")) is True
    assert stage.call(lambda: board.remove("p0")) is False


def test_who_does_not_get_on_is_told_the_cut(stage: Stage, make: Any) -> None:
    board = make(max_entries=2)
    fill(stage, board, {"a": 5, "b": 7})

    assert stage.call(lambda: board.submit("c", 3)) == BelowCut(5.0)
    assert stage.call(lambda: board.add("d", 1)) == BelowCut(5.0)


def test_neighbours_and_long_pages(stage: Stage, make: Any) -> None:
    board = make()
    fill(stage, board, {f"p{at:03}": -at for at in range(230)})

    assert [one.id for one in stage.call(lambda: board.around("p100", 2))] == [
        f"p{at:03}" for at in range(98, 103)
    ]
    assert stage.call(lambda: board.around("nobody")) == []
    found = stage.call(lambda: board.page(5, 220))
    assert [one.rank for one in found] == list(range(6, 226))


def test_players_who_come_at_once_are_all_there(stage: Stage, make: Any) -> None:
    board = make(shards=3)

    stage.together(*[partial(board.add, f"p{at % 7}", 1) for at in range(70)])

    assert {one.id: one.score for one in stage.call(lambda: board.top(10))} == {
        f"p{at}": 10.0 for at in range(7)
    }


def test_what_was_added_is_not_said_to_be_not_executed(
    stage: Stage, make: Any, client: Any
) -> None:
    """The other shards fail after it: who took that for the whole would add once more."""
    board, own = make(shards=4), zlib.crc32(b"ann") % 4
    for shard in set(range(4)) - {own}:
        client.set(f"leaderboard:{{week:{shard}}}:scores:high", "text", px=60_000)

    with pytest.raises(OutcomeUnknown, match="it was added") as caught:
        stage.call(lambda: board.add("ann", 5))

    assert isinstance(caught.value.__cause__, WrongType)
    for shard in set(range(4)) - {own}:
        client.delete(f"leaderboard:{{week:{shard}}}:scores:high")
    assert stage.call(lambda: board.rank("ann")) == Standing(5.0, 1, 1, changed=False)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"order": "up"}, "order"),
        ({"shards": 0}, "shards"),
        ({"max_entries": 0}, "max_entries"),
        ({"ttl": timedelta(0)}, "ttl"),
        ({"namespace": "a b"}, "namespace"),
    ],
)
def test_terms_that_cannot_be_kept_are_refused_when_it_is_made(
    make: Any, options: Any, named: str
) -> None:
    with pytest.raises(InvalidArgument, match=named):
        make(**options)


@BOTH
@pytest.mark.parametrize("count", [0, -1, 1_001])
def test_a_page_has_a_thousand_places_at_most(
    stage: Stage, make: Any, shards: int, count: int
) -> None:
    board = make(shards=shards)

    with pytest.raises(InvalidArgument, match="count"):
        stage.call(lambda: board.top(count))


def test_what_shards_cannot_say_is_refused(stage: Stage, make: Any) -> None:
    board = make(shards=2)

    for asked in (
        partial(board.around, "a"),
        partial(board.page, 990, 20),
        partial(board.page, -1, 2),
        partial(board.top, 0),
    ):
        with pytest.raises(InvalidArgument):
            stage.call(asked)
