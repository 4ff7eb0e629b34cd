"""``limit.gcra``: its rates, its state, its size."""

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


def gcra(**arguments: Any) -> Call[limit.GcraReply]:
    """Five tokens a minute, a burst of five."""
    defaults: dict[str, Any] = {
        "subject": "s",
        "limit": 5,
        "period": timedelta(minutes=1),
        "burst": 5,
    }
    return limit.gcra(**(defaults | arguments))


def test_a_refusal_says_when_to_come_back(call: Ask) -> None:
    """One token takes 12 seconds, all five a minute."""
    call(gcra(cost=5))

    reply = call(gcra())

    assert isinstance(reply, limit.GcraLimited)
    assert timedelta(seconds=6) < reply.retry_after <= timedelta(seconds=12)
    assert timedelta(seconds=54) < reply.reset_after <= timedelta(seconds=60)


def test_the_state_is_one_number_that_expires_when_full(call: Ask, client: Any) -> None:
    """The time in microseconds at which the burst is there again, and no more."""
    call(gcra(cost=2))

    stored, expires_ms = client.get("limit:{s}:gcra"), client.pexpiretime("limit:{s}:gcra")
    assert stored is not None
    assert len(stored) == 16
    assert expires_ms == -(-int(stored) // 1000)


@pytest.mark.single_server("a cluster of Redis 7.0 spends 16 bytes more on each key")
def test_the_state_takes_90_bytes(call: Ask, client: Any) -> None:
    """At a key of 40 bytes."""
    subject = "u" * (40 - len("limit:{}:gcra"))

    call(gcra(subject=subject))

    assert client.memory_usage(f"limit:{{{subject}}}:gcra") <= 90


@pytest.mark.parametrize(
    "rate",
    [
        {"limit": 11, "period": 1_000},
        {"limit": 10_001, "period": timedelta(seconds=1)},
        {"limit": 1, "period": YEAR_US, "burst": 2},
        {"limit": 1_000_000, "period": YEAR_US, "burst": 1_000_001},
        {"max_debt": 2, "limit": 1, "period": YEAR_US, "burst": 1},
    ],
)
def test_a_rate_that_cannot_be_kept_is_refused(
    call: Ask, dataset: Callable[[], Snapshot], rate: dict[str, Any]
) -> None:
    """Too fast, too slow or too large: an error, and nothing is written."""
    with pytest.raises(limit.BadRateError):
        call(gcra(**rate))

    assert dataset() == {}


@pytest.mark.parametrize(
    "rate",
    [
        {"limit": 10, "period": 1_000},
        {"limit": 10_000, "period": timedelta(seconds=1), "burst": 1_000_000_000},
        {"limit": 1, "period": YEAR_US, "burst": 1, "max_debt": 1},
        {"limit": 1_000_000, "period": YEAR_US, "burst": 1_000_000, "cost": 284},
        {"limit": 2**23, "period": 2**30, "burst": 2**23, "cost": 2**23},
    ],
)
def test_the_ends_of_what_can_be_kept_are_kept(call: Ask, rate: dict[str, Any]) -> None:
    """Each is the last that is not refused."""
    assert isinstance(call(gcra(**rate)), limit.GcraAllowed)


def test_a_smaller_burst_takes_effect_at_once(call: Ask) -> None:
    """What was owed beyond it is forgiven: nobody waits longer than the new burst takes."""
    call(gcra(burst=100, cost=100))

    refused = call(gcra(burst=2))
    restored = call(gcra(burst=100, mode="peek"))

    assert isinstance(refused, limit.GcraLimited)
    assert refused.reset_after == timedelta(seconds=24)
    assert restored.remaining == 98
