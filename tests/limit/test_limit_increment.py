"""``limit.increment_with_limit``: its windows, its expiry, its range."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import redis

from redislua.bindings import limit
from redislua.probe.snapshot import Snapshot
from redislua.runtime import Call
from tests.limit.clocked import Clocked

Ask = Callable[[Call[Any]], Any]
Dataset = Callable[[], Snapshot]
KEY = "limit:{s}:counter"
GREATEST = 2**53 - 1
MINUTE_MS = 60_000


def add(**arguments: Any) -> Call[limit.IncrementWithLimitReply]:
    """At most ten a minute, unless reset_at is given."""
    defaults: dict[str, Any] = {"subject": "s", "limit": 10}
    if "reset_at" not in arguments:
        defaults["window"] = MINUTE_MS
    return limit.increment_with_limit(**(defaults | arguments))


def now_ms(client: Any) -> int:
    """The server's time."""
    seconds, microseconds = client.time()
    return int(seconds) * 1000 + int(microseconds) // 1000


def test_the_counter_is_a_plain_integer_with_its_expiry(call: Ask, client: Any) -> None:
    reply = call(add(amount=7))

    assert reply == limit.IncrementWithLimitAdded(7, timedelta(minutes=1))
    assert client.get(KEY) == b"7"
    assert 0 < client.pttl(KEY) <= MINUTE_MS


def test_the_window_begins_with_the_first_call(call: Ask, client: Any) -> None:
    """Later calls, added or capped, leave its end alone."""
    call(add())
    ends_ms = client.pexpiretime(KEY)

    replies = [call(add(amount=amount)) for amount in (4, 6, 5)]

    assert [reply.value for reply in replies] == [5, 5, 10]
    assert client.pexpiretime(KEY) == ends_ms
    assert all(timedelta(0) < reply.reset_after <= timedelta(minutes=1) for reply in replies)


def test_renew_always_moves_the_end_with_each_addition(call: Ask, client: Any) -> None:
    """And not with what is capped."""
    call(add(renew="always"))
    client.pexpire(KEY, 30_000)
    assert call(add(renew="always")).reset_after == timedelta(minutes=1)
    assert client.pttl(KEY) > 30_000

    client.pexpire(KEY, 30_000)
    assert isinstance(call(add(renew="always", amount=10)), limit.IncrementWithLimitCapped)
    assert client.pttl(KEY) <= 30_000


def test_a_window_of_the_calendar_ends_at_its_moment(call: Ask, client: Any) -> None:
    moment_ms = now_ms(client) + 3_600_000

    reply = call(add(reset_at=moment_ms))

    assert client.pexpiretime(KEY) == moment_ms
    assert timedelta(minutes=59) < reply.reset_after <= timedelta(hours=1)


def test_the_farthest_moment_is_kept(call: Ask, client: Any) -> None:
    call(add(reset_at=GREATEST))

    assert client.pexpiretime(KEY) == GREATEST


@pytest.mark.parametrize(
    "window",
    [{"window": None, "reset_at": None}, {"window": 1, "reset_at": GREATEST}],
)
def test_exactly_one_of_window_and_reset_at(
    call: Ask, dataset: Dataset, window: dict[str, Any]
) -> None:
    with pytest.raises(limit.BadArgumentError):
        call(limit.increment_with_limit(subject="s", limit=1, **window))

    assert dataset() == {}


@pytest.mark.parametrize("back_ms", [0, 1, 10**12])
def test_a_moment_that_is_not_to_come_is_refused(
    call: Ask, client: Any, dataset: Dataset, back_ms: int
) -> None:
    """Such a counter would be gone at once and limit nothing."""
    with pytest.raises(limit.BadArgumentError):
        call(add(reset_at=now_ms(client) - back_ms))

    assert dataset() == {}


def test_the_next_millisecond_is_to_come(client: Any) -> None:
    """The boundary, under a clock that the test sets: this millisecond is over, the next is not."""
    counter = Clocked(client, "increment_with_limit")
    counter.now_us += 999
    this_ms = counter.now_us // 1000

    with pytest.raises(redis.ResponseError, match="reset_at must be in the future"):
        counter.call(10, "", this_ms, 1, "on_create")
    assert counter.call(10, "", this_ms + 1, 1, "on_create") == ("Added", [1, 1])


def test_a_limit_of_zero_caps_everything(call: Ask, dataset: Dataset) -> None:
    assert call(add(limit=0)) == limit.IncrementWithLimitCapped(0, timedelta(minutes=1))
    assert dataset() == {}


@pytest.mark.parametrize("amount", [1, 10])
def test_a_counter_without_expiry_gets_one(call: Ask, client: Any, amount: int) -> None:
    """Also when the call is capped: an immortal counter would refuse for ever."""
    client.set(KEY, 5)

    reply = call(add(amount=amount))

    assert reply.value == (6 if amount == 1 else 5)
    assert reply.reset_after == timedelta(minutes=1)
    assert 0 < client.pttl(KEY) <= MINUTE_MS


@pytest.mark.parametrize("amount", [1, 10])
def test_an_expiry_beyond_the_window_is_brought_near(call: Ask, client: Any, amount: int) -> None:
    """As a clock that was set back, or a window that was shortened, leaves it."""
    client.set(KEY, 5, ex=86_400)

    reply = call(add(amount=amount))

    assert reply.value == (6 if amount == 1 else 5)
    assert 0 < client.pttl(KEY) <= MINUTE_MS


def test_the_whole_range_is_exact(call: Ask, client: Any) -> None:
    """To 2^53 - 1 and not beyond, from below zero as well."""
    assert call(add(limit=GREATEST, amount=GREATEST - 1)).value == GREATEST - 1
    assert call(add(limit=GREATEST)).value == GREATEST
    assert client.get(KEY) == b"9007199254740991"
    assert isinstance(call(add(limit=GREATEST)), limit.IncrementWithLimitCapped)
    assert isinstance(call(add(limit=GREATEST, amount=GREATEST)), limit.IncrementWithLimitCapped)

    client.set(KEY, -GREATEST, ex=60)
    assert call(add(limit=0, amount=GREATEST)).value == 0
    assert client.get(KEY) == b"0"


def test_what_was_taken_back_can_be_added_again(call: Ask, client: Any) -> None:
    """The counter is a plain string: DECRBY keeps its expiry, and may go below zero."""
    call(add(amount=10))
    client.decrby(KEY, 12)

    assert call(add(amount=12)).value == 10
    assert isinstance(call(add()), limit.IncrementWithLimitCapped)
