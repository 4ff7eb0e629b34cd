"""Every call is counted once, with the server's own time."""

from __future__ import annotations

import hashlib
import threading
from typing import Any

import pytest
import redis

from redislua.probe.slowlog import SlowLog, Summary, percentile
from redislua.server import Server

SOURCE = b"#!lua flags=no-writes\nfor i = 1, ARGV[1] do redis.call('PING') end return 1"
SHA1 = hashlib.sha1(SOURCE, usedforsecurity=False).hexdigest()


@pytest.fixture
def loaded(client: redis.Redis) -> redis.Redis:
    client.script_load(SOURCE)
    return client


def test_every_call_is_counted(server: Server, loaded: redis.Redis) -> None:
    with SlowLog(server.url) as log:
        for _ in range(20):
            loaded.evalsha(SHA1, 1, "k", "0")
        for _ in range(5):
            loaded.evalsha_ro(SHA1, 1, "k", "0")

        samples = log.collect()

    assert {sha1: len(times) for sha1, times in samples.items()} == {SHA1: 25}
    assert log.lost == 0


def test_scripts_are_told_apart_by_their_digest(server: Server, loaded: redis.Redis) -> None:
    other = loaded.script_load("return 1")

    with SlowLog(server.url) as log:
        loaded.evalsha(SHA1, 0, "0")
        loaded.evalsha(str(other).upper(), 0)
        loaded.eval("return 2", 0)

        assert {sha1: len(times) for sha1, times in log.collect().items()} == {SHA1: 1, other: 1}


def test_a_longer_script_takes_longer(server: Server, loaded: redis.Redis) -> None:
    with SlowLog(server.url) as log:
        for _ in range(20):
            loaded.evalsha(SHA1, 0, "0")
        short = log.collect()[SHA1]
        for _ in range(20):
            loaded.evalsha(SHA1, 0, "2000")
        long = log.collect()[SHA1]

    assert Summary.of(long).p50 > 10 * Summary.of(short).p50


def test_samples_come_in_the_order_of_the_calls(server: Server, loaded: redis.Redis) -> None:
    with SlowLog(server.url) as log:
        for count in ("0", "0", "5000"):
            loaded.evalsha(SHA1, 0, count)

        times = log.collect()[SHA1]

    assert times.index(max(times)) == 2


def test_long_arguments_do_not_hide_the_digest(server: Server, loaded: redis.Redis) -> None:
    with SlowLog(server.url) as log:
        loaded.evalsha(SHA1, 40, *["k" * 500] * 40, "0")

        assert [*log.collect()] == [SHA1]


def test_collecting_under_load_neither_loses_nor_doubles(
    server: Server, loaded: redis.Redis
) -> None:
    calls = 400

    def work() -> None:
        with redis.Redis.from_url(server.url) as client:
            for _ in range(calls):
                client.evalsha(SHA1, 0, "0")

    threads = [threading.Thread(target=work) for _ in range(3)]
    counted = 0
    with SlowLog(server.url) as log:
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            counted += len(log.collect().get(SHA1, []))
        counted += len(log.collect().get(SHA1, []))

    assert counted == 3 * calls
    assert log.lost == 0


def test_what_fell_out_is_counted(server: Server, loaded: redis.Redis) -> None:
    with SlowLog(server.url, capacity=10) as log:
        for _ in range(30):
            loaded.evalsha(SHA1, 0, "0")
        samples = log.collect()

        assert len(samples[SHA1]) + log.lost >= 30
        assert len(samples[SHA1]) <= 10
        lost = log.lost
        log.collect()
        assert log.lost == lost


def test_settings_are_put_back(server: Server, client: redis.Redis) -> None:
    settings: Any = client.config_get("slowlog*")
    try:
        client.config_set("slowlog-log-slower-than", 4321, "slowlog-max-len", 77)
        with SlowLog(server.url):
            assert client.config_get("slowlog-log-slower-than") == {"slowlog-log-slower-than": "0"}
        with pytest.raises(ZeroDivisionError), SlowLog(server.url):
            raise ZeroDivisionError

        assert client.config_get("slowlog*") == {
            "slowlog-log-slower-than": "4321",
            "slowlog-max-len": "77",
        }
    finally:
        for name, value in settings.items():
            client.config_set(name, value)


def test_what_ran_before_is_not_counted(server: Server, loaded: redis.Redis) -> None:
    with SlowLog(server.url):
        loaded.evalsha(SHA1, 0, "0")

    with SlowLog(server.url) as log:
        assert log.collect() == {}


@pytest.mark.parametrize(
    ("count", "share", "expected"),
    [
        (1, 50, 1),
        (2, 50, 1),
        (3, 50, 2),
        (100, 50, 50),
        (100, 99, 99),
        (100, 99.9, 100),
        (1000, 99.9, 999),
        (1001, 99.9, 1000),
        (1000, 100, 1000),
        (1000, 0.01, 1),
    ],
)
def test_percentiles_are_by_nearest_rank(count: int, share: float, expected: int) -> None:
    assert percentile(range(1, count + 1), share) == expected


def test_a_summary_does_not_depend_on_the_order() -> None:
    assert Summary.of([5, 1, 3, 2, 4]) == Summary(count=5, p50=3, p99=5, p999=5, max=5)


def test_nothing_has_no_summary() -> None:
    with pytest.raises(ValueError, match="no samples"):
        Summary.of([])


def test_below_a_threshold_nothing_is_seen_and_nothing_lost(
    server: Server, loaded: redis.Redis
) -> None:
    with SlowLog(server.url, capacity=500, threshold=1_000) as log:
        for count in ("0", "20000", "0", "20000"):
            loaded.evalsha(SHA1, 0, count)

        times = log.collect()[SHA1]

    assert len(times) == 2
    assert min(times) >= 1_000
    assert log.lost == 0
