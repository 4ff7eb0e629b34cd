"""A server of our own on which cases are staged, counted and timed."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import redis

from redislua import server
from redislua.budget.cases import Planned
from redislua.budget.volley import Volley
from redislua.errors import RedisLuaError
from redislua.probe.commandstats import Counted, count
from redislua.probe.monitor import Monitor
from redislua.probe.slowlog import SlowLog
from redislua.runtime.call import Call

CALIBRATION_US = 500
"""What the calibration script takes on the machine that limits are meant for, at rest."""

CALIBRATION = b"""#!lua flags=no-writes
local text, seen, sum = 'the quick brown fox 0123456789', {}, 0
for index = 1, 8 do
  seen[index] = index
end
for round = 1, 3300 do
  local place = round % 8 + 1
  sum = (sum * 31 + seen[place] + text:byte(round % 30 + 1)) % 65521
  if text:find('^[a-z ]+%d', 1) and sum > seen[place] then
    seen[place] = sum
  end
end
return sum
"""
"""Work of a known cost: nothing but Lua, so that all servers take alike, and without garbage,
which the server would collect in the calls that it is to be compared with."""

_PROBE = "lpos"
_PROBE_KEY = b"redislua-budget-probe"
_PROBE_ELEMENTS = 20_000

PATIENCE = 10.0
"""Seconds after which a call is taken to hold the server for good."""

_SHA1 = hashlib.sha1(CALIBRATION, usedforsecurity=False).hexdigest()
_STASH = b"redislua-budget-stash:%d"
_BATCH = 50
_BATCH_BYTES = 8 * 1024 * 1024
_WARM = 3
_WARM_LOG = 256  # entries: enough for the last calls, few to read
_EVERY = 4  # calls of the case for one of the calibration script, in a short round
_CALIBRATIONS = 100  # about so many are enough for a long one
_FEWEST = 50
_SHORT_US = 50
_HIGHEST_FLOOR_US = CALIBRATION_US // 5  # the calibration is to be logged on any machine


class Held(RedisLuaError):
    """A call did not end: the server is lost, and another one is needed."""


@dataclass(frozen=True, slots=True)
class Round:
    """One measurement.

    Attributes:
        samples: Microseconds of each call of the case, in order.
        calibration: Microseconds of each call of the calibration script between them.
        probes: Microseconds of a plain command between them, which runs no Lua: what delays it
            comes from outside, and not from garbage that the scripts left to be collected.
        unseen: How many calls the server did not log.
    """

    samples: tuple[int, ...]
    calibration: tuple[int, ...]
    probes: tuple[int, ...]
    unseen: int = 0


class Bench:
    """A private server that holds one staged case at a time. A context manager.

    Args:
        kind: Which server to start (`redislua.server.start`).

    Attributes:
        version: Product and version, ``Valkey 9.1.2``.
        url: Where it listens.
    """

    def __init__(self, kind: str) -> None:
        self._server = server.start(kind)
        self.version = self._server.version
        self.url = self._server.url
        self._client: Any = redis.Redis.from_url(self.url, socket_timeout=PATIENCE, retry=None)
        self._stashed: tuple[tuple[bytes, bytes | None], ...] = ()
        self._restores = False
        self._volleys: dict[tuple[int, int], Volley] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._client.close()
        self._server.stop()

    def stage(self, planned: Planned) -> None:
        """Put the server into the case's state, and keep a copy of each key of the call.

        Raises:
            Held: What prepares the state did not end.
        """
        try:
            self._client.flushall()
            planned.prepare(self._client)
            stashed = []
            for number, key in enumerate(dict.fromkeys(planned.call.keys)):
                stash = _STASH % number
                stashed.append((key, stash if self._client.copy(key, stash) else None))
        except (redis.TimeoutError, redis.ConnectionError) as error:
            raise Held(f"{planned.case.name}: the state is not ready after {PATIENCE:.0f} s") from (
                error
            )
        self._volleys.clear()
        self._stashed = tuple(stashed)
        self._restores = not planned.call.script.read_only

    def count(self, planned: Planned) -> Counted:
        """Run the staged call once and count its commands; the state is then put back.

        Raises:
            Held: It did not end.
        """
        try:
            counted = count(self._client, planned.call)
            self.restore()
        except (redis.TimeoutError, redis.ConnectionError) as error:
            raise Held(f"{planned.case.name}: no reply after {PATIENCE:.0f} s") from error
        return counted

    def restore(self) -> None:
        """Put the staged state back."""
        for error in Volley(self._client, list(self._restoring())).fire():
            raise error

    def trace(self, call: Call[Any]) -> tuple[tuple[bytes, ...], ...]:
        """Return the commands that the staged call runs, with their words; the state is put back.

        The script must have been counted before: it is in the server's cache.
        """
        with Monitor(self.url) as monitor:
            Volley(self._client, [_evalsha(call)]).fire()
            seen = monitor.collect()
        self.restore()
        return tuple(one.words for one in seen if one.in_script)

    def repeat(self, call: Call[Any], seconds: float) -> int:
        """Make the staged call one by one as fast as replies come; return how many were made.

        The script must have been counted before: it is in the server's cache.
        """
        ends, made = time.monotonic() + seconds, 0
        while time.monotonic() < ends:
            self._send(call, 1)
            made += 1
        return made

    def measure(self, planned: Planned, counted: Counted, calls: int, seconds: float) -> Round:
        """Time the staged call again and again, the state put back before each.

        Args:
            planned: The staged case.
            counted: What `count` said of it: the script is in the server's cache.
            calls: How many calls.
            seconds: After so long it ends with fewer, but not with fewer than 50.

        Raises:
            Held: A call did not end.
        """
        size = _batch(planned.call, counted)
        try:
            self._client.script_load(CALIBRATION)
            self._client.rpush(_PROBE_KEY, *[b"x"] * _PROBE_ELEMENTS)
            floor = self._floor(planned.call)
            round_ = self._round(planned.call, size, calls, seconds, floor)
            if floor and round_.unseen:  # some calls were below it: they count, too
                round_ = self._round(planned.call, size, calls, seconds, 0)
            self._client.unlink(_PROBE_KEY)
        except (redis.TimeoutError, redis.ConnectionError) as error:
            raise Held(f"{planned.case.name}: no reply after {PATIENCE:.0f} s") from error
        return round_

    def _round(self, call: Call[Any], batch: int, calls: int, seconds: float, floor: int) -> Round:
        samples: list[int] = []
        calibration: list[int] = []
        probes: list[int] = []
        every = max(_EVERY, calls // _CALIBRATIONS)
        ends, sent = time.monotonic() + seconds, 0
        with SlowLog(self.url, threshold=floor, also=(_PROBE,)) as log:
            while sent < calls and (sent < min(_FEWEST, calls) or time.monotonic() < ends):
                size = min(batch, calls - sent)
                self._send(call, size, every=every)
                sent += size
                found = log.collect()
                samples += found.get(call.script.sha1, [])
                calibration += found.get(_SHA1, [])
                probes += found.get(_PROBE, [])
        return Round(tuple(samples), tuple(calibration), tuple(probes), sent - len(samples))

    def _floor(self, call: Call[Any]) -> int:
        """Warm up, and return microseconds far below what a call takes.

        What takes less need not be logged: of a script that calls thousands of commands, it
        is these. A short call has few of them.
        """
        with SlowLog(self.url, capacity=_WARM_LOG) as log:
            self._send(call, _WARM, every=_EVERY)
            found = log.collect()
        fastest = min(found.get(call.script.sha1, [0]))
        return min(fastest // 3, _HIGHEST_FLOOR_US) if fastest >= _SHORT_US else 0

    def _send(self, call: Call[Any], times: int, *, every: int = 0) -> None:
        """Make the staged call in one write, the state put back before each.

        One calibration is made for so many calls; none for 0.
        """
        volley = self._volleys.get((times, every))
        if volley is None:
            volley = Volley(self._client, list(self._commands(call, times, every=every)))
            self._volleys[times, every] = volley
        volley.fire()

    def _commands(self, call: Call[Any], times: int, *, every: int) -> Iterator[tuple[Any, ...]]:
        for number in range(times):
            if self._restores:
                yield from self._restoring()
            yield _evalsha(call)
            if every and number % every == 0:
                yield "EVALSHA", _SHA1, 0
                yield _PROBE, _PROBE_KEY, "absent"

    def _restoring(self) -> Iterator[tuple[Any, ...]]:
        for key, stash in self._stashed:
            if stash is None:
                yield "UNLINK", key
            else:
                yield "COPY", stash, key, "REPLACE"


def _evalsha(call: Call[Any]) -> tuple[Any, ...]:
    return "EVALSHA", call.script.sha1, len(call.keys), *call.keys, *call.args


def _batch(call: Call[Any], counted: Counted) -> int:
    """As many calls as one write should hold: few of those that carry much."""
    size = sum(map(len, call.args)) + reply_size(counted.reply)[1] + 1
    return max(1, min(_BATCH, _BATCH_BYTES // size))


def reply_size(reply: Any) -> tuple[int, int]:
    """Return how many elements a raw reply has, nested ones included, and bytes of strings."""
    if isinstance(reply, bytes):
        return 1, len(reply)
    if isinstance(reply, dict):
        reply = [each for pair in reply.items() for each in pair]
    if isinstance(reply, list | tuple | set):
        sizes = [reply_size(each) for each in reply]
        return sum(size[0] for size in sizes), sum(size[1] for size in sizes)
    return 1, 0
