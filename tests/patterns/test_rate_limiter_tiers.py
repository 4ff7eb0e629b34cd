"""`RateLimiter` with several limits at once, and what is done beside its decisions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from redislua.errors import InvalidArgument
from redislua.patterns.rate_limiter import (
    AsyncRateLimiter,
    CostTooLarge,
    Gcra,
    Granted,
    LimitExceeded,
    Quota,
    RateLimiter,
    Tiers,
)
from tests.patterns.stage import Stage

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
TIERS = Tiers(minute=Gcra(2, MINUTE), hour=Gcra(3, HOUR))


@pytest.fixture
def make(stage: Stage, client: Any) -> Callable[..., Any]:
    """``make(rule)`` is a limiter of the surface's kind on an empty server."""
    return lambda rule=TIERS, **options: stage.make(RateLimiter, AsyncRateLimiter, rule, **options)


def test_one_call_keeps_every_limit(stage: Stage, make: Any) -> None:
    limiter = make()

    found = [stage.call(lambda: limiter.consume("u")) for _ in range(3)]

    assert [one.allowed for one in found] == [True, True, False]
    assert (found[0].limit, found[0].window, found[0].remaining) == (2, MINUTE, 1)
    refused = found[2]
    assert (refused.limit, refused.window, refused.remaining) == (2, MINUTE, 0)
    assert timedelta(0) < refused.retry_after <= MINUTE / 2
    assert [(tier.name, tier.remaining) for tier in refused.tiers] == [("minute", 0), ("hour", 1)]
    assert refused.headers() | {"Retry-After": "", "RateLimit": ""} == {
        "RateLimit-Policy": '"minute";q=2;w=60, "hour";q=3;w=3600',
        "RateLimit": "",
        "Retry-After": "",
    }
    assert refused.headers()["RateLimit"].startswith('"minute";r=0;t=60, "hour";r=1;t=2')


def test_looking_waiting_and_blocks_work_with_tiers(stage: Stage, make: Any) -> None:
    limiter = make(Tiers({"fast": Gcra(100, timedelta(seconds=1), burst=1), "slow": Gcra(5, HOUR)}))

    assert stage.call(lambda: limiter.check("u")).remaining == 1
    for _ in range(4):
        assert stage.call(lambda: limiter.wait("u", within=MINUTE)).allowed
    assert stage.call(stage.within(limiter.limited("u", within=MINUTE), lambda one: one.allowed))
    with pytest.raises(LimitExceeded):
        stage.call(lambda: limiter.wait("u", within=MINUTE))
    with pytest.raises(CostTooLarge):
        stage.call(lambda: limiter.consume("other", 2))


def test_work_is_settled_when_its_cost_is_known(stage: Stage, make: Any) -> None:
    limiter = make(Gcra(100, HOUR, max_debt=50))
    stage.call(lambda: limiter.consume("u", 80))

    assert stage.call(lambda: limiter.settle("u", -60, token="job:1")) == 80
    assert stage.call(lambda: limiter.settle("u", -60, token="job:1")) == 80
    assert stage.call(lambda: limiter.settle("u", 120)) == -40
    assert not stage.call(lambda: limiter.consume("u"))


def test_batches_take_what_there_is(stage: Stage, make: Any) -> None:
    limiter = make(Gcra(10, HOUR))

    found = stage.together(*[partial(limiter.take_up_to, "u", 4)] * 4)

    assert sorted(one.count for one in found) == [0, 2, 4, 4]
    empty = next(one for one in found if not one.count)
    assert timedelta(0) < empty.retry_after <= timedelta(minutes=6)
    assert stage.call(lambda: limiter.reset("u")) is True
    assert stage.call(lambda: limiter.take_up_to("u", 4)) == Granted(4, 6, timedelta(0))


@pytest.mark.parametrize(
    "rule", [TIERS, Gcra(5, HOUR), Quota(5, HOUR)], ids=["tiers", "gcra", "quota"]
)
def test_who_is_shut_out_stays_out(stage: Stage, make: Any, rule: Any) -> None:
    limiter = make(rule, blocks=True)
    assert stage.call(lambda: limiter.consume("u")).allowed

    assert stage.call(lambda: limiter.block("u", MINUTE)) == MINUTE
    decision = stage.call(lambda: limiter.consume("u"))
    assert (decision.allowed, decision.is_blocked, decision.remaining) == (False, True, 0)
    assert timedelta(seconds=50) < decision.retry_after <= MINUTE
    assert stage.call(lambda: limiter.consume("other")).allowed

    stage.call(lambda: limiter.unblock("u"))
    assert stage.call(lambda: limiter.consume("u")).allowed


def test_a_limiter_that_does_not_ask_lets_in_whoever_is_shut_out(stage: Stage, make: Any) -> None:
    limiter = make(Gcra(5, HOUR))
    stage.call(lambda: limiter.block("u", MINUTE))

    assert stage.call(lambda: limiter.consume("u")).allowed


@pytest.mark.single_server("a port without a server")
def test_without_a_server_every_tier_is_kept_in_the_process(stage: Stage) -> None:
    nobody = type(stage.client)(host="127.0.0.1", port=1)
    kind = AsyncRateLimiter if stage.is_async else RateLimiter
    limiter = kind(nobody, TIERS, outage="local", deadline=0.2)

    found = [stage.call(lambda: limiter.consume("u")) for _ in range(4)]

    assert [one.allowed for one in found] == [True, True, False, False]
    assert all(one.is_guess for one in found)
    assert found[3].retry_after <= MINUTE / 2
    stage.call(lambda: nobody.aclose() if stage.is_async else nobody.close())


def test_what_a_rule_cannot_do_is_refused(stage: Stage, make: Any) -> None:
    limiter = make(Quota(5, HOUR))

    for asked in (partial(limiter.settle, "u", 1), partial(limiter.take_up_to, "u", 1)):
        with pytest.raises(InvalidArgument, match="Gcra"):
            stage.call(asked)
    wrong: list[dict[str, Any]] = [
        {},
        {f"t{at}": Gcra(1, HOUR) for at in range(9)},
        {"a": Quota(5, HOUR)},
        {"a": Gcra(5, HOUR, max_debt=1)},
    ]
    for tiers in wrong:
        with pytest.raises(InvalidArgument):
            Tiers(tiers)
