"""Commands inside a call are counted exactly, by the server."""

from __future__ import annotations

import hashlib

import pytest
import redis

from redislua.probe.commandstats import count
from redislua.runtime.call import Call, Script


def calling(source: bytes, *args: bytes, read_only: bool = False) -> Call[object]:
    """A call of a script with one key."""
    sha1 = hashlib.sha1(source, usedforsecurity=False).hexdigest()
    script = Script("test.count", "1.0.0", "test/count.v1.lua", sha1, source, read_only, "safe", {})
    return Call(script, (b"{k}",), args, decode=lambda reply: reply)


@pytest.mark.parametrize("rounds", [0, 10, 1_000])
def test_each_command_is_counted(rounds, client):
    source = (
        b"#!lua\nfor i = 1, tonumber(ARGV[1]) do\n"
        b"redis.call('SET', KEYS[1], i) redis.call('GET', KEYS[1]) end\n"
        b"redis.call('TIME') return redis.call('EXISTS', KEYS[1])"
    )

    counted = count(client, calling(source, b"%d" % rounds))

    expected = {"exists": 1, "get": rounds, "set": rounds, "time": 1}
    assert dict(counted.commands) == {name: times for name, times in expected.items() if times}
    assert counted.calls == 2 * rounds + 2
    assert counted.reply == int(rounds > 0)
    assert [*counted.commands] == sorted(counted.commands)


def test_what_ran_before_is_not_counted_and_the_next_call_neither(client):
    call = calling(b"#!lua\nreturn redis.call('INCR', KEYS[1])")

    first, second = count(client, call), count(client, call)

    assert first.commands == second.commands == {"incr": 1}
    assert (first.reply, second.reply) == (1, 2)


def test_a_command_that_fails_counts_and_so_does_one_that_is_refused(client):
    source = (
        b"#!lua\nredis.pcall('HGET', KEYS[1], 'f') redis.pcall('GET')\n"
        b"return redis.call('LPUSH', KEYS[1], 'x')"
    )
    client.set("{k}", "text")

    counted = count(client, calling(source))

    assert counted.commands["hget"] == 1
    assert counted.commands["lpush"] == 1
    assert isinstance(counted.reply, redis.ResponseError)


def test_a_subcommand_has_its_own_name(client):
    source = b"#!lua\nreturn redis.call('OBJECT', 'ENCODING', KEYS[1])"
    client.set("{k}", "1")

    assert count(client, calling(source)).commands == {"object|encoding": 1}


def test_a_longer_call_takes_longer(client):
    source = b"#!lua\nfor i = 1, tonumber(ARGV[1]) do end return 1"

    short, long = (count(client, calling(source, rounds)) for rounds in (b"1", b"3000000"))

    assert long.microseconds > 10 * max(short.microseconds, 1)
    assert long.commands == {}


def test_replies_are_bytes_whatever_the_client_decodes(server):
    source = b"#!lua\nreturn {'\xff', 1, {'a'}}"

    with redis.Redis.from_url(server.url, decode_responses=True) as client:
        assert count(client, calling(source)).reply == [b"\xff", 1, [b"a"]]


def test_a_script_that_does_not_compile_is_an_error(client):
    with pytest.raises(redis.ResponseError, match=r"(?i)compiling"):
        count(client, calling(b"#!lua\nreturn = 1"))
