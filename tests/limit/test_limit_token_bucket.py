"""``limit.token_bucket``: its rates and its expiry."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from redislua.bindings import limit
from redislua.probe.snapshot import Snapshot
from redislua.runtime import Call

Ask = Callable[[Call[Any]], Any]
YEAR_US = 31_622_400_000_000


def take(**arguments: Any) -> Call[limit.TokenBucketReply]:
    """A bucket of ten that earns one a minute."""
    defaults: dict[str, Any] = {
        "subject": "s",
        "capacity": 10,
        "refill": 1,
        "period": timedelta(minutes=1),
    }
    return limit.token_bucket(**(defaults | arguments))


def test_a_refusal_says_when_to_come_back(call: Ask) -> None:
    """Three tokens take three minutes, ten take ten."""
    call(take(cost=10))

    reply = call(take(cost=3))

    assert isinstance(reply, limit.TokenBucketLimited)
    assert timedelta(seconds=170) < reply.retry_after <= timedelta(seconds=180)
    assert timedelta(seconds=590) < reply.reset_after <= timedelta(seconds=600)


def test_the_state_is_a_versioned_hash_that_expires_when_full(call: Ask, client: Any) -> None:
    reply = call(take(cost=4))

    stored = client.hgetall("limit:{s}:bucket")
    assert set(stored) == {b"v", b"b", b"t"}
    assert (stored[b"v"], stored[b"b"]) == (b"1", b"6000000")
    left_ms = client.pexpiretime("limit:{s}:bucket") - int(stored[b"t"]) // 1000
    assert left_ms - 1 <= reply.reset_after / timedelta(milliseconds=1) == 240_000 <= left_ms


def test_without_refill_the_expiry_is_the_only_refill(call: Ask, client: Any) -> None:
    """Refusals do not put it off; afterwards the bucket is full again."""
    frozen = take(refill=0, capacity=3, cost=2, idle=timedelta(minutes=5))
    assert call(frozen).remaining == 1
    expires_ms = client.pexpiretime("limit:{s}:bucket")

    refused = call(frozen)
    assert isinstance(refused, limit.TokenBucketLimited)
    assert timedelta(0) < refused.retry_after <= timedelta(minutes=5, milliseconds=1)
    assert client.pexpiretime("limit:{s}:bucket") == expires_ms

    client.delete("limit:{s}:bucket")
    assert call(frozen).remaining == 1


@pytest.mark.parametrize(
    "rate",
    [
        {"refill": 0},
        {"refill": 1, "capacity": 2, "period": YEAR_US},
        {"refill": 999, "capacity": 1_000, "period": YEAR_US},
    ],
)
def test_a_rate_that_cannot_be_kept_is_refused(
    call: Ask, dataset: Callable[[], Snapshot], rate: dict[str, Any]
) -> None:
    """No expiry, or one beyond 366 days: an error, and nothing is written."""
    with pytest.raises(limit.BadRateError):
        call(take(**rate))

    assert dataset() == {}


@pytest.mark.parametrize(
    "rate",
    [
        {"refill": 1_000_000_000, "capacity": 1_000_000_000, "period": 1_000},
        {"refill": 1, "capacity": 1, "period": YEAR_US},
        {"refill": 0, "capacity": 1_000_000_000, "idle": 31_622_400_000},
        {"refill": 0, "capacity": 1, "idle": 1},
    ],
)
def test_the_ends_of_what_can_be_kept_are_kept(
    call: Ask, client: Any, rate: dict[str, Any]
) -> None:
    """The fastest, the slowest, the longest and the shortest: granted, and never immortal."""
    assert isinstance(call(take(**rate)), limit.TokenBucketAllowed)
    assert client.ttl("limit:{s}:bucket") != -1
