"""From a server's SLOWLOG to the names of scripts."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from redislua.bindings import limit
from redislua.inspect.slow import Names, SlowLog
from redislua.runtime import run
from redislua.spec.registry import from_sources, load
from tests.cli.shell import ROOT

CATALOGUE = load(ROOT / "scripts")
NAMES = Names(CATALOGUE.scripts)
GCRA = limit.gcra(subject="u", limit=5, period=1_000, burst=5)
EVERYTHING = "slowlog-log-slower-than"


@pytest.fixture
def logged(client: redis.Redis) -> Any:
    """Empties SLOWLOG, has it keep every command, and returns what reads it."""
    before: Any = client.config_get(EVERYTHING)
    client.config_set(EVERYTHING, 0)
    client.slowlog_reset()
    reading: Any = client.execute_command
    yield lambda: reading("SLOWLOG", "GET", 100)
    client.config_set(EVERYTHING, before[EVERYTHING])


def test_a_script_goes_by_its_name_however_it_was_called(client: redis.Redis, logged: Any) -> None:
    source = GCRA.script.source
    words: tuple[Any, ...] = (len(GCRA.keys), *GCRA.keys, *GCRA.args)
    run(client, GCRA)
    client.eval(source.decode(), *words)
    client.execute_command("EVAL", source, *words)
    client.execute_command("EVALSHA", GCRA.script.sha1.upper(), *words)

    log = SlowLog(NAMES)
    log.take("n", "run", logged())

    (one,) = log.slowest(10)
    assert one.name == f"limit.gcra@{GCRA.script.version}"
    assert one.entries >= 4
    assert one.node == "n"
    assert 0 < one.longest <= one.total


def test_scripts_of_nobody_go_by_their_first_line_or_their_digest(
    client: redis.Redis, logged: Any
) -> None:
    client.eval("\n-- Count all things.\nreturn 1", 0)
    client.eval(f"return '{'x' * 500}'", 0)
    sha1: Any = client.script_load("return 2")
    client.evalsha(sha1, 0)

    log = SlowLog(NAMES)
    log.take("n", "run", logged())

    names = {one.name for one in log.slowest(10)}
    assert "EVAL Count all things." in names
    assert f"sha1 {sha1}" in names
    assert any(name.startswith("EVAL return 'xxx") and name.endswith("…") for name in names)
    assert len(names) == 3


def test_functions_go_by_their_name(client: redis.Redis, logged: Any) -> None:
    client.function_load(
        "#!lua name=lib\nredis.register_function('hello', function() return 1 end)", replace=True
    )
    client.fcall("hello", 0)
    client.function_flush()

    log = SlowLog(NAMES)
    log.take("n", "run", logged())

    assert [one.name for one in log.slowest(10)] == ["function hello"]


def test_other_commands_are_passed_over(client: redis.Redis, logged: Any) -> None:
    client.set("k", "v")
    client.ping()
    client.script_load("return 3")

    log = SlowLog(NAMES)
    log.take("n", "run", logged())

    assert log.slowest(10) == ()


def test_an_entry_counts_once_however_often_it_is_read(client: redis.Redis, logged: Any) -> None:
    run(client, GCRA)
    log = SlowLog(NAMES)
    log.take("n", "run", logged())
    (before,) = log.slowest(1)

    log.take("n", "run", logged())
    (same,) = log.slowest(1)
    run(client, GCRA)
    log.take("n", "run", logged())
    (more,) = log.slowest(1)

    assert same == before
    assert more.entries == before.entries + 1


def entry(number: int, took: int, *words: bytes) -> list[Any]:
    return [number, 1_700_000_000 + number, took, list(words), b"127.0.0.1:1", b""]


def test_after_a_restart_identifiers_begin_anew() -> None:
    sha1 = GCRA.script.sha1.encode()
    log = SlowLog(NAMES)

    log.take("n", "first", [entry(7, 50, b"EVALSHA", sha1)])
    log.take("n", "second", [entry(0, 90, b"EVALSHA", sha1)])
    log.take("m", "third", [entry(0, 70, b"EVALSHA", sha1)])

    (one,) = log.slowest(1)
    assert (one.entries, one.longest, one.total, one.node) == (3, 90, 210, "n")
    assert one.last == 1_700_000_007


def test_the_slowest_come_first_and_no_more_than_asked_for() -> None:
    log = SlowLog(Names())
    log.take(
        "n", "run", [entry(number, 10 * number, b"FCALL", b"f%d" % number) for number in range(5)]
    )

    assert [one.name for one in log.slowest(2)] == ["function f4", "function f3"]
    assert log.slowest(0) == ()


def test_texts_that_begin_alike_are_told_apart_by_their_length() -> None:
    source = GCRA.script.source
    changed = source + b"-- and more"
    names = Names(from_sources({"limit/gcra.v1.lua": source}, root=ROOT).scripts)

    def cut(text: bytes) -> bytes:
        return text[:128] + b"... (%d more bytes)" % (len(text) - 128)

    assert names.of([b"EVAL", cut(source), b"0"]) == "limit.gcra@1.0.0"
    assert str(names.of([b"EVAL_RO", cut(changed), b"0"])).startswith("EVAL Take tokens")


def test_a_projects_script_has_its_own_name_before_that_of_the_catalogue() -> None:
    source = GCRA.script.source
    own = from_sources({"limits/gcra.v1.lua": source}, root=ROOT).scripts

    names = Names((*own, *CATALOGUE.scripts))

    assert names.of([b"EVALSHA", GCRA.script.sha1.encode()]) == "limits.gcra@1.0.0"


@pytest.mark.parametrize(
    "words", [[], [b"EVAL"], [b"GET", b"k"], [b"EVAL", b""], [b"EVAL", b"\xff"]]
)
def test_no_words_break_the_naming(words: list[bytes]) -> None:
    found = NAMES.of(words)

    assert (found is None) is (len(words) < 2 or words[0] != b"EVAL")
