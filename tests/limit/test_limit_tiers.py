"""`limit.gcra_multi`: several limits at once, from all of them or from none."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Literal, NamedTuple

import pytest
import redis
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from redislua.bindings import limit
from redislua.errors import OutOfMemory
from redislua.runtime import Call, run
from tests.cache.clock import Clocked

STATE, BLOCK = "limit:{u}:tiers", "limit:{u}:block"
Tier = tuple[str, int, timedelta, int, int]

SECOND, MINUTE, HOUR = (timedelta(seconds=one) for one in (1, 60, 3_600))
PAIR: list[Tier] = [("m", 2, MINUTE, 2, 1), ("h", 3, HOUR, 3, 1)]


def ask(*tiers: Tier, mode: Literal["consume", "peek"] = "consume") -> Call[limit.GcraMultiReply]:
    rows = [limit.GcraMultiTiersRow(*tier) for tier in tiers or PAIR]
    return limit.gcra_multi(subject="u", mode=mode, tiers=rows)


def test_a_call_that_one_tier_refuses_takes_nothing_from_the_others(
    call: Any, dataset: Any
) -> None:
    """P7: a refused call is not charged to the tier that would have granted it."""
    for _ in range(2):
        assert isinstance(call(ask()), limit.GcraMultiAllowed)
    before = dataset()

    for _ in range(5):
        reply = call(ask())
        assert isinstance(reply, limit.GcraMultiLimited)
        assert reply.tier == "m"
        assert [(row.name, row.remaining) for row in reply.tiers] == [("m", 0), ("h", 1)]
    assert dataset() == before


def test_the_tier_that_waits_longest_is_named(call: Any) -> None:
    call(ask(("m", 2, MINUTE, 2, 2), ("h", 3, HOUR, 3, 3)))

    reply = call(ask())

    assert reply.tier == "h"
    assert timedelta(minutes=19) < reply.retry_after <= timedelta(minutes=20)


def test_each_tier_has_a_cost_of_its_own(call: Any) -> None:
    tiers: list[Tier] = [("requests", 10, MINUTE, 10, 1), ("tokens", 5_000, MINUTE, 5_000, 1_200)]

    found = [call(ask(*tiers)) for _ in range(5)]

    assert [isinstance(one, limit.GcraMultiAllowed) for one in found] == [True] * 4 + [False]
    assert [row.remaining for row in found[3].tiers] == [6, 200]
    assert found[4].tier == "tokens"


def test_looking_takes_nothing(call: Any, dataset: Any) -> None:
    before = dataset()

    assert [row.remaining for row in call(ask(mode="peek")).tiers] == [2, 3]
    assert dataset() == before


def test_costs_of_nothing_write_nothing(call: Any, dataset: Any) -> None:
    free: list[Tier] = [(*tier[:4], 0) for tier in PAIR]
    assert [row.remaining for row in call(ask(*free)).tiers] == [2, 3]
    assert dataset() == {}

    call(ask())
    before = dataset()
    assert [row.remaining for row in call(ask(*free)).tiers] == [1, 2]
    assert dataset() == before


def test_who_is_shut_out_is_told_so(call: Any) -> None:
    call(limit.block(subject="u", span=MINUTE))

    reply = call(ask())

    assert isinstance(reply, limit.GcraMultiBlocked)
    assert timedelta(0) < reply.retry_after <= MINUTE
    call(limit.reset(subject="u"))
    assert isinstance(call(ask()), limit.GcraMultiAllowed)


def test_the_state_lasts_as_long_as_the_longest_tier(call: Any, client: Any) -> None:
    call(ask())
    assert timedelta(minutes=19) < timedelta(milliseconds=client.pttl(STATE)) <= HOUR / 2
    call(ask(PAIR[0]))
    assert client.pttl(STATE) > 60_000


def test_a_tier_that_is_left_out_is_kept(call: Any) -> None:
    call(ask(("h", 3, HOUR, 3, 3)))
    call(ask(("m", 2, MINUTE, 2, 1)))

    assert call(ask()).tier == "h"


@pytest.mark.parametrize(
    "rows",
    [
        ["2", "m", "1", "1000000", "1", "1"],
        ["1", "m", "1", "1000000", "1"],
        ["1", "", "1", "1000000", "1", "1"],
        ["2", "m", "1", "1000000", "1", "1", "m", "1", "1000000", "1", "1"],
        ["1", "m", "x", "1000000", "1", "1"],
        ["1", "m", "1", "1000000", "1", "-1"],
        ["0"],
    ],
)
def test_rows_that_are_none_write_nothing(
    client: redis.Redis, dataset: Callable[[], Any], rows: list[str]
) -> None:
    run(client, ask())
    before = dataset()

    with pytest.raises(redis.ResponseError, match="RLUA_BAD_ARGUMENT"):
        client.eval(ask().script.source.decode(), 2, STATE, BLOCK, "consume", *rows)
    assert dataset() == before


def test_a_full_server_is_refused_before_anything_is_written(
    client: redis.Redis, make_full: Callable[[], None], dataset: Callable[[], Any]
) -> None:
    run(client, ask())
    make_full()
    before = dataset()

    with pytest.raises(OutOfMemory):
        run(client, ask())
    assert dataset() == before
    assert run(client, limit.reset(subject="u")) == limit.ResetReset(existed=True)


# --- against a model ------------------------------------------------------------------------


class Rate(NamedTuple):
    """A tier as the machine knows it; the token in microseconds."""

    name: str
    limit: int
    period: int
    burst: int

    @property
    def token(self) -> int:
        return math.ceil(self.period / self.limit)


RATES = (Rate("a", 3, 1_000_000, 2), Rate("b", 7, 60_000_000, 5), Rate("c\x00", 1, 1_000, 1))


class Machine(RuleBasedStateMachine):
    """Times at which each tier is full again, under a clock that also goes back."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__()
        client.flushall()
        self.client = client
        self.clocked = Clocked(client)
        self.full: dict[str, int] = {}

    @rule(
        rates=st.lists(st.sampled_from(RATES), min_size=1, max_size=3, unique=True),
        costs=st.tuples(*[st.integers(0, 2)] * 3),
        mode=st.sampled_from(["consume", "peek"]),
    )
    def ask(self, rates: list[Rate], costs: tuple[int, ...], mode: Any) -> None:
        now = self.clocked.now_us
        tiers: list[Tier] = [
            (rate.name, rate.limit, timedelta(microseconds=rate.period), rate.burst, cost)
            for rate, cost in zip(rates, costs, strict=False)
        ]
        reply = self.clocked.run(ask(*tiers, mode=mode))
        for rate, tier in zip(rates, tiers, strict=True):
            if tier[4] > rate.burst:
                assert reply == limit.GcraMultiTooLarge(rate.name, rate.burst)
                return
        full, waits = {}, {}
        is_cut = False
        for rate, tier in zip(rates, tiers, strict=True):
            at = max(self.full.get(rate.name, 0), now)
            ceiling = now + rate.burst * rate.token
            is_cut |= at > ceiling
            full[rate.name] = min(at, ceiling)
            waits[rate.name] = full[rate.name] + tier[4] * rate.token - ceiling
        longest = max(waits.values())
        if longest <= 0 and mode == "consume":
            for rate, tier in zip(rates, tiers, strict=True):
                full[rate.name] += tier[4] * rate.token
        takes = mode == "consume" and any(tier[4] for tier in tiers)
        if takes and (longest <= 0 or is_cut):
            self.full |= full
        assert isinstance(reply, limit.GcraMultiLimited if longest > 0 else limit.GcraMultiAllowed)
        rows: Any = reply.tiers
        for rate, row in zip(rates, rows, strict=True):
            left = now + rate.burst * rate.token - full[rate.name]
            assert (row.name, row.remaining) == (rate.name, max(left // rate.token, 0))
            assert row.reset_after == timedelta(
                milliseconds=math.ceil((full[rate.name] - now) / 1_000)
            )
        if isinstance(reply, limit.GcraMultiLimited):
            assert waits[reply.tier] == longest
            assert reply.retry_after == timedelta(milliseconds=math.ceil(longest / 1_000))

    @rule(step=st.sampled_from([0, 1, 333, 1_000, 60_000, -1, -1_000, -86_400_000]))
    def the_clock_moves(self, step: int) -> None:
        self.clocked.advance(step)

    @invariant()
    def the_state_expires(self) -> None:
        assert self.client.pttl(STATE) != -1


def test_it_behaves_as_its_model(client: redis.Redis) -> None:
    run_state_machine_as_test(
        lambda: Machine(client),  # type: ignore[arg-type]  # a factory will do, its page says
        settings=settings(max_examples=60, stateful_step_count=25, deadline=None),
    )
