"""Instructions of Lua's machine: exact, the same in every run, and none of the engine's own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from redislua.probe.engine import Engine, Fault, NotOffered, TooLong
from redislua.runtime import run
from tests.catalogue.samples import registry, valid_call
from tests.probe.engine.samples import script_call

CLOCK = 1_800_000_000_000_000
RUNS = 20


@pytest.fixture
def engine(server, client):
    with Engine(server.url) as opened:
        yield opened


def counted(engine: Engine, text: str, *args: bytes) -> int:
    found = engine.run(script_call(text, [b"k"], args), watch="instructions").instructions
    assert found is not None
    return found


def test_the_count_is_that_of_the_bytecode(engine):
    """``return 1`` is LOADK and RETURN; what the compiler adds behind it is never run."""
    assert counted(engine, "return 1") == 2
    assert counted(engine, "") == 1
    assert counted(engine, "local a, b = 1, 2 return a + b") == 4


def test_a_loop_costs_the_same_each_time_round(engine):
    costs = [counted(engine, "for i = 1, ARGV[1] do local x = i end", b"%d" % n) for n in (1, 2, 9)]

    assert costs[1] - costs[0] > 0
    assert costs[2] - costs[1] == 7 * (costs[1] - costs[0])


def test_a_command_costs_the_same_whatever_it_answers_and_however_long_it_takes(engine, client):
    client.rpush("k", *range(2000))

    short = counted(engine, "local r = redis.call('LRANGE', KEYS[1], 0, 0) return 1")
    long = counted(engine, "local r = redis.call('LRANGE', KEYS[1], 0, -1) return 1")
    none = counted(engine, "local r = redis.pcall('NOSUCH', KEYS[1], 0, -1) return 1")

    assert short == long == none


@pytest.mark.parametrize("script", registry().scripts, ids=lambda script: script.full_name)
def test_every_run_of_a_script_gives_the_same_count(script, engine, client):
    call = valid_call(script)
    counts = set()
    for _ in range(RUNS):
        client.flushall()
        counts.add(engine.run(call, watch="instructions", clock=CLOCK).instructions)

    assert len(counts) == 1
    assert next(iter(counts)) > 10


def test_other_processes_count_the_same(server, engine, client):
    text = (
        "from redislua.probe.engine import Engine\n"
        "from tests.catalogue.samples import registry, valid_call\n"
        f"with Engine({server.url!r}) as engine:\n"
        "    for script in registry().scripts:\n"
        "        engine.ask(b\"redis.call('FLUSHALL')\")\n"
        f"        run = engine.run(valid_call(script), watch='instructions', clock={CLOCK})\n"
        "        print(script.full_name, run.instructions)\n"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", text],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": str(seed), "PYTHONPATH": ":".join(sys.path)},
        ).stdout
        for seed in range(3)
    }

    assert len(printed) == 1
    assert printed.pop().count("\n") == len(registry().scripts)


def test_counting_changes_neither_reply_nor_dataset(engine, client, dataset):
    call = valid_call(registry().scripts[0])
    plain = engine.run(call, clock=CLOCK)
    before = dataset()
    client.flushall()

    watched = engine.run(call, watch="instructions", clock=CLOCK)

    assert (watched.reply, watched.commands) == (plain.reply, plain.commands)
    assert dataset().keys() == before.keys()


@pytest.mark.parametrize(
    "text",
    [
        "while true do end",
        "\n\nwhile true do pcall(function() while true do end end) end",
        "local function f() return f() end return f()",
        "coroutine.wrap(function() while true do end end)()",
        "while true do redis.call('PING') end",
        "xpcall(function() while true do end end, function() while true do end end)",
    ],
)
@pytest.mark.parametrize("watch", ["none", "instructions", "lines"])
def test_a_script_that_never_ends_is_ended_with_a_clear_error(text, watch, server, client):
    with Engine(server.url, limit=20_000) as engine, pytest.raises(TooLong) as caught:
        engine.run(script_call(text), watch=watch)

    assert caught.value.instructions == 20_000
    assert str(caught.value).startswith("test.it@1.0.0: still running after 20_000 instructions")


def test_the_engine_goes_on_after_a_script_that_never_ends(server, client):
    with Engine(server.url, limit=20_000) as engine:
        with pytest.raises(TooLong):
            engine.run(script_call("while true do end"))

        assert engine.run(script_call("return 1")).reply == 1


@pytest.mark.parametrize("library", ["cjson", "cmsgpack", "struct", "bit"])
def test_a_library_that_is_not_there_is_named_before_anything_runs(library, engine, client):
    text = f"redis.call('SET', KEYS[1], 1) return type({library}.x)"

    with pytest.raises(NotOffered) as caught:
        engine.run(script_call(text, [b"k"]))

    assert str(caught.value) == f"test.it@1.0.0: VM instructions not counted: it uses {library}"
    assert client.dbsize() == 0


def test_a_library_that_is_hidden_is_found_when_it_is_used(engine, client):
    with pytest.raises(NotOffered):
        engine.run(script_call("return pcall(function() return _G['cj' .. 'son'].decode end)"))


def test_a_script_cannot_reach_python(engine):
    """lupa's own globals, and whatever hangs on the functions that it is given."""
    for name in ("python", "debug", "io", "package", "require", "dofile", "getfenv", "setfenv"):
        assert b"nonexistent global" in engine.run(script_call(f"return {name}")).error
    assert engine.run(script_call("return type(redis.call)")).reply == b"function"


def test_a_fault_is_put_in_place_of_one_command(engine, client):
    text = (
        "redis.call('SET', KEYS[1], 1)\n"
        "local found = redis.pcall('INCR', KEYS[1])\n"
        "redis.call('INCR', KEYS[1])\n"
        "return found"
    )
    whole = engine.run(script_call(text, [b"k"]))
    assert (whole.reply, client.get("k")) == (2, b"3")

    second = engine.run(script_call(text, [b"k"]), fault=Fault(2, b"OOM no memory"))
    assert (second.error, client.get("k")) == (b"OOM no memory", b"2")
    assert [(sent.name, sent.line, sent.error) for sent in second.commands] == [
        ("SET", 1, b""),
        ("INCR", 2, b"OOM no memory"),
        ("INCR", 3, b""),
    ]

    third = engine.run(script_call(text, [b"k"]), fault=Fault(3, b"READONLY no"))
    assert third.error == b"READONLY no script: on @user_script:3."
    assert client.get("k") == b"2"
    assert len(third.commands) == 3


def test_typed_replies_and_errors_are_those_of_the_runtime(engine, client):
    call = valid_call(registry().scripts[0])
    expected = run(client, call)
    client.flushall()

    assert engine.run(call).typed() == expected


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("return redis.call('PING')", [1]),
        ("local call = redis.call\n\nreturn call('PING')", [3]),
        ("local ok = pcall(redis.call,\n 'PING')", [1]),
        ("local function f()\n return redis.call('PING')\nend\nf()\nf()", [2, 2]),
        ("local co = coroutine.wrap(function()\nredis.call('PING') end)\nco()", [3]),
    ],
)
def test_a_command_knows_the_line_that_called_it(text, lines, engine):
    """In a coroutine that is the line which runs the coroutine."""
    assert [sent.line for sent in engine.run(script_call(text)).commands] == lines
