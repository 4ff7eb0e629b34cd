"""Boards of two sizes, side by side."""

import redis

from redislua.server import start
from tools.bench import boards, goals
from tools.bench.measured import Figure, Report


def test_every_call_is_measured_on_both_boards():
    with start() as server:
        figures = boards.boards(server.url, rounds=2, calls=20, sizes=(50, 500))
        with redis.Redis.from_url(server.url) as client:
            sizes = [client.zcard(f"leaderboard:{{of-{size}}}:scores:high") for size in (50, 500)]

    assert sizes == [50, 500]
    assert {one.name for one in figures} == {
        f"board {call}{kind}"
        for call in ("submit", "rank", "page", "around")
        for kind in ("", " ratio")
    }
    assert all(one.value for one in figures)


def test_the_goal_is_that_of_the_slowest_call():
    made = [(call, 1.5) for call in ("submit", "rank", "page")] + [("around", 2.5)]
    figures = [Figure(f"board {call} ratio", "", ratio, "x") for call, ratio in made]

    lines = goals.sheet(Report(figures=figures)).rows

    assert lines[-1][1:] == ["at most 2 x", "2.50 x", "no"]
