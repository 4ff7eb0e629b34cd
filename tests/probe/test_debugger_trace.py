"""What a trace shows: lines with their commands, loops folded, the server's own times."""

from __future__ import annotations

import pytest
import redis

from redislua.probe.debug_timing import measure, restore
from redislua.probe.debug_trace import Step, Trace, folded, trace, unfolded
from redislua.probe.debugger import Command, End
from redislua.probe.snapshot import snapshot
from redislua.server import Server, start
from tests.probe.test_confine import a_call


@pytest.fixture(scope="module")
def alone(server: Server):
    """A server that nobody else waits for; its scripts are never flushed."""
    if server.kind == "url":
        pytest.skip("the debugger blocks its server")
    with start(server.kind) as opened:
        yield opened


@pytest.fixture
def data(alone: Server):
    with redis.Redis.from_url(alone.url) as client:
        client.flushall()
        yield client


def lines(*numbers: int) -> list[Step]:
    return [Step(number, f"line {number}") for number in numbers]


@pytest.mark.parametrize(
    ("ran", "shown"),
    [
        ([], []),
        ([1, 2, 3], [(1, 1), (2, 1), (3, 1)]),
        ([5, 5, 5, 6], [(5, 3), (6, 1)]),
        ([1, 2, 3, 2, 3, 2, 3, 2, 4], [(1, 1), (2, 3), (3, 3), (2, 1), (4, 1)]),
        # A loop in a loop, with one inner round more in each outer one.
        ([1, 2, 1, 2, 2, 1, 2, 2, 2, 9], [(1, 3), (2, 6), (9, 1)]),
        ([1, 2, 3, 1, 2, 3, 2, 3, 1, 2, 3, 2, 3, 2, 3], [(1, 3), (2, 6), (3, 6)]),
        # Called twice from two places: no loop.
        ([7, 1, 2, 8, 1, 2, 9], [(7, 1), (1, 1), (2, 1), (8, 1), (1, 1), (2, 1), (9, 1)]),
    ],
)
def test_what_repeats_is_shown_once_with_the_number_of_its_runs(ran, shown):
    rows = folded(lines(*ran))

    assert [(row.steps[0].number, row.times) for row in rows] == shown


@pytest.mark.parametrize("ran", [[1, 2, 1, 2, 2, 1, 2, 2, 2, 9], [3, 3, 3], [1, 2, 3, 4]])
def test_folding_loses_no_run(ran):
    rows = folded(lines(*ran))

    assert sorted(step.number for row in rows for step in row.steps) == sorted(ran)
    assert [row.steps[0].number for row in unfolded(lines(*ran))] == ran


def test_the_commands_of_a_folded_line_are_one_for_each_name():
    steps = [Step(1, "x", (Command(f"GET {n}", us=1.5), Command("TIME"))) for n in range(3)]

    row = folded(steps)[0]

    assert [[call.text for call in calls] for calls in row.commands] == [
        ["GET 0", "GET 1", "GET 2"],
        ["TIME", "TIME", "TIME"],
    ]
    assert row.us == 4.5


def test_a_trace_has_each_line_with_what_it_called_and_said(alone, data):
    call = a_call(
        "local v = redis.call('GET', KEYS[1])\nredis.debug('v is', v)\n-- nothing\nreturn v", b"k"
    )

    traced = trace(alone.url, call)

    assert [step.number for step in traced.steps] == [2, 3, 5]
    assert traced.steps[0].text == "local v = redis.call('GET', KEYS[1])"
    assert traced.steps[0].commands == (Command("GET k", "NULL"),)
    assert "v is" in traced.steps[1].said[0]
    assert traced.end == End(None)


def test_a_trace_of_a_script_that_does_not_end_has_what_ran(alone, data):
    traced = trace(alone.url, a_call("while true do\n  local x = 1\nend"), limit=25)

    assert traced.end is None
    assert len(traced.steps) == 25
    assert data.ping()


def test_times_are_of_the_same_commands_on_the_same_data(alone, data):
    call = a_call(
        "redis.call('LPOP', KEYS[1])\n"
        "redis.pcall('NOSUCH')\n"
        "redis.pcall('GET', KEYS[1])\n"
        "return redis.call('SORT', KEYS[1])",
        b"k",
    )
    data.rpush("k", *range(2000))
    data.set("other", "v", px=100_000)
    state = snapshot(data)
    traced = trace(alone.url, call)

    times = measure(alone.url, call, state, traced.commands, runs=8)

    assert times is not None
    pop, unknown, failed, sort = times.commands
    assert unknown is None  # refused before it ran: no server times that
    if times.in_commands is None:
        assert (pop, failed, sort) == (None, None, None)
        assert data.info("server").get("valkey_version", "").startswith("8."), "the only one known"
    else:
        assert pop is not None
        assert sort is not None
        assert 0 <= pop < sort <= times.call
        assert times.in_commands <= times.call
    assert times.least <= times.call <= times.most
    assert traced.timed(times.commands).commands[-1].us == sort


def test_runs_that_take_another_way_do_not_count(alone, data):
    call = a_call("return redis.call('GET', KEYS[1])", b"k")

    assert measure(alone.url, call, {}, [Command("TIME")], runs=2) is None
    assert measure(alone.url, call, {}, [], runs=2) is None


def test_a_restored_state_is_the_state(alone, data):
    data.set("a", "1", pxat=4102444800000)
    data.zadd(b"\xff\0", {"m": 1.5})
    before = snapshot(data)
    data.set("a", "2")
    data.set("b", "3")

    restore(data, before)

    assert snapshot(data) == before


def test_the_settings_of_the_server_are_left_as_they_were(alone, data):
    before = data.config_get("slowlog*")

    measure(alone.url, a_call("return 1"), {}, [], runs=2)

    assert data.config_get("slowlog*") == before


def test_a_trace_without_times_has_none():
    traced = Trace((Step(1, "x", (Command("GET a"),)),), End(1))

    assert [command.us for command in traced.commands] == [None]
