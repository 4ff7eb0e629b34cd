"""`RateLimiter` and `AsyncRateLimiter`: every rule, every way to ask, and no server to ask."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from redislua.errors import CallError, InvalidArgumentType, InvalidArgumentValue
from redislua.patterns._local_limits import Local
from redislua.patterns.rate_limiter import (
    AsyncRateLimiter,
    CostTooLarge,
    Decision,
    Gcra,
    LimitExceeded,
    Quota,
    RateLimiter,
    SlidingWindow,
    TokenBucket,
    WindowCounter,
)
from tests.patterns.stage import Stage

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
RULES: dict[str, Any] = {
    "gcra": Gcra(limit=5, period=HOUR),
    "token_bucket": TokenBucket(capacity=5, refill=5, period=HOUR),
    "sliding_window": SlidingWindow(limit=5, window=HOUR),
    "window_counter": WindowCounter(limit=5, window=HOUR),
    "quota": Quota(limit=5, window=HOUR),
}
each_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
LOOKING = {name: RULES[name] for name in ("gcra", "token_bucket", "window_counter")}


@pytest.fixture
def make(stage: Stage, client: Any) -> Callable[..., Any]:
    """``make(rule)`` is a limiter of the surface's kind on an empty server."""
    return lambda rule, **options: stage.make(RateLimiter, AsyncRateLimiter, rule, **options)


@each_rule
def test_five_are_granted_and_then_none(stage: Stage, make: Any, rule: Any) -> None:
    limiter = make(rule)

    decisions = [stage.call(lambda: limiter.consume("u")) for _ in range(7)]

    assert [one.allowed for one in decisions] == [True] * 5 + [False] * 2
    assert [one.remaining for one in decisions] == [4, 3, 2, 1, 0, 0, 0]
    assert {one.limit for one in decisions} == {5}
    assert all(one.retry_after == timedelta(0) for one in decisions[:5])
    assert all(timedelta(0) < one.retry_after <= 2 * HOUR for one in decisions[5:])
    assert all(timedelta(0) < one.reset_after <= 2 * HOUR for one in decisions)
    assert bool(stage.call(lambda: limiter.consume("other"))) is True


@each_rule
def test_a_cost_is_taken_whole_or_not_at_all(stage: Stage, make: Any, rule: Any) -> None:
    limiter = make(rule)

    taken = [bool(stage.call(partial(limiter.consume, "u", cost))) for cost in (3, 3, 2)]

    assert taken == [True, False, True]


@each_rule
def test_what_can_never_be_granted_is_said_so(stage: Stage, make: Any, rule: Any) -> None:
    limiter = make(rule)

    with pytest.raises(CostTooLarge) as caught:
        stage.call(lambda: limiter.consume("u", 6))

    assert (caught.value.subject, caught.value.cost, caught.value.most) == ("u", 6, 5)


@pytest.mark.parametrize("rule", LOOKING.values(), ids=LOOKING)
def test_looking_takes_nothing(stage: Stage, make: Any, rule: Any) -> None:
    limiter = make(rule)

    looks = [stage.call(lambda: limiter.check("u", 5)) for _ in range(3)]

    assert all(one.allowed and one.remaining == 5 for one in looks)


@pytest.mark.parametrize("rule", [RULES["quota"], RULES["sliding_window"]])
def test_a_rule_that_cannot_look_says_so(stage: Stage, make: Any, rule: Any) -> None:
    with pytest.raises(InvalidArgumentType, match="look without taking"):
        stage.call(lambda: make(rule).check("u"))


def test_waiting_ends_when_the_next_is_granted(stage: Stage, make: Any) -> None:
    limiter = make(Gcra(limit=10, period=SECOND, burst=1))
    began = time.monotonic()

    decisions = [stage.call(lambda: limiter.wait("u", within=30 * SECOND)) for _ in range(4)]

    assert all(decisions)
    assert time.monotonic() - began >= 0.3


def test_a_wait_that_would_be_too_long_is_refused_at_once(stage: Stage, make: Any) -> None:
    limiter = make(RULES["gcra"])
    stage.call(lambda: limiter.consume("u", 5))
    began = time.monotonic()

    with pytest.raises(LimitExceeded) as caught:
        stage.call(lambda: limiter.wait("u", within=60 * SECOND))

    assert time.monotonic() - began < 30
    assert caught.value.subject == "u"
    assert caught.value.decision.retry_after > 60 * SECOND


def test_a_block_is_entered_only_when_it_is_granted(stage: Stage, make: Any) -> None:
    limiter, entered = make(RULES["gcra"]), []

    def enter() -> None:
        with limiter.limited("u", 2) as decision:
            entered.append(decision.remaining)

    async def aenter() -> None:
        async with limiter.limited("u", 2) as decision:
            entered.append(decision.remaining)

    block = aenter if stage.is_async else enter
    for _ in range(2):
        stage.call(block)
    with pytest.raises(LimitExceeded):
        stage.call(block)

    assert entered == [3, 1]


def test_a_decorated_function_is_called_only_when_it_is_granted(stage: Stage, make: Any) -> None:
    limiter, sent = make(RULES["gcra"]), []

    def send(name: str) -> str:
        """Send."""
        sent.append(name)
        return f"to {name}"

    async def asend(name: str) -> str:
        """Send."""
        return send(name)

    limited = limiter.limits(lambda name: f"mail:{name}", 3)(asend if stage.is_async else send)

    assert stage.call(lambda: limited("ada")) == "to ada"
    assert stage.call(lambda: limited("bob")) == "to bob"
    with pytest.raises(LimitExceeded, match="mail:ada"):
        stage.call(lambda: limited("ada"))
    assert sent == ["ada", "bob"]
    assert limited.__doc__ == "Send."


def test_competing_callers_never_get_more_than_the_limit(stage: Stage, make: Any) -> None:
    limiter = make(RULES["gcra"])

    decisions = stage.together(*([lambda: limiter.consume("u")] * 30))

    assert sum(map(bool, decisions)) == 5


# --- headers --------------------------------------------------------------------------------


def test_headers_of_a_grant_and_of_a_refusal() -> None:
    ms = timedelta(milliseconds=1)
    granted = Decision(True, 100, timedelta(minutes=1), 42, timedelta(0), 1_001 * ms)
    refused = Decision(False, 100, timedelta(minutes=1), 0, 1 * ms, 60_000 * ms)

    assert granted.headers() == {
        "RateLimit-Policy": '"default";q=100;w=60',
        "RateLimit": '"default";r=42;t=2',
    }
    assert refused.headers("burst") == {
        "RateLimit-Policy": '"burst";q=100;w=60',
        "RateLimit": '"burst";r=0;t=60',
        "Retry-After": "1",
    }


def test_a_bucket_that_never_refills_is_no_rule() -> None:
    with pytest.raises(InvalidArgumentValue, match="refill"):
        TokenBucket(capacity=5, refill=0, period=HOUR)


@pytest.mark.parametrize("policy", ['a"b', "a\\b", "ä", "a\nb"])
def test_a_policy_that_would_break_a_header_is_refused(policy: str) -> None:
    decision = Decision(True, 1, SECOND, 1, timedelta(0), timedelta(0))

    with pytest.raises(InvalidArgumentValue, match="policy"):
        decision.headers(policy)


# --- no server ------------------------------------------------------------------------------


@pytest.mark.single_server("a port without a server")
def test_without_a_server_the_application_has_chosen(stage: Stage, client: Any) -> None:
    nobody = type(stage.client)(host="127.0.0.1", port=1)
    kind = AsyncRateLimiter if stage.is_async else RateLimiter

    def decisions(outage: Any, count: int = 7) -> list[Decision]:
        limiter = kind(nobody, RULES["gcra"], outage=outage, deadline=0.2)
        return [stage.call(lambda: limiter.consume("u")) for _ in range(count)]

    with pytest.raises(CallError):
        decisions("raise", 1)
    assert [one.allowed for one in decisions("allow", 2)] == [True, True]
    assert [one.allowed for one in decisions("deny", 2)] == [False, False]
    local = decisions("local")
    assert [one.allowed for one in local] == [True] * 5 + [False] * 2
    assert [one.remaining for one in local] == [4, 3, 2, 1, 0, 0, 0]
    assert all(one.is_guess for one in local)
    assert timedelta(minutes=11) < local[-1].retry_after <= timedelta(minutes=12)
    stage.call(lambda: nobody.aclose() if stage.is_async else nobody.close())


@pytest.mark.parametrize(
    "rule",
    [
        Gcra(limit=500, period=timedelta(milliseconds=500), burst=7),
        Gcra(limit=3, period=timedelta(days=300), burst=3),
        Quota(limit=9_007_199_254_740_991, window=timedelta(milliseconds=1)),
    ],
    ids=["short", "long", "many"],
)
def test_without_a_server_nothing_is_lost_or_gained_by_rounding(rule: Any) -> None:
    """To the nanosecond, on a machine that has run for a year."""
    now_ns, count = 365 * 86_400 * 10**9 + 7, rule.burst
    local = Local(rule, lambda: now_ns)

    assert local.decide("u", count, takes=False)[0].remaining == count
    assert local.take_up_to("u", count + 1)[0] == count
    (empty,) = local.decide("u", 1, takes=True)
    assert (empty.allowed, empty.remaining) == (False, 0)
    token_ns = rule.window // timedelta(microseconds=1) * 1_000 / rule.limit
    assert 0 <= empty.retry_after / timedelta(microseconds=1) * 1_000 - token_ns < 1_001
    now_ns += empty.retry_after // timedelta(microseconds=1) * 1_000
    assert local.decide("u", 1, takes=False)[0].allowed


@pytest.mark.parametrize(
    ("rule", "options", "named"),
    [
        (Gcra(limit=0, period=HOUR), {}, "limit"),
        (SlidingWindow(limit=5_000, window=HOUR), {}, "limit"),
        (Quota(limit=5, window=timedelta(0)), {}, "window"),
        (Gcra(limit=5, period=timedelta(0)), {"outage": "local"}, "period"),
        (RULES["gcra"], {"outage": "ignore"}, "outage"),
        (RULES["gcra"], {"namespace": "a b"}, "namespace"),
    ],
)
def test_a_rule_that_cannot_be_kept_is_refused_when_the_limiter_is_made(
    make: Any, rule: Any, options: Any, named: str
) -> None:
    with pytest.raises(InvalidArgumentValue, match=named):
        make(rule, **options)
