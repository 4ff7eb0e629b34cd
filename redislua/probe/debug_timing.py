"""Server time of a call and of each command in it, from runs that no debugger disturbs.

The figures are SLOWLOG's, at threshold 0: what the whole EVALSHA held the server, and of
that what each command took. They are whole microseconds, so the means of several runs
of the same call on the same state say more. What is left after the commands is Lua, and
the passing of values between Lua and the commands.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis
from redis.client import NEVER_DECODE

from redislua.probe.debug_lines import Command
from redislua.probe.slowlog import SlowLog
from redislua.probe.snapshot import Snapshot
from redislua.runtime.call import Call

RUNS = 64
"""How often a call is timed."""

_OUTLIER = 2.0
"""Runs that take more than so many times the median say something of the machine only."""

# Certainly some microseconds in one command: reads a megabyte.
_PROOF = "redis.call('SETBIT', KEYS[1], 8388607, 1) return redis.call('BITCOUNT', KEYS[1])"
_PROOF_KEY = "redislua:does-this-server-time-commands"


@dataclass(frozen=True, slots=True)
class Times:
    """Microseconds of one call: means over several runs.

    Attributes:
        call: The whole call.
        commands: Each command of the trace, in its order; None for one that was refused
            before it ran, and for all where the server does not time them.
        runs: How many runs the means are of; those over twice the median are left out.
        least: The fastest run, the whole call.
        most: The slowest of all runs, the whole call.
    """

    call: float
    commands: tuple[float | None, ...]
    runs: int
    least: int
    most: int

    @property
    def in_commands(self) -> float | None:
        """All commands together, or None where they were not timed."""
        timed = [one for one in self.commands if one is not None]
        return sum(timed) if timed or not self.commands else None


def restore(client: redis.Redis, state: Snapshot) -> None:
    """Empty the client's server, and put a state into its database."""
    with client.pipeline(transaction=False) as pipe:
        queue: Any = pipe.execute_command
        queue("FLUSHALL")
        for key, entry in state.items():
            queue("RESTORE", key, entry.expires_at or 0, entry.value, "ABSTTL")
        pipe.execute()


def measure(
    url: str, call: Call[Any], state: Snapshot, commands: Sequence[Command], runs: int = RUNS
) -> Times | None:
    """Run a call again and again on the same state, and time it.

    The server must be private: all its data are replaced. Runs that call other commands
    than those of the trace (the clock has gone on since) do not count.

    Args:
        url: The server.
        call: What to run.
        state: The data it runs on.
        commands: What it called under the debugger.
        runs: How often.

    Returns:
        The times, or None when no run called the same commands.
    """
    found: list[tuple[int, list[int | None]]] = []
    capacity = len(commands) + 10
    with redis.Redis.from_url(url) as client, SlowLog(url, capacity=capacity):
        is_timing = _times_commands(client)
        sha1 = client.script_load(call.script.source)
        for _ in range(runs):
            restore(client, state)
            whole, inner = _timed(client, "EVALSHA", sha1, len(call.keys), *call.keys, *call.args)
            matched = _matched(inner, commands)
            if matched is not None:
                found.append((whole, matched if is_timing else [None] * len(commands)))
    return _means(found) if found else None


def _timed(client: redis.Redis, *words: Any) -> tuple[int, list[tuple[str, int]]]:
    """Run a script; its microseconds, and name and microseconds of each command in it."""
    with client.pipeline(transaction=False) as pipe:
        # In two words, because redis-py's parser of "SLOWLOG GET" joins the arguments.
        queue: Any = pipe.execute_command
        queue("SLOWLOG", "RESET")
        queue(*words, **{NEVER_DECODE: []})
        queue("SLOWLOG", "GET", -1)
        entries = pipe.execute(raise_on_error=False)[-1]
    # Newest first. The script is logged behind its commands, and behind the RESET itself.
    script, *inner = entries[:-1]
    named = [(entry[3][0].decode("utf-8", "replace").upper(), entry[2]) for entry in inner]
    return script[2], named[::-1]


def _times_commands(client: redis.Redis) -> bool:
    """Whether the server times the commands in a script: Valkey 8 says 0 us of all of them."""
    _, inner = _timed(client, "EVAL", _PROOF, 1, _PROOF_KEY)
    return any(microseconds for _, microseconds in inner)


def _matched(
    inner: Sequence[tuple[str, int]], commands: Sequence[Command]
) -> list[int | None] | None:
    """Give each command of the trace its time; None when other commands ran.

    A command that is refused before it runs (unknown, of wrong arity) is not logged; one
    that runs and fails is.
    """
    times: list[int | None] = []
    logged = list(inner[::-1])
    for command in commands:
        if logged and logged[-1][0] == command.name:
            times.append(logged.pop()[1])
        elif command.error:
            times.append(None)
        else:
            return None
    return None if logged else times


def _means(found: list[tuple[int, list[int | None]]]) -> Times:
    """Means without outliers. What is rounded down in one run is rounded up in another."""
    wholes = [whole for whole, _ in found]
    most = statistics.median(wholes) * _OUTLIER
    kept = [one for one in found if one[0] <= most]
    columns = zip(*(commands for _, commands in kept), strict=True)
    return Times(
        statistics.fmean(whole for whole, _ in kept),
        tuple(_mean(column) for column in columns),
        len(kept),
        min(wholes),
        max(wholes),
    )


def _mean(column: Sequence[int | None]) -> float | None:
    timed = [one for one in column if one is not None]
    return statistics.fmean(timed) if timed else None
