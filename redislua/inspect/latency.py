"""The table of latencies: what simple operations take on a server, as its clients see it.

Beside each stands the span that is commonly quoted for it, of a server in the same data
centre. Everything is timed on one connection, from the first byte written to the last byte
read, without a pool or a client above it; the operations take turns, in a new order each
round, so that whatever else happens on the machine meets all of them alike.
"""

from __future__ import annotations

import contextlib
import random
import secrets
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import redis
from redis.crc import key_slot

from redislua.bindings import limit
from redislua.inspect.slots import layout_of_servers

__all__ = ["FORBIDDEN", "Figure", "Quoted", "Table", "Verdict", "measure"]

Verdict: TypeAlias = Literal["quicker", "as quoted", "slower", "not quoted"]

PREFIX = "redislua-bench"
LIFETIME_S = 600
"""Seconds after which whatever a run left behind, having been killed, is gone."""
MEMBERS = 1_000
SKETCHES = 16
PIPELINED = 100
WARM_UP = 20
"""Rounds that are run first and do not count."""
CHUNK = 250
VALUE = b"x" * 100
PIPELINE = f"a pipeline of {PIPELINED} GETs"
UNION = f"PFCOUNT of {SKETCHES} keys"

FORBIDDEN = ("KEYS pattern", "O(N)", "never in production: it reads every key; not run")
"""The row of the usual table that has no figure."""


@dataclass(frozen=True, slots=True)
class Quoted:
    """A row of the usual table.

    Attributes:
        complexity: As quoted.
        low: Milliseconds.
        high: Milliseconds.
    """

    complexity: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing to time.

    Attributes:
        name: What it is called.
        commands: What is written at once.
        quoted: What is usually said of it, or None.
    """

    name: str
    commands: Sequence[Sequence[bytes | str | int]]
    quoted: Quoted | None


@dataclass(frozen=True, slots=True)
class Figure:
    """What one operation took.

    Attributes:
        name: What it is called.
        quoted: What is usually said of it, or None.
        p50: Milliseconds; half of the runs took no longer.
        p99: Milliseconds.
    """

    name: str
    quoted: Quoted | None
    p50: float
    p99: float

    @property
    def verdict(self) -> Verdict:
        """How the median is to the quoted span."""
        if self.quoted is None:
            return "not quoted"
        if self.p50 < self.quoted.low:
            return "quicker"
        return "slower" if self.p50 > self.quoted.high else "as quoted"


@dataclass(frozen=True, slots=True)
class Table:
    """What came out.

    Attributes:
        node: The server.
        rounds: How often each operation ran.
        figures: In the order of the usual table.
        notes: Where that table misleads.
    """

    node: str
    rounds: int
    figures: tuple[Figure, ...]
    notes: tuple[str, ...]


def measure(
    clients: Mapping[str, redis.Redis],
    rounds: int,
    on_round: Callable[[int], None] | None = None,
) -> Table:
    """Time every operation on one server, with keys of our own that are removed afterwards.

    Args:
        clients: A client of each server by its name; of a cluster the owner of our keys is used.
        rounds: How often to run each operation.
        on_round: Told of each round that is over.

    Raises:
        redis.RedisError: The server cannot be reached, went away, or refuses a command.
    """
    run = secrets.token_hex(6)
    node, client = _owner(clients, run)
    keys = _Keys(run)
    operations = _operations(keys)
    try:
        _fill(client, keys)
        times = _time(client, operations, rounds, on_round)
    finally:
        # Whatever ended the run: a server that has gone away has its expiry.
        with contextlib.suppress(redis.RedisError):
            client.unlink(*keys.all)
    figures = tuple(
        Figure(one.name, one.quoted, *_percentiles(times[one.name])) for one in operations
    )
    return Table(node, rounds, figures, _notes({one.name: one.p50 for one in figures}))


class _Keys:
    """Names of our own, in one slot."""

    def __init__(self, run: str) -> None:
        self.run = run
        self.string = f"{PREFIX}:{{{run}}}:string"
        self.hash = f"{PREFIX}:{{{run}}}:hash"
        self.board = f"{PREFIX}:{{{run}}}:board"
        self.sketches = [f"{PREFIX}:{{{run}}}:sketch:{number}" for number in range(SKETCHES)]
        self.call = limit.gcra(
            subject=run, limit=1_000, period=1_000_000, burst=1_000, namespace=PREFIX
        )

    @property
    def all(self) -> list[str | bytes]:
        return [self.string, self.hash, self.board, *self.sketches, *self.call.keys]


def _owner(clients: Mapping[str, redis.Redis], run: str) -> tuple[str, redis.Redis]:
    """The server that our keys are on."""
    node, client = next(iter(clients.items()))
    if len(clients) == 1:
        return node, client
    owner = layout_of_servers(clients).owners[key_slot(run.encode())]
    return (owner, clients[owner]) if owner in clients else (node, client)


def _fill(client: redis.Redis, keys: _Keys) -> None:
    client.script_load(keys.call.script.source)
    pipe: Any = client.pipeline(transaction=False)
    with pipe:
        pipe.set(keys.string, VALUE, ex=LIFETIME_S)
        pipe.hset(keys.hash, mapping={f"field-{number}": VALUE for number in range(10)})
        for first in range(0, MEMBERS, CHUNK):
            members = range(first, min(first + CHUNK, MEMBERS))
            pipe.zadd(keys.board, {f"player-{one}": one for one in members})
        for number, sketch in enumerate(keys.sketches):
            pipe.pfadd(sketch, *(f"{number}-{one}" for one in range(CHUNK)))
        for key in (keys.hash, keys.board, *keys.sketches):
            pipe.expire(key, LIFETIME_S)
        pipe.execute()


def _operations(keys: _Keys) -> list[Operation]:
    """In the order of the usual table."""
    call = keys.call
    script: tuple[bytes | str | int, ...]
    script = ("EVALSHA", call.script.sha1, len(call.keys), *call.keys, *call.args)
    sketch = keys.sketches[0]
    simple, of_set = Quoted("O(1)", 0.1, 0.5), Quoted("O(log N)", 0.1, 1)
    top = Quoted("O(log N + 10)", 0.1, 1)
    scan = Quoted("O(1) a call", 0.1, 0.5)

    def one(name: str, quoted: Quoted | None, *words: bytes | str | int) -> Operation:
        return Operation(name, (words,), quoted)

    return [
        one("PING", None, "PING"),
        one("GET", simple, "GET", keys.string),
        one("SET", simple, "SET", keys.string, VALUE, "EX", LIFETIME_S),
        one("HGET", simple, "HGET", keys.hash, "field-1"),
        one("HSET", simple, "HSET", keys.hash, "field-1", VALUE),
        one("ZADD", of_set, "ZADD", keys.board, 500, "player-7"),
        one("ZRANK", of_set, "ZRANK", keys.board, "player-8"),
        one("top 10", top, "ZRANGE", keys.board, 0, 9, "REV", "WITHSCORES"),
        Operation(PIPELINE, (("GET", keys.string),) * PIPELINED, Quoted("O(100)", 1, 3)),
        one("a script (limit.gcra)", Quoted("O(depends)", 0.1, 5), *script),
        one("PFADD", simple, "PFADD", sketch, "visitor"),
        one("PFCOUNT of 1 key", simple, "PFCOUNT", sketch),
        one(UNION, None, "PFCOUNT", *keys.sketches),
        one("SCAN COUNT 10", scan, "SCAN", 0, "COUNT", 10),
        one("SCAN COUNT 1000", None, "SCAN", 0, "COUNT", 1_000),
    ]


def _time(
    client: redis.Redis,
    operations: Sequence[Operation],
    rounds: int,
    on_round: Callable[[int], None] | None,
) -> dict[str, list[float]]:
    pool = client.connection_pool
    connection: Any = pool.get_connection()
    order = list(operations)
    packed = {
        one.name: b"".join(
            part for words in one.commands for part in connection.pack_command(*words)
        )
        for one in operations
    }
    times: dict[str, list[float]] = {one.name: [] for one in operations}
    shuffle = random.Random(0).shuffle  # noqa: S311 - an order, no secret
    try:
        for number in range(-WARM_UP, rounds):
            shuffle(order)
            for one in order:
                took = _once(connection, packed[one.name], len(one.commands))
                if number >= 0:
                    times[one.name].append(took)
            if on_round is not None and number >= 0:
                on_round(number + 1)
    except BaseException:
        connection.disconnect()  # replies may be under way
        raise
    finally:
        pool.release(connection)
    return times


def _once(connection: Any, packed: bytes, replies: int) -> float:
    """Milliseconds that one operation takes."""
    began = time.perf_counter_ns()
    connection.send_packed_command([packed], check_health=False)
    for _ in range(replies):
        connection.read_response()
    return (time.perf_counter_ns() - began) / 1e6


def _percentiles(took: Sequence[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(took, n=100, method="inclusive")
    return cuts[49], cuts[98]


def _notes(p50: Mapping[str, float]) -> tuple[str, ...]:
    trip = (
        f"PING takes {p50['PING']:.3f} ms: that much of every figure is the way there and back. "
        "What is quoted is mostly that, and says little of the server."
    )
    pipeline = (
        f"{PIPELINED} GETs in a pipeline take {p50[PIPELINE] / p50['GET']:.1f} times as long as "
        f"one GET, not {PIPELINED} times."
    )
    union = (
        "PFCOUNT is O(1) for one key, whose count is cached. Of k keys it merges the sketches: "
        f"{SKETCHES} take {p50[UNION]:.3f} ms, one takes {p50['PFCOUNT of 1 key']:.3f} ms."
    )
    scan = (
        f"SCAN is O(COUNT) a call: COUNT 10 takes {p50['SCAN COUNT 10']:.3f} ms, COUNT 1000 "
        f"{p50['SCAN COUNT 1000']:.3f} ms, as far as the server has so many keys."
    )
    return (trip, pipeline, union, scan)
