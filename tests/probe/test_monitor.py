"""Every command is seen, exactly and in order, and those inside scripts are told apart."""

from __future__ import annotations

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from redislua.probe.monitor import Monitor, read_line


def test_commands_inside_a_script_are_marked(server, client):
    with Monitor(server.url) as monitor:
        client.set("k", "1")
        client.eval("redis.call('incr', KEYS[1]) return redis.call('GET', KEYS[1])", 1, "k")

        seen = monitor.collect()

    own = [one for one in seen if one.name in ("SET", "EVAL", "INCR", "GET")]
    assert [(one.name, one.in_script) for one in own] == [
        ("SET", False),
        ("EVAL", False),
        ("INCR", True),
        ("GET", True),
    ]
    assert own[2].words == (b"incr", b"k")
    assert own[0].database == 0


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(value=st.binary(max_size=40))
def test_words_are_exact_whatever_bytes_they_hold(value, server, client):
    with Monitor(server.url) as monitor:
        client.eval("return redis.call('SET', KEYS[1], ARGV[1])", 1, b"k" + value, value)

        inside = [one for one in monitor.collect() if one.in_script]

    assert [one.words for one in inside] == [(b"SET", b"k" + value, value)]


def test_what_ran_before_is_not_seen_and_each_command_once(server, client):
    client.set("before", "1")
    with Monitor(server.url) as monitor:
        client.set("first", "1")
        first = monitor.collect()
        client.set("second", "1")
        second = monitor.collect()

    keys = [[one.words[1] for one in seen if one.name == "SET"] for seen in (first, second)]
    assert keys == [[b"first"], [b"second"]]


def test_it_leaves_no_connection_behind(server, client):
    before = len(client.client_list())

    with Monitor(server.url) as monitor:
        monitor.collect()
    with pytest.raises(ZeroDivisionError), Monitor(server.url):
        raise ZeroDivisionError

    assert len(client.client_list()) <= before


def test_a_server_that_is_not_there_is_an_error():
    with pytest.raises(redis.ConnectionError), Monitor("redis://127.0.0.1:1/0"):
        pass


@pytest.mark.parametrize("line", [b"", b"OK", b"1.2 [0 lua]", b'1.2 0 lua] "GET"'])
def test_another_text_is_refused(line):
    with pytest.raises(ValueError, match="not a line of MONITOR"):
        read_line(line)
