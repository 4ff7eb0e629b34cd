"""`limit.settle`, `take_up_to`, `block` and `reset`: what is around the limiters."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import pytest
import redis

from redislua.bindings import limit
from redislua.errors import OutOfMemory
from redislua.runtime import Call, run
from tests.cache.clock import Clocked
from tests.rig.crowd import Attempt, in_threads
from tests.rig.history import History, Step, Steps
from tests.rig.linearizability import REFUSED, Model, check

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
DAY_MS = 86_400_000
STATE, SETTLED = "limit:{u}:gcra", "limit:{u}:settled"
RATE: dict[str, Any] = {"subject": "u", "limit": 100, "period": HOUR, "burst": 100}


def gcra(cost: int = 1, max_debt: int = 0) -> Call[limit.GcraReply]:
    return limit.gcra(**RATE, cost=cost, max_debt=max_debt)


def settle(
    delta: int, max_debt: int = 0, token: str | None = None, remember: timedelta = HOUR
) -> Call[limit.SettleReply]:
    return limit.settle(**RATE, delta=delta, max_debt=max_debt, token=token, remember=remember)


def take(count: int, max_debt: int = 0) -> Call[limit.TakeUpToReply]:
    return limit.take_up_to(**RATE, count=count, max_debt=max_debt)


def block(
    mode: Literal["block", "lift", "check"] = "block", span: timedelta = MINUTE
) -> Call[limit.BlockReply]:
    return limit.block(subject="u", span=span, mode=mode)


RESET = limit.reset(subject="u")


# --- settle ---------------------------------------------------------------------------------


def test_what_was_reserved_and_not_used_comes_back_once(call: Any) -> None:
    """A lost reply does not give it back twice."""
    call(gcra(80))
    mine = settle(-60)

    assert call(mine) == limit.SettleSettled(80)
    assert call(mine) == limit.SettleReplayed(80)
    assert call(settle(-500)) == limit.SettleSettled(100)
    assert call(mine) == limit.SettleReplayed(100)


def test_a_full_burst_is_an_absent_key(call: Any, client: Any) -> None:
    call(gcra(5))
    call(settle(-5))

    assert not client.exists(STATE)
    assert 0 < client.pttl(SETTLED) <= 3_600_000


def test_a_debt_is_waited_for_and_ends_at_its_limit(call: Any) -> None:
    call(gcra(100, max_debt=50))

    assert call(settle(50, max_debt=50)) == limit.SettleSettled(-50)
    assert call(settle(1, max_debt=50)) == limit.SettleDebtCapped(-50)
    reply = call(gcra(1, max_debt=50))
    assert isinstance(reply, limit.GcraLimited)
    assert timedelta(minutes=30) < reply.retry_after <= timedelta(minutes=30, seconds=36)


def test_the_last_corrections_are_remembered_and_no_more(call: Any, client: Any) -> None:
    calls = [settle(-1, token=f"t{at}") for at in range(80)]
    for one in calls:
        call(one)

    assert client.zcard(SETTLED) == 64
    assert isinstance(call(calls[-1]), limit.SettleReplayed)


def test_corrections_of_long_ago_are_forgotten(client: redis.Redis) -> None:
    clocked = Clocked(client)
    mine = settle(5, max_debt=100)
    assert clocked.run(mine) == limit.SettleSettled(95)

    clocked.advance(DAY_MS - 1)
    clocked.run(settle(0, max_debt=100))
    assert isinstance(clocked.run(mine), limit.SettleReplayed)
    clocked.advance(1)
    clocked.run(settle(0, max_debt=100))
    assert isinstance(clocked.run(mine), limit.SettleSettled)


def test_a_correction_remembered_for_less_makes_nobody_forget(client: redis.Redis) -> None:
    """Each is remembered for at least as long as its own call said."""
    clocked = Clocked(client)
    mine, brief = settle(-10), settle(0, remember=timedelta(seconds=1))
    clocked.run(gcra(80))
    clocked.run(mine)
    clocked.advance(2_000)

    clocked.run(brief)

    assert 3_500_000 < client.pttl(SETTLED) <= 3_600_000
    assert clocked.run(mine) == limit.SettleReplayed(30)


@pytest.mark.parametrize("step_ms", [-60_000, 0], ids=["set back", "standing still"])
def test_a_correction_is_remembered_whatever_the_clock_does(
    client: redis.Redis, step_ms: int
) -> None:
    """With as many remembered as can be, the oldest makes room, and never the new one."""
    clocked = Clocked(client)
    for at in range(64):
        clocked.run(settle(0, token=f"b{at:02}"))
    clocked.advance(step_ms)
    clocked.run(gcra(80))
    mine = settle(-10, token="a")

    assert clocked.run(mine) == limit.SettleSettled(30)
    assert clocked.run(mine) == limit.SettleReplayed(30)
    assert client.zcard(SETTLED) == 64
    assert client.zscore(SETTLED, "b00") is None
    assert client.zscore(SETTLED, "b01") is not None


# --- take_up_to -----------------------------------------------------------------------------


def test_as_many_as_there_are(call: Any) -> None:
    assert call(take(60)) == limit.TakeUpToGranted(60, 40, timedelta(minutes=36))
    reply = call(take(60))
    assert (reply.granted, reply.remaining) == (40, 0)
    assert reply.reset_after <= HOUR
    reply = call(take(60))
    assert isinstance(reply, limit.TakeUpToLimited)
    assert timedelta(0) < reply.retry_after <= timedelta(seconds=36)


def test_callers_at_once_never_get_more_than_there_is(client: redis.Redis) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: run(client, take(7)), range(40)))

    granted = sum(one.granted for one in found if isinstance(one, limit.TakeUpToGranted))
    assert granted == 100


def test_it_forgives_a_debt_as_gcra_does(client: redis.Redis) -> None:
    clocked = Clocked(client)
    clocked.run(gcra(100, max_debt=50))
    clocked.run(settle(50, max_debt=50))

    reply = clocked.run(take(5))  # without a debt: one full burst to wait

    assert isinstance(reply, limit.TakeUpToLimited)
    assert reply.retry_after == timedelta(seconds=36)
    clocked.now_us += 36_000_000
    assert clocked.run(take(5)) == limit.TakeUpToGranted(1, 0, HOUR)


# --- block and reset ------------------------------------------------------------------------


def test_a_subject_is_shut_out_and_let_in_again(call: Any, client: Any) -> None:
    assert call(block()) == limit.BlockBlocked(MINUTE)
    reply = call(block(span=timedelta(seconds=1)))
    assert timedelta(seconds=50) < reply.retry_after <= MINUTE  # never for less than before
    assert call(block(span=HOUR)) == limit.BlockBlocked(HOUR)
    assert isinstance(call(block("check")), limit.BlockBlocked)
    assert call(block("lift")) == limit.BlockFree()
    assert call(block("check")) == limit.BlockFree()
    call(block(span=timedelta(milliseconds=5)))
    time.sleep(0.02)
    assert call(block("check")) == limit.BlockFree()
    assert client.keys("*") == []


def every_limiter() -> list[Call[Any]]:
    rate: dict[str, Any] = {"subject": "u", "limit": 1, "period": HOUR}
    tier = limit.GcraMultiTiersRow("t", 1, HOUR, 1, 1)
    return [
        limit.gcra(**rate, burst=1),
        limit.sliding_window(**rate),
        limit.sliding_window_counter(**rate),
        limit.token_bucket(subject="u", capacity=1, refill=1, period=HOUR),
        limit.increment_with_limit(subject="u", limit=1, window=HOUR),
        limit.gcra_multi(subject="u", tiers=[tier]),
    ]


def test_everything_about_a_subject_is_forgotten(call: Any, client: Any) -> None:
    for one in every_limiter():
        call(one)
    call(block())
    call(settle(-1))
    assert len(client.keys("limit:{u}:*")) >= 7

    assert call(RESET) == limit.ResetReset(existed=True)
    assert client.keys("*") == []
    assert call(RESET) == limit.ResetReset(existed=False)
    for again in every_limiter():
        assert not type(call(again)).__name__.endswith(("Limited", "Capped"))


def test_a_full_server_charges_nobody_and_forgets(
    client: redis.Redis, make_full: Callable[[], None], dataset: Callable[[], Any]
) -> None:
    run(client, gcra(50))
    make_full()
    before = dataset()

    for refused in (take(1), settle(-1)):
        with pytest.raises(OutOfMemory):
            run(client, refused)
    assert dataset() == before
    assert run(client, RESET) == limit.ResetReset(existed=True)


def test_a_full_server_still_shuts_out_and_lets_in(
    client: redis.Redis, make_full: Callable[[], None]
) -> None:
    make_full()

    assert run(client, block()) == limit.BlockBlocked(MINUTE)
    assert isinstance(run(client, block("check")), limit.BlockBlocked)
    assert client.pttl("limit:{u}:block") > 0
    assert run(client, block("lift")) == limit.BlockFree()
    assert run(client, block("check")) == limit.BlockFree()


# --- callers that compete -------------------------------------------------------------------


def step(left: int, asked: Any, result: Any) -> Any:
    """What is left of a burst that earns nothing while the test runs."""
    verb, amount = asked
    if verb == "take":
        granted = min(left, amount)
        if isinstance(result, limit.TakeUpToGranted):
            is_right = (result.granted, result.remaining) == (granted, left - granted)
            return left - granted if granted and is_right else REFUSED
        return left if left <= 0 else REFUSED
    if verb == "reset":
        return 100
    after = max(min(left - amount, 100), -50)
    expected = limit.SettleDebtCapped if left - amount < -50 else limit.SettleSettled
    return after if isinstance(result, expected) and result.remaining == after else REFUSED


LIMITER = Model(100, step)


def worker(chance: random.Random, change: Any) -> Steps:
    for _ in range(20):
        verb = chance.choice(["take", "take", "settle", "settle", "reset"])
        amount = chance.randint(1, 40)
        if verb == "settle":
            amount -= 20
        calls: dict[str, Call[Any]] = {
            "take": take(amount, max_debt=50) if verb == "take" else RESET,
            "settle": change(settle(amount, max_debt=50)),
            "reset": RESET,
        }
        yield Step(((verb, amount),), Attempt((calls[verb],)))


def record(client: redis.Redis, seed: int, change: Any = lambda call: call) -> History:
    client.flushall()
    history, chance = History(), random.Random(seed)
    gang = [history.watch(worker(random.Random(chance.random()), change)) for _ in range(4)]
    in_threads(client, gang)
    return history


def without_debt(call: Call[Any]) -> Call[Any]:
    """A correction that forgets debts."""
    old = b"full_us = math.max(before_us + delta * token_us, now_us)"
    source = call.script.source.replace(
        old,
        b"full_us = math.min(math.max(before_us + delta * token_us, now_us), now_us + burst_us)",
    )
    assert source != call.script.source
    sha1 = hashlib.sha1(source, usedforsecurity=False).hexdigest()
    return replace(call, script=replace(call.script, source=source, sha1=sha1))


def test_histories_of_competing_threads_are_linearizable(client: redis.Redis) -> None:
    for seed in range(6):
        verdict = check(LIMITER, record(client, seed).operations)

        assert verdict.linearizable, f"seed {seed}: {verdict.stuck}"


def test_a_correction_that_forgets_debts_would_be_found_out(client: redis.Redis) -> None:
    """The negative control."""
    histories = (record(client, seed, without_debt).operations for seed in range(20))

    assert not all(check(LIMITER, history).linearizable for history in histories)
