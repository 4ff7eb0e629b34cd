"""From what each server says in SLOWLOG, in MONITOR and in its errors back to the script."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

import pytest
import redis

from redislua.bindings import limit
from redislua.errors import ScriptError
from redislua.runtime import run
from redislua.runtime.watching import known_scripts, whois
from redislua.server import Server
from tests.runtime.samples import call

GCRA = limit.gcra(subject="whois", limit=1, period=1_000_000, burst=1)
SHA1 = GCRA.script.sha1
UNKNOWN = hashlib.sha1(b"never written", usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(
    "said",
    [
        SHA1,
        SHA1.upper(),
        SHA1.encode(),
        f"f_{SHA1}",
        f"{UNKNOWN} {SHA1}",
        [1, 2, [b"EVALSHA", SHA1.encode(), b"1", b"\xff\xfe"]],
        {"id": 1, "command": {"words": (b"EVALSHA", SHA1)}},
        ValueError(f"in {SHA1}:"),
    ],
    ids=repr,
)
def test_a_digest_is_found_wherever_it_stands(said: Any) -> None:
    found = whois(said)

    assert found is GCRA.script
    assert str(found) == f"limit.gcra@{GCRA.script.version}"


@pytest.mark.parametrize(
    "said", ["", b"", SHA1[:-1], f"{SHA1}0", f"0{SHA1}", UNKNOWN, [], {}, [None, 7]]
)
def test_what_holds_no_known_digest_is_nobodys(said: Any) -> None:
    assert whois(said) is None


def test_all_scripts_of_an_imported_module_are_known() -> None:
    for script in limit.SCRIPTS:
        assert known_scripts()[script.sha1] is script


def test_the_module_that_was_imported_first_is_meant() -> None:
    again = dataclasses.replace(GCRA.script, file="elsewhere.lua")

    assert again != GCRA.script
    assert whois(SHA1) is GCRA.script


def test_a_call_is_shown_without_its_script() -> None:
    assert "redis.call" not in repr(GCRA)
    assert "limit.gcra" in repr(GCRA)
    assert "redis.call" not in repr(GCRA.script)


def test_slowlog_entries_lead_to_the_script(private: Server) -> None:
    with redis.Redis.from_url(private.url) as client:
        client.config_set("slowlog-log-slower-than", 0)
        client.slowlog_reset()
        run(client, GCRA)
        run(client, GCRA)
        entries: Any = client.slowlog_get(100)

    of_calls = [one for one in entries if one["command"].upper().startswith(b"EVALSHA")]
    assert len(of_calls) >= 2
    assert [whois(one) for one in of_calls] == [GCRA.script] * len(of_calls)
    others = [one for one in entries if one["command"].upper().startswith((b"CONFIG", b"TIME"))]
    assert others
    assert [whois(one) for one in others] == [None] * len(others)


def test_monitor_lines_lead_to_the_script(private: Server) -> None:
    with redis.Redis.from_url(private.url) as client, client.monitor() as monitor:
        run(client, GCRA)
        run(client, GCRA)
        client.echo("end")
        lines: list[bytes] = []
        while not lines or b'"end"' not in lines[-1]:
            lines.append(monitor.connection.read_response(disable_decoding=True))

    of_calls = [line for line in lines if b'"EVALSHA"' in line]
    inside = [line for line in lines if b" lua]" in line]
    assert len(of_calls) >= 2
    assert inside
    assert [whois(line) for line in of_calls] == [GCRA.script] * len(of_calls)
    assert [whois(line) for line in inside] == [None] * len(inside)


def test_errors_lead_to_the_script_where_the_server_names_it(private: Server) -> None:
    faulty = call("return redis.call('HGET', KEYS[1], 'field')")
    with redis.Redis.from_url(private.url) as client:
        client.set(faulty.keys[0], "a string")
        client.script_load(faulty.script.source.decode())
        with pytest.raises(redis.ResponseError) as raised:
            client.evalsha(faulty.script.sha1, 1, faulty.keys[0])
        with pytest.raises(ScriptError):
            run(client, faulty)

    names_it = not private.version.startswith("Valkey 9")
    assert (faulty.script.sha1 in str(raised.value)) == names_it
    assert (whois(raised.value) == faulty.script) == names_it
