"""``limit.sliding_window``: its tokens, its entries, its expiry."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from redislua.bindings import limit
from redislua.probe.snapshot import Snapshot
from redislua.runtime import Call

Ask = Callable[[Call[Any]], Any]
KEY = "limit:{s}:log"


def slide(**arguments: Any) -> Call[limit.SlidingWindowReply]:
    """Five an hour."""
    defaults: dict[str, Any] = {"subject": "s", "limit": 5, "period": timedelta(hours=1)}
    return limit.sliding_window(**(defaults | arguments))


def test_one_call_run_twice_is_counted_once(call: Ask, dataset: Callable[[], Snapshot]) -> None:
    """The fresh token was drawn with the call, so the second run is a resend."""
    same = slide(cost=3)
    first = call(same)
    before = dataset()

    second = call(same)

    assert same.script.retry == "safe"
    assert (first.remaining, second) == (2, limit.SlidingWindowReplayed(remaining=2))
    assert dataset() == before


def test_a_resend_is_told_so_even_when_the_window_is_full(call: Ask) -> None:
    """Its own entries fill the window: that is no reason to refuse it."""
    full = slide(cost=5)
    call(full)

    assert call(full) == limit.SlidingWindowReplayed(remaining=0)
    assert isinstance(call(slide()), limit.SlidingWindowLimited)


def test_an_entry_is_the_token_and_an_index(call: Ask, client: Any) -> None:
    """Small enough to keep 128 of them in one compact block, and scored in microseconds."""
    call(slide(cost=2, token="t" * 32))

    entries = client.zrange(KEY, 0, -1, withscores=True)
    assert [entry for entry, _ in entries] == [b"t" * 32 + b":1", b"t" * 32 + b":2"]
    assert entries[0][1] == entries[1][1] > 1.7e15
    assert client.object("encoding", KEY) == b"listpack"


def test_the_log_expires_a_period_after_its_newest_entry(call: Ask, client: Any) -> None:
    for _ in range(3):
        call(slide())

        newest_us = client.zrange(KEY, -1, -1, withscores=True)[0][1]
        expires_ms = client.pexpiretime(KEY)
        assert expires_ms == -(-int(newest_us + 3_600_000_000) // 1000)


def test_the_reply_leads_to_the_oldest_entry(call: Ask, client: Any) -> None:
    """reset_after counts from when the oldest entry was made, not from now."""
    call(slide())
    seconds, _ = client.time()
    client.zadd(KEY, {"aged:1": (seconds - 1800) * 1_000_000})

    reply = call(slide())

    assert reply.remaining == 2
    assert timedelta(minutes=29) < reply.reset_after <= timedelta(minutes=30, seconds=1)


def test_expired_entries_are_removed_and_do_not_count(call: Ask, client: Any) -> None:
    seconds, _ = client.time()
    client.zadd(KEY, {f"old{n}:1": (seconds - 3601) * 1_000_000 for n in range(4_000)})

    reply = call(slide())

    assert reply.remaining == 4
    assert client.zcard(KEY) == 1
