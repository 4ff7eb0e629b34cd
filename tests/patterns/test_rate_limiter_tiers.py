"""`RateLimiter` with several limits at once, and what is done beside its decisions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from redislua.errors import CallError, InvalidArgument
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

NONE, MINUTE, HOUR = timedelta(0), timedelta(minutes=1), timedelta(hours=1)
TIERS = Tiers(minute=Gcra(2, MINUTE), hour=Gcra(3, HOUR))
POLICY = '"minute";q=2;w=60, "hour";q=3;w=3600'


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
        "RateLimit-Policy": POLICY,
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


def test_a_decorated_function_is_called_only_when_every_tier_grants(
    stage: Stage, make: Any
) -> None:
    limiter, done = make(), []

    def work() -> None:
        done.append(1)

    async def awork() -> None:
        work()

    limited = limiter.limits("u")(awork if stage.is_async else work)
    for _ in range(2):
        stage.call(limited)
    with pytest.raises(LimitExceeded) as caught:
        stage.call(limited)

    assert len(done) == 2
    assert [tier.name for tier in caught.value.decision.tiers] == ["minute", "hour"]


def test_who_is_shut_out_is_told_so_for_every_tier(stage: Stage, make: Any) -> None:
    limiter = make()
    stage.call(lambda: limiter.block("u", MINUTE))

    with pytest.raises(LimitExceeded, match="'u' is shut out: retry in ") as caught:
        stage.call(lambda: limiter.wait("u", within=timedelta(seconds=1)))

    assert caught.value.decision.headers() == {
        "RateLimit-Policy": POLICY,
        "RateLimit": '"minute";r=0;t=60, "hour";r=0;t=60',
        "Retry-After": "60",
    }


def test_who_is_shut_out_takes_nothing_for_a_batch(stage: Stage, make: Any) -> None:
    limiter = make(Gcra(5, HOUR), blocks=True)
    assert stage.call(lambda: limiter.take_up_to("u", 1)) == Granted(1, 4, NONE)
    stage.call(lambda: limiter.block("u", MINUTE))

    found = stage.call(lambda: limiter.take_up_to("u", 5))

    assert (found.count, found.is_blocked) == (0, True)
    assert timedelta(seconds=50) < found.retry_after <= MINUTE


@pytest.mark.single_server("one server is full")
def test_who_is_shut_out_stays_out_when_the_limit_cannot_be_asked(
    stage: Stage, make: Any, make_full: Callable[[], None]
) -> None:
    limiter = make(Gcra(5, HOUR), blocks=True, outage="allow")
    stage.call(lambda: limiter.block("u", MINUTE))
    make_full()

    shut_out = stage.call(lambda: limiter.consume("u"))
    other = stage.call(lambda: limiter.consume("other"))

    assert (shut_out.allowed, shut_out.is_blocked, shut_out.is_guess) == (False, True, False)
    assert (other.allowed, other.is_guess) == (True, True)
    stage.call(lambda: limiter.unblock("u"))
    assert stage.call(lambda: limiter.consume("u")).allowed


# --- no server ------------------------------------------------------------------------------


@pytest.fixture
def alone(stage: Stage) -> Iterator[Callable[..., Any]]:
    """``alone(rule, outage)`` is a limiter whose server is not there."""
    nobody = type(stage.client)(host="127.0.0.1", port=1)
    kind = AsyncRateLimiter if stage.is_async else RateLimiter
    yield lambda rule, outage: kind(nobody, rule, outage=outage, deadline=0.2)
    stage.call(lambda: nobody.aclose() if stage.is_async else nobody.close())


alone_on_one = pytest.mark.single_server("a port without a server")


@alone_on_one
@pytest.mark.parametrize(("outage", "expected"), [("allow", [True] * 2), ("deny", [False] * 2)])
def test_without_a_server_a_choice_holds_for_every_tier(
    stage: Stage, alone: Any, outage: str, expected: list[bool]
) -> None:
    limiter = alone(TIERS, outage)

    found = [stage.call(partial(limiter.consume, "u")) for _ in range(2)]

    assert [one.allowed for one in found] == expected
    assert all(one.is_guess for one in found)
    assert {one.headers()["RateLimit-Policy"] for one in found} == {POLICY}
    assert ("Retry-After" in found[0].headers()) is not expected[0]


@alone_on_one
def test_without_a_server_errors_pass_where_they_are_asked_for(stage: Stage, alone: Any) -> None:
    limiter = alone(TIERS, "raise")

    for ask in (limiter.consume, limiter.check):
        with pytest.raises(CallError):
            stage.call(partial(ask, "u"))


@alone_on_one
def test_without_a_server_every_tier_is_kept_in_the_process(stage: Stage, alone: Any) -> None:
    limiter = alone(Tiers(fast=Gcra(2, timedelta(milliseconds=2)), slow=Gcra(3, HOUR)), "local")

    found = [stage.call(lambda: limiter.wait("u", within=timedelta(seconds=30))) for _ in range(3)]
    refused = stage.call(lambda: limiter.consume("u"))
    looked = stage.call(lambda: limiter.check("other"))

    assert [one.tiers[1].remaining for one in found] == [2, 1, 0]
    assert (refused.allowed, refused.limit, refused.window) == (False, 3, HOUR)
    assert timedelta(minutes=19) < refused.retry_after <= timedelta(minutes=20)
    assert refused.headers()["RateLimit"].endswith('"slow";r=0;t=3600')
    assert [tier.remaining for tier in looked.tiers] == [2, 3]
    assert all(one.is_guess for one in (*found, refused, looked))


@alone_on_one
@pytest.mark.parametrize("names", [("minute", "hour"), ("hour", "minute")])
def test_without_a_server_the_tier_that_waits_longest_is_named(
    stage: Stage, alone: Any, names: tuple[str, str]
) -> None:
    rules = {"minute": Gcra(1, MINUTE), "hour": Gcra(1, HOUR)}
    limiter = alone(Tiers({name: rules[name] for name in names}), "local")
    stage.call(lambda: limiter.consume("u"))

    refused = stage.call(lambda: limiter.consume("u"))

    assert (refused.allowed, refused.window) == (False, HOUR)
    assert timedelta(minutes=59) < refused.retry_after <= HOUR


@alone_on_one
@pytest.mark.parametrize("outage", ["allow", "deny", "local"])
@pytest.mark.parametrize("rule", [TIERS, Gcra(2, HOUR)], ids=["tiers", "gcra"])
def test_without_a_server_what_can_never_be_granted_is_said_so(
    stage: Stage, alone: Any, rule: Any, outage: str
) -> None:
    with pytest.raises(CostTooLarge):
        stage.call(lambda: alone(rule, outage).consume("u", 3))


@alone_on_one
def test_without_a_server_batches_follow_the_choice_too(stage: Stage, alone: Any) -> None:
    def counts(outage: str) -> list[int]:
        limiter = alone(Gcra(10, HOUR), outage)
        found = [stage.call(lambda: limiter.take_up_to("u", 4)) for _ in range(4)]
        assert all(one.is_guess for one in found)
        assert all((one.retry_after > NONE) is (one.count == 0) for one in found)
        return [one.count for one in found]

    assert counts("allow") == [4, 4, 4, 4]
    assert counts("deny") == [0, 0, 0, 0]
    assert counts("local") == [4, 4, 2, 0]
    with pytest.raises(CallError):
        counts("raise")


@alone_on_one
def test_without_a_server_nothing_is_settled_or_forgotten(stage: Stage, alone: Any) -> None:
    """These are lost, whatever was chosen for decisions."""
    limiter = alone(Gcra(10, HOUR), "allow")
    asked = [
        partial(limiter.settle, "u", -1),
        partial(limiter.reset, "u"),
        partial(limiter.block, "u", MINUTE),
        partial(limiter.unblock, "u"),
    ]

    for one in asked:
        with pytest.raises(CallError):
            stage.call(one)


# --- wrong rules ----------------------------------------------------------------------------


def test_what_a_rule_cannot_do_is_refused(stage: Stage, make: Any) -> None:
    limiter = make(Quota(5, HOUR))

    for asked in (partial(limiter.settle, "u", 1), partial(limiter.take_up_to, "u", 1)):
        with pytest.raises(InvalidArgument, match="Gcra"):
            stage.call(asked)
    wrong: list[dict[Any, Any]] = [
        {},
        {f"t{at}": Gcra(1, HOUR) for at in range(9)},
        {"a": Quota(5, HOUR)},
        {"a": Gcra(5, HOUR, max_debt=1)},
        *({name: Gcra(5, HOUR)} for name in ("größe", 'a"b', "a\\b", "a\n", 7)),
    ]
    for tiers in wrong:
        with pytest.raises(InvalidArgument):
            Tiers(tiers)
