"""Hit rates, evictions and memory by windows: what the totals since the start cannot tell."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from redislua.bindings import cache
from redislua.errors import InvalidArgument
from redislua.runtime import run
from redislua.runtime.watching.alarms import Alarm, Thresholds, Watchman
from redislua.runtime.watching.vitals import Reading, Readings, Window, fields_of
from redislua.server import Server

SAID: dict[str, Any] = {
    "run_id": "a" * 40,
    "role": "master",
    "maxmemory_policy": "noeviction",
    "used_memory": 50,
    "maxmemory": 100,
    "total_system_memory": 1_000,
    "connected_clients": 1,
    "total_commands_processed": 10,
    "keyspace_hits": 1_000,
    "keyspace_misses": 0,
    "expired_keys": 0,
    "evicted_keys": 0,
    "total_net_input_bytes": 100,
    "number_of_cached_scripts": 0,
    "db0": {"keys": 600, "expires": 0},
    "db11": {"keys": 400, "expires": 0},
}


def reading(at: float = 0.0, **said: Any) -> Reading:
    return Reading.of({**SAID, **said}, at)


def window(seconds: float = 10.0, before: dict[str, Any] | None = None, **after: Any) -> Window:
    found = Window("n", seconds, reading(**(before or {})), reading(seconds, **after))
    assert found.after.at - found.before.at == seconds
    return found


def kinds(alarms: tuple[Alarm, ...]) -> list[str]:
    return [alarm.kind for alarm in alarms]


# --- what a server really says ---


def test_a_window_counts_what_was_done_within_it(client: redis.Redis) -> None:
    readings = Readings()
    client.set("there", "x")
    client.get("there")
    assert readings.take("n", Reading.of(client.info(), 0.0)) is None

    for _ in range(3):
        client.get("there")
    client.get("gone")
    found = readings.take("n", Reading.of(client.info(), 2.0))

    assert found is not None
    assert (found.lookups, found.hit_rate, found.seconds) == (4, 0.75, 2.0)
    assert found.evicted == 0
    assert found.after.keys == 1


def test_an_idle_server_has_no_hit_rate_and_gives_no_alarm(client: redis.Redis) -> None:
    """P20: totals say 0 % of an idle server and warn for ever."""
    readings = Readings()
    client.config_resetstat()
    readings.take("n", Reading.of(client.info(), 0.0))

    found = readings.take("n", Reading.of(client.info(), 10.0))

    assert found is not None
    assert (found.lookups, found.hit_rate) == (0, None)
    assert "hit-rate" not in kinds(Thresholds(least_lookups=1).judge(found))


def test_leases_that_find_nothing_count_as_misses(client: redis.Redis) -> None:
    """P20: a lock's own look-ups are in the ratio; a few of them give no alarm."""
    readings = Readings()
    readings.take("n", Reading.of(client.info(), 0.0))

    for number in range(10):
        run(client, cache.get_or_lock(key=f"k{number}", owner="a", hold=1_000))
    found = readings.take("n", Reading.of(client.info(), 10.0))

    assert found is not None
    assert found.lookups is not None
    assert found.lookups >= 10
    assert found.hit_rate == 0
    assert Thresholds().judge(found) == ()


def test_a_reset_of_the_statistics_begins_a_new_window(client: redis.Redis) -> None:
    readings = Readings()
    client.set("k", "x")
    for _ in range(5):
        client.get("k")
    readings.take("n", Reading.of(client.info(), 0.0))

    client.config_resetstat()
    client.get("k")

    assert readings.take("n", Reading.of(client.info(), 1.0)) is None
    client.get("k")
    found = readings.take("n", Reading.of(client.info(), 2.0))
    assert found is not None
    assert found.lookups == 1


def test_evictions_and_refusals_are_seen(private: Server) -> None:
    with redis.Redis.from_url(private.url) as client:
        readings = Readings()
        client.config_set("maxmemory", client.info()["used_memory"] + 2_000_000)
        readings.take("n", Reading.of(client.info(), 0.0))

        client.config_set("maxmemory-policy", "allkeys-lru")
        for number in range(2_000):
            client.set(f"k{number}", "x" * 2_000)
        evicting = readings.take("n", Reading.of(client.info(), 1.0))
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", 1)
        with pytest.raises(redis.exceptions.OutOfMemoryError):
            client.set("k", "x")
        refusing = readings.take("n", Reading.of(client.info(), 2.0))

    assert evicting is not None
    assert refusing is not None
    assert evicting.evicted
    assert evicting.evicted > 100
    assert kinds(Thresholds().judge(evicting)) == ["evictions"]
    assert refusing.refused == 1
    assert set(kinds(Thresholds().judge(refusing))) == {"memory", "refused"}


def test_a_restart_begins_a_new_window(private: Server) -> None:
    """P20: totals that went back to 0 are no negative rate."""
    readings = Readings()
    with redis.Redis.from_url(private.url) as client:
        said: Any = client.info()
    readings.take("n", Reading.of(said, 0.0))

    again = {**said, "run_id": "b" * 40, "keyspace_hits": 10**9}

    assert readings.take("n", Reading.of(again, 1.0)) is None


# --- thresholds ---


def test_too_few_look_ups_say_nothing() -> None:
    few = window(keyspace_misses=199)
    enough = window(keyspace_misses=200)

    assert Thresholds().judge(few) == ()
    assert kinds(Thresholds().judge(enough)) == ["hit-rate"]
    assert Thresholds(hit_rate=None).judge(enough) == ()


def test_the_hit_rate_is_that_of_the_window_and_not_of_all_time() -> None:
    """P20: a million old hits hide that nothing is found any more, and the reverse."""
    old = {"keyspace_hits": 10**6, "keyspace_misses": 10**6}
    bad = window(before=old, keyspace_hits=10**6 + 10, keyspace_misses=10**6 + 990)
    good = window(before=old, keyspace_hits=10**6 + 990, keyspace_misses=10**6 + 10)

    assert (bad.hit_rate, good.hit_rate) == (0.01, 0.99)
    assert kinds(Thresholds().judge(bad)) == ["hit-rate"]
    assert Thresholds().judge(good) == ()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"used_memory": 95}, ["memory"]),
        ({"used_memory": 85}, []),
        # Full is what a cache is meant to be.
        ({"used_memory": 99, "maxmemory_policy": "allkeys-lru"}, []),
        # P20: with maxmemory 0 a share of maxmemory never alarms; the machine's end does.
        ({"used_memory": 950, "maxmemory": 0}, ["memory"]),
        ({"used_memory": 500, "maxmemory": 0}, []),
        ({"used_memory": 950, "maxmemory": 0, "total_system_memory": None}, []),
        ({"used_memory": None}, []),
        ({"maxmemory": None, "used_memory": 999}, []),
    ],
)
def test_memory_is_an_alarm_where_running_out_of_it_breaks_something(
    said: dict[str, Any], expected: list[str]
) -> None:
    assert kinds(Thresholds().judge(window(**said))) == expected


@pytest.mark.parametrize(
    ("evicted", "seconds", "expected"),
    [(99, 0.1, []), (100, 10.0, []), (200, 10.0, ["evictions"]), (166, 10.0, [])],
)
def test_evictions_are_an_alarm_when_all_keys_would_soon_be_replaced(
    evicted: int, seconds: float, expected: list[str]
) -> None:
    found = window(seconds, evicted_keys=evicted, maxmemory_policy="allkeys-lru")

    assert kinds(Thresholds().judge(found)) == expected
    assert Thresholds(turnover=None).judge(found) == ()


def test_an_alarm_names_the_server_and_the_figures() -> None:
    (alarm,) = Thresholds().judge(window(keyspace_hits=1_100, keyspace_misses=300))

    assert alarm.node == "n"
    assert "25.0% of 400 look-ups" in alarm.text
    assert "80%" in alarm.text


def test_what_a_server_leaves_out_is_unknown_and_not_zero() -> None:
    """P20: a missing field read as 0 makes rates of nothing."""
    empty = Window("n", 1.0, Reading.of({}, 0.0), Reading.of({}, 1.0))

    assert (empty.hit_rate, empty.evicted, empty.after.memory) == (None, None, None)
    assert Thresholds(least_lookups=1, memory=0).judge(empty) == ()


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine
@given(st.dictionaries(st.sampled_from(sorted(SAID)), st.none() | st.text() | st.integers(0)))
def test_no_reply_to_info_breaks_a_reading(said: dict[str, Any]) -> None:
    found = Window("n", 0.0, Reading.of(said, 0.0), Reading.of({**SAID, **said}, 0.0))

    Thresholds(least_lookups=1, least_evicted=1, hit_rate=1, memory=0).judge(found)


def test_a_server_that_was_away_begins_anew() -> None:
    readings = Readings()
    readings.take("n", reading(0.0))
    readings.forget("n")
    readings.forget("never seen")

    assert readings.take("n", reading(5.0)) is None
    assert readings.take("other", reading(5.0)) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"hit_rate": 1.5},
        {"hit_rate": "0.8"},
        {"memory": True},
        {"memory": -0.1},
        {"least_lookups": 0},
        {"least_lookups": 1.5},
        {"least_evicted": True},
        {"turnover": 60},
    ],
)
def test_thresholds_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument) as raised:
        Thresholds(**wrong)

    assert raised.value.parameter in wrong


# --- looking at a server again and again ---


def test_a_servers_own_text_is_read_as_the_client_library_reads_it(client: redis.Redis) -> None:
    client.set("k", "v", ex=100)
    with pytest.raises(redis.ResponseError):
        client.execute_command("NO SUCH")
    said: Any = client.info()
    with redis.Redis(connection_pool=client.connection_pool) as raw:
        raw.response_callbacks.pop("INFO", None)
        text = raw.execute_command("INFO")

    ours, theirs = Reading.of(fields_of(text), 0.0), Reading.of(said, 0.0)

    differing = {"commands", "traffic", "used"}  # they grow between the two
    for name in Reading.__slots__:
        assert name in differing or getattr(ours, name) == getattr(theirs, name), name
    assert ours.keys == 1


def test_a_server_that_does_not_answer_is_an_alarm_and_begins_anew() -> None:
    watchman = Watchman(Thresholds())
    watchman.look("n", SAID, 0.0)

    gone = watchman.look("n", redis.ConnectionError("Connection\nrefused"), 1.0)
    back = watchman.look("n", SAID, 2.0)
    after = watchman.look("n", {**SAID, "keyspace_misses": 1_000}, 3.0)

    assert (gone.reading, kinds(gone.alarms)) == (None, ["unreachable"])
    assert gone.alarms[0].text == "its INFO cannot be read: Connection refused"
    assert (back.window, back.alarms) == (None, ())
    assert after.window is not None
    assert kinds(after.alarms) == ["hit-rate"]
