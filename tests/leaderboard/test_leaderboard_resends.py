"""Calls of `leaderboard` that come twice or late, boards that expire, and boards half lost."""

from __future__ import annotations

from typing import Any

import pytest

from redislua.bindings import leaderboard
from tests.leaderboard.test_leaderboard_family import (
    IDS,
    SCORES,
    add,
    around,
    ids,
    page,
    rank,
    remove,
    submit,
)

# --- resends --------------------------------------------------------------------------------


def test_a_score_that_is_sent_again_changes_nothing(call: Any, dataset: Any) -> None:
    for mode in ("best", "last", "worst"):
        sample = submit("ann", 7, mode)
        call(sample)
        before = dataset()

        assert call(sample) == leaderboard.SubmitUnchanged(1, 1, "7")
        assert dataset() == before


def test_an_earlier_score_that_comes_after_a_better_one_changes_nothing(
    call: Any, dataset: Any
) -> None:
    late = submit("ann", 7)
    for sample in (late, submit("bob", 8), submit("ann", 9)):
        call(sample)
    before = dataset()

    assert call(late) == leaderboard.SubmitUnchanged(1, 1, "9")
    assert dataset() == before


def test_who_did_not_get_on_does_not_get_on_again(call: Any) -> None:
    for name, score in (("ann", 9), ("bob", 8)):
        call(submit(name, score, most=2))
    late = submit("cid", 7, most=2)

    for _ in range(2):
        assert call(late) == leaderboard.SubmitBelowCut("8")
        assert ids(call(page())) == ["ann", "bob"]


def test_points_that_are_sent_again_count_again(call: Any) -> None:
    """That is why they never are: the header says `never`."""
    sample = add("ann", 7)

    assert [call(sample).score, call(sample).score] == ["7", "14"]
    assert sample.script.retry == "never"


def test_who_was_taken_off_twice_is_off_and_keeps_what_comes_later(call: Any, client: Any) -> None:
    call(submit("ann", 7))

    assert call(remove("ann")) == leaderboard.RemoveRemoved()
    assert call(remove("ann")) == leaderboard.RemoveNotRanked()
    assert client.exists(SCORES, IDS) == 0
    assert call(submit("ann", 3)) == leaderboard.SubmitRanked(1, 1, "3", None)


# --- lifetimes ------------------------------------------------------------------------------


@pytest.mark.parametrize("ttl", [60_000, 31_622_400_000])
def test_each_change_begins_the_time_to_live_anew_and_no_refusal_does(
    call: Any, client: Any, ttl: int
) -> None:
    def left() -> list[int]:
        return [client.pttl(key) for key in (SCORES, IDS)]

    call(submit("ann", 5, ttl=ttl))
    for change in (
        submit("bob", 6, most=2, ttl=ttl),
        leaderboard.add(board="b", order="high", id="ann", amount=1, ttl=ttl),
        submit("cid", 1, most=2, ttl=ttl),
    ):
        for key in (SCORES, IDS):
            client.pexpire(key, 5_000)
        call(change)
        assert all(ttl - 5_000 < one <= ttl for one in left())

    for key in (SCORES, IDS):
        client.pexpire(key, 5_000)
    call(submit("ann", 1, ttl=ttl))  # is not her best
    call(remove("bob"))
    assert all(0 < one <= 5_000 for one in left())


# --- what is left of a board ----------------------------------------------------------------


@pytest.mark.parametrize("change", [submit("ann", 3), add("ann", 3)], ids=["submit", "add"])
def test_a_board_without_its_ids_begins_anew(call: Any, client: Any, change: Any) -> None:
    """Or a player would be on it twice, once with a score that nothing can find."""
    for name, score in (("ann", 9), ("bob", 8)):
        call(submit(name, score))
    client.delete(IDS)

    assert call(rank(id="ann")) == leaderboard.RankNotRanked()
    assert call(around("ann")) == leaderboard.AroundNotRanked()
    assert call(remove("ann")) == leaderboard.RemoveNotRanked()
    assert call(change).rank == 1
    assert ids(call(page())) == ["ann"]


def test_a_board_without_its_scores_begins_anew(call: Any, client: Any) -> None:
    call(submit("ann", 9))
    client.delete(SCORES)

    assert call(rank(id="ann")) == leaderboard.RankNotRanked()
    assert call(submit("ann", 3)) == leaderboard.SubmitRanked(1, 1, "3", None)
    assert ids(call(page())) == ["ann"]


@pytest.mark.parametrize("member", [b"ann", b"123:ann", b"x" * 16 + b"ann"])
def test_a_member_that_is_not_the_familys_is_an_error(
    call: Any, client: Any, member: bytes
) -> None:
    call(submit("bob", 1))
    client.zadd(SCORES, {member: 2})

    with pytest.raises(leaderboard.BadStateError):
        call(page())
    with pytest.raises(leaderboard.BadStateError):
        call(around("bob"))


def test_a_member_without_a_mark_is_nobodys_score(call: Any, client: Any) -> None:
    call(submit("bob", 1))
    client.zadd(SCORES, {"ann": 2, "cid": 2})

    assert call(submit("ann", 1)) == leaderboard.SubmitRanked(4, 3, "1", None)
    assert call(add("cid", 5)) == leaderboard.AddRanked(1, 1, "5")
    assert call(remove("dan")) == leaderboard.RemoveNotRanked()


@pytest.mark.parametrize("mark", ["", "1", "x" * 16, "1" * 17])
def test_a_mark_that_is_not_the_familys_is_an_error_and_nothing_is_written(
    call: Any, client: Any, dataset: Any, mark: str
) -> None:
    call(submit("bob", 1))
    client.hset(IDS, "i:bob", mark)
    before = dataset()

    for sample in (submit("bob", 2), add("bob", 2), remove("bob"), rank(id="bob"), around("bob")):
        with pytest.raises(leaderboard.BadStateError):
            call(sample)
    assert dataset() == before
