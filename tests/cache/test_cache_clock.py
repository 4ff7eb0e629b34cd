"""Ages, soft expiries, early refreshes and versions, to the unit."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from redislua.bindings import cache

from .clock import Clocked

HOLD = 600_000
DAY = 86_400_000

ms = timedelta(milliseconds=1)


@pytest.fixture
def clocked(client: redis.Redis) -> Clocked:
    """The scripts on the test's server, under a clock that stands still."""
    return Clocked(client)


def ask(clocked: Clocked, owner: str, **arguments: Any) -> Any:
    return clocked.run(cache.get_or_lock(key="k", owner=owner, hold=HOLD, **arguments))


def store(clocked: Clocked, soft: int, cost: int = 0, **arguments: Any) -> None:
    clocked.run(cache.invalidate(key="k"))
    ask(clocked, "filler")
    clocked.run(
        cache.fill(
            key="k", owner="filler", value=b"v", soft=soft, hard=366 * DAY, cost=cost, **arguments
        )
    )


def test_a_value_is_fresh_until_the_very_millisecond_of_its_soft_expiry(clocked: Clocked) -> None:
    store(clocked, soft=30 * DAY)

    assert ask(clocked, "a") == cache.GetOrLockHit(b"v", 0 * ms, 30 * DAY * ms)
    clocked.advance(30 * DAY - 1)
    assert ask(clocked, "a") == cache.GetOrLockHit(b"v", (30 * DAY - 1) * ms, 1 * ms)
    assert clocked.run(cache.read(key="k")) == cache.ReadHit(b"v", (30 * DAY - 1) * ms, 1 * ms)
    clocked.advance(1)
    assert clocked.run(cache.read(key="k")) == cache.ReadStale(b"v", 30 * DAY * ms)
    assert ask(clocked, "a") == cache.GetOrLockRefresh(b"v", 30 * DAY * ms)
    assert ask(clocked, "b") == cache.GetOrLockStale(b"v", 30 * DAY * ms)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    cost=st.integers(0, 600_000),
    beta_ppm=st.integers(0, 100_000_000),
    draw_ppm=st.integers(1, 1_000_000),
    left=st.integers(1, 10_000_000),
)
def test_an_early_refresh_follows_the_published_formula(
    clocked: Clocked, cost: int, beta_ppm: int, draw_ppm: int, left: int
) -> None:
    """Refresh when now - cost * beta * ln(u) >= soft expiry (XFetch, Vattani et al. 2015)."""
    early = -cost * (beta_ppm / 1e6) * math.log(draw_ppm / 1e6)
    assume(abs(early - left) > 1e-3)
    store(clocked, soft=left, cost=cost)

    reply = ask(clocked, "a", beta_ppm=beta_ppm, draw_ppm=draw_ppm)

    assert type(reply) is (cache.GetOrLockRefresh if early > left else cache.GetOrLockHit)


def test_as_many_callers_refresh_early_as_the_formula_says(clocked: Clocked) -> None:
    """P(refresh) = exp(-left / (beta * cost)): counted over evenly spread draws."""
    refreshing = 0
    store(clocked, soft=1_000, cost=500)
    for draw in range(500, 1_000_000, 1_000):
        reply = ask(clocked, "a", draw_ppm=draw)
        if type(reply) is cache.GetOrLockRefresh:
            refreshing += 1
            clocked.run(cache.abandon(key="k", owner="a", cooldown=1))
            store(clocked, soft=1_000, cost=500)

    assert abs(refreshing / 1_000 - math.exp(-2)) < 0.002


@pytest.mark.parametrize("back", [1, 1_000, 3_600_000, 366 * DAY])
def test_a_value_from_the_future_is_not_fresh_for_ever(clocked: Clocked, back: int) -> None:
    """After the clock was set back nobody knows its age: it is refreshed, not trusted."""
    store(clocked, soft=60_000)
    clocked.advance(-back)

    assert clocked.run(cache.read(key="k")) == cache.ReadStale(b"v", 0 * ms)
    assert ask(clocked, "a") == cache.GetOrLockRefresh(b"v", 0 * ms)
    assert ask(clocked, "b") == cache.GetOrLockStale(b"v", 0 * ms)
    clocked.run(cache.fill(key="k", owner="a", value=b"w", soft=60_000, hard=60_000))
    assert ask(clocked, "b") == cache.GetOrLockHit(b"w", 0 * ms, 60_000 * ms)


def test_a_version_is_the_servers_microsecond_or_one_more(clocked: Clocked) -> None:
    """Sixteen digits, which Lua's own conversion would round."""
    versions = []
    for _ in range(3):
        stored = clocked.run(cache.conditional_update(key="k", mode="any", value=b"v"))
        assert isinstance(stored, cache.ConditionalUpdateStored)
        versions.append(stored.version)

    assert versions == [str(clocked.now_us + step) for step in range(3)]


@pytest.mark.parametrize("back", [1, 3_600_000, 366 * DAY])
def test_versions_grow_when_the_clock_was_set_back(clocked: Clocked, back: int) -> None:
    update: dict[str, Any] = {"key": "k", "value": b"v"}
    first: Any = clocked.run(cache.conditional_update(mode="create", **update))
    clocked.advance(-back)

    second: Any = clocked.run(
        cache.conditional_update(mode="match", expected=first.version, **update)
    )

    assert int(second.version) == int(first.version) + 1
