"""Contests on a real server: who counts, and who is found out."""

import dataclasses
from collections.abc import Iterator

import pytest
import redis

from redislua.server import start
from tools.bench import run
from tools.bench.contest import Arena, Entrant, Pace
from tools.bench.measured import Report
from tools.bench.runners import Missing, Ran
from tools.bench.workload import SUBJECTS

SHORT = Pace(rounds=5, seconds=0.005)
REDIS_PY = Entrant("redis-py", "redis_py:EVALSHA")


@pytest.fixture(scope="module")
def arena() -> Iterator[Arena]:
    with start() as server:
        with redis.Redis.from_url(server.url) as client:
            place = client.get_connection_kwargs()
        address = (place["host"], place["port"])
        with run.arena([address], SHORT, Report(), lambda _: None, SUBJECTS) as opened:
            yield opened


def hold(arena: Arena, *entrants: Entrant, callers: int = 1, batch: int = 1):
    arena.hold("x", "x", entrants, callers=callers, baseline="redis-py", batch=batch)
    return arena.report.contests[-1]


@pytest.mark.parametrize("callers", [1, 3])
def test_blocking_contenders_make_the_same_number_of_rounds(arena, callers):
    held = hold(arena, REDIS_PY, Entrant("redislua", "ours:BOUND"), callers=callers)

    assert [one.missing for one in held.entries.values()] == ["", ""]
    assert [len(one.rounds) for one in held.entries.values()] == [5, 5]
    assert all(one.calls % callers == 0 for one in held.entries["redislua"].rounds)
    assert held.ratio("redis-py", "redis-py") == 1


def test_asyncio_contenders_are_measured(arena):
    held = hold(arena, Entrant("redis-py", "redis_py:ASYNC_EVALSHA"), callers=3)

    assert held.entries["redis-py"].missing == ""
    assert held.entries["redis-py"].rate > 0


def test_a_contender_that_is_not_installed_is_absent_and_the_others_go_on(arena):
    held = hold(arena, REDIS_PY, Entrant("nobody", "nobody:HERE"))

    assert "not installed" in held.entries["nobody"].missing
    assert len(held.entries["redis-py"].rounds) == 5


def test_a_contender_with_wrong_replies_is_out(arena):
    source = "return 'OK'"
    arena.watched.load(source)
    wrong = dataclasses.replace(arena.target, source=source)
    other = Arena(arena.watched, wrong, SHORT, Report(), lambda _: None)

    held = hold(other, REDIS_PY)

    assert "unexpected reply b'OK'" in held.entries["redis-py"].missing
    assert held.entries["redis-py"].rounds == ()


def test_a_contender_whose_calls_fail_is_out(arena):
    wrong = dataclasses.replace(arena.target, args=("not a number",))
    other = Arena(arena.watched, wrong, SHORT, Report(), lambda _: None)

    held = hold(other, REDIS_PY)

    assert "RLUA_BAD_ARGUMENT" in held.entries["redis-py"].missing


class _Lazy:
    """Says that it made all calls, and makes all but one."""

    def __init__(self, arena: Arena) -> None:
        self._client = redis.Redis(host=arena.target.host, port=arena.target.port)
        self._sha1 = arena.target.sha1
        self._args = arena.target.args

    def rounded(self, calls: float) -> int:
        return int(calls)

    def run(self, calls: int) -> Ran:
        for _ in range(calls - 1):
            self._client.evalsha(self._sha1, 1, "limit:{lazy}:gcra", *self._args)
        return Ran(1.0, 0.1, 0.1)

    def close(self) -> None:
        self._client.close()


def test_the_server_counts_the_calls_and_a_missing_one_is_noticed(arena):
    lazy = _Lazy(arena)

    with pytest.raises(Missing, match="of 20 calls the server saw 19, 0 failed"):
        arena.round(lazy, 20)

    lazy.close()
