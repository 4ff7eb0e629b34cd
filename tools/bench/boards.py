"""What a leaderboard of a million players costs the server, beside one of ten thousand."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import redis

from redislua.bindings import leaderboard
from redislua.probe.slowlog import SlowLog, percentile
from redislua.runtime import Call

from .measured import Figure

SIZES = (10_000, 1_000_000)
"""Players on the small and on the large board."""

CALLS = 1_000
"""Calls of each kind in each round: the p99 is what ten of them exceed."""

SEED = 1
ENTRIES = 1_000_000
CHUNK = 1_000

_FILL = """\
#!lua
local scores, ids = KEYS[1], KEYS[2]
for at = tonumber(ARGV[1]), tonumber(ARGV[2]) do
  local mark = string.format('%016.0f', 7207199254740991 - at)
  local id = 'player:' .. string.format('%.0f', at)
  redis.call('ZADD', scores, at * 7919 % 1000003, mark .. id)
  redis.call('HSET', ids, 'v', '1', 'i:' .. id, mark)
end
"""
"""Players as the family stores them: scores all over the board, few of them equal."""


def boards(
    url: str, *, rounds: int, calls: int = CALLS, sizes: Sequence[int] = SIZES
) -> list[Figure]:
    """Measure calls on boards of two sizes, in turn; of each the round in which it was fastest.

    What the other rounds take longer is other programs' doing, and no property of a board.

    Args:
        url: A private server: its slow log is emptied, and boards are left in it.
        rounds: How many rounds, in each of which every kind of call is made on both boards.
        calls: How many of each.
        sizes: Players on the small and on the large board.
    """
    draw = random.Random(SEED)
    with redis.Redis.from_url(url) as client:
        for size in sizes:
            _fill(client, size)
        taken: dict[tuple[str, int], list[int]] = {}
        turns = [(name, size) for name in CALLS_OF for size in sizes]
        for name, size in turns:
            _p99(client, url, name, size, calls // 10 + 1, draw)  # pages in, and loads the script
        for _ in range(rounds):
            for name, size in draw.sample(turns, len(turns)):
                taken.setdefault((name, size), []).append(
                    _p99(client, url, name, size, calls, draw)
                )
    small, large = sizes
    figures = []
    for name in CALLS_OF:
        title = f"leaderboard.{name}: p99 on {large:,} players"
        p99, of_small = min(taken[name, large]), min(taken[name, small])
        figures += [
            Figure(f"board {name}", title, p99, "us"),
            Figure(f"board {name} ratio", f"{title}, of that on {small:,}", p99 / of_small, "x"),
        ]
    return figures


def _board(size: int) -> str:
    return f"of-{size}"


def _fill(client: redis.Redis, size: int) -> None:
    keys = leaderboard.submit_keys(board=_board(size), order="high")
    with client.pipeline(transaction=False) as pipe:
        for begin in range(0, size, CHUNK):
            end = min(begin + CHUNK, size) - 1
            pipe.eval(_FILL, 2, keys.scores, keys.ids, begin, end)
        pipe.execute()


def _p99(
    client: redis.Redis, url: str, name: str, size: int, calls: int, draw: random.Random
) -> int:
    """Return the server's microseconds that 99 of 100 calls do not exceed."""
    make = CALLS_OF[name]
    asked = [make(_board(size), size, draw) for _ in range(calls)]
    client.script_load(asked[0].script.source)
    with SlowLog(url) as log:
        with client.pipeline(transaction=False) as pipe:
            queue: Any = pipe.execute_command
            for call in asked:
                words = ("EVALSHA", call.script.sha1, len(call.keys), *call.keys, *call.args)
                queue(*words)
            pipe.execute()
        samples = log.collect()[asked[0].script.sha1]
    return percentile(sorted(samples), 99)


def _player(size: int, draw: random.Random) -> str:
    return f"player:{draw.randrange(size)}"


def _submit(board: str, size: int, draw: random.Random) -> Call[Any]:
    return leaderboard.submit(
        board=board,
        order="high",
        id=_player(size, draw),
        score=draw.randrange(1_000_003),
        mode="last",
        max_entries=ENTRIES,
    )


def _rank(board: str, size: int, draw: random.Random) -> Call[Any]:
    return leaderboard.rank(board=board, order="high", id=_player(size, draw))


def _page(board: str, size: int, draw: random.Random) -> Call[Any]:
    return leaderboard.page(board=board, order="high", first=draw.randrange(size), count=10)


def _around(board: str, size: int, draw: random.Random) -> Call[Any]:
    return leaderboard.around(board=board, order="high", id=_player(size, draw), radius=5)


CALLS_OF: dict[str, Callable[[str, int, random.Random], Call[Any]]] = {
    "submit": _submit,
    "rank": _rank,
    "page": _page,
    "around": _around,
}
"""Each kind of call: of a player, or from a place, at random."""
