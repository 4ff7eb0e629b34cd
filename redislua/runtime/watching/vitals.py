"""What a server says of its memory, its hits and its evictions: values alone, no I/O.

One INFO of one server is a `Reading`. `Readings` keeps the last one of each server and
makes a `Window` of two: rates are of the time between them, never since the server's
start. Which windows are a reason for alarm says `redislua.runtime.watching.alarms`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

__all__ = ["Reading", "Readings", "Window", "evicts", "fields_of"]


def fields_of(said: bytes) -> dict[str, Any]:
    """Read a server's own reply to INFO: whole numbers and texts, and dicts of ``a=1,b=2``."""
    found: dict[str, Any] = {}
    for line in said.decode("utf-8", "replace").splitlines():
        name, colon, value = line.partition(":")
        if colon and not line.startswith("#"):
            pairs = [part.partition("=") for part in value.split(",")]
            is_inner = all(equals for _, equals, _ in pairs)
            inner = {key: _number(text) for key, _, text in pairs}
            found[name] = inner if is_inner else _number(value)
    return found


def _number(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdecimal() else text


def evicts(policy: str) -> bool:
    """Whether a ``maxmemory-policy`` gives keys away; one that is not known counts as such."""
    return policy != "noeviction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one INFO of one server says. None stands for what it leaves out.

    Attributes:
        at: When it was taken, seconds of a monotonic clock of ours.
        run_id: The server's process: another one after a restart.
        role: ``master`` or ``slave``.
        policy: ``maxmemory-policy``, or ``""``.
        used: Bytes of memory in use.
        maxmemory: Bytes that it may use; 0 for no bound.
        system: Bytes of memory of its machine.
        keys: Keys in all databases.
        clients: Connected clients.
        commands: Commands that it has run, those inside scripts not counted.
        hits: Look-ups that found a key.
        misses: Look-ups that found none.
        expired: Keys that expired.
        evicted: Keys that were evicted.
        refused: Commands that it refused for lack of memory.
        traffic: Bytes that came in.
        scripts: Scripts in its cache.
        evicted_scripts: Scripts that it dropped from its cache; None before Redis 7.4.

    What is counted is counted since the server's start, or its last CONFIG RESETSTAT.
    """

    at: float
    run_id: str
    role: str
    policy: str
    used: int | None
    maxmemory: int | None
    system: int | None
    keys: int
    clients: int | None
    commands: int | None
    hits: int | None
    misses: int | None
    expired: int | None
    evicted: int | None
    refused: int
    traffic: int | None
    scripts: int | None
    evicted_scripts: int | None

    @classmethod
    def of(cls, said: Mapping[str, Any], at: float) -> Self:
        """Read a reply to INFO, as ``info()`` of the client libraries or `fields_of` gives it."""
        return cls(
            at=at,
            run_id=str(said.get("run_id", "")),
            role=str(said.get("role", "")),
            policy=str(said.get("maxmemory_policy", "")),
            used=_whole(said, "used_memory"),
            maxmemory=_whole(said, "maxmemory"),
            system=_whole(said, "total_system_memory"),
            keys=sum(_inner(said, name, "keys") for name in said if _is_database(name)),
            clients=_whole(said, "connected_clients"),
            commands=_whole(said, "total_commands_processed"),
            hits=_whole(said, "keyspace_hits"),
            misses=_whole(said, "keyspace_misses"),
            expired=_whole(said, "expired_keys"),
            evicted=_whole(said, "evicted_keys"),
            refused=_inner(said, "errorstat_OOM", "count"),
            traffic=_whole(said, "total_net_input_bytes"),
            scripts=_whole(said, "number_of_cached_scripts"),
            evicted_scripts=_whole(said, "evicted_scripts"),
        )

    @property
    def limit(self) -> int | None:
        """Bytes that it can use at most: ``maxmemory``, or where that is 0 what its machine has."""
        return self.system if self.maxmemory == 0 else self.maxmemory

    @property
    def memory(self) -> float | None:
        """The share of `limit` in use, or None where one of the two is not known."""
        return self.used / self.limit if self.used is not None and self.limit else None


def _whole(said: Mapping[str, Any], name: str) -> int | None:
    value = said.get(name)
    return value if isinstance(value, int) else None


def _inner(said: Mapping[str, Any], name: str, part: str) -> int:
    """A number of ``name:part=1,other=2``; 0 where INFO leaves it out, as it does for zeros."""
    value = said.get(name)
    return _whole(value, part) or 0 if isinstance(value, Mapping) else 0


def _is_database(name: str) -> bool:
    return name.startswith("db") and name[2:].isdecimal()


_COUNTED = ("commands", "hits", "misses", "expired", "evicted", "refused", "traffic")


@dataclass(frozen=True, slots=True)
class Window:
    """What happened on one server between two readings.

    Attributes:
        node: The server.
        seconds: The time between them.
        before: The first reading.
        after: The second one: all that is not a rate is as of it.
    """

    node: str
    seconds: float
    before: Reading
    after: Reading

    @property
    def lookups(self) -> int | None:
        """Look-ups of keys. Those of scripts count: a limiter without state is a miss."""
        hits, misses = self._grown("hits"), self._grown("misses")
        return None if hits is None or misses is None else hits + misses

    @property
    def hit_rate(self) -> float | None:
        """The share of look-ups that found a key; None on a server that nobody asked."""
        hits, lookups = self._grown("hits"), self.lookups
        return hits / lookups if hits is not None and lookups else None

    @property
    def evicted(self) -> int | None:
        """Keys that were evicted."""
        return self._grown("evicted")

    @property
    def expired(self) -> int | None:
        """Keys that expired."""
        return self._grown("expired")

    @property
    def refused(self) -> int | None:
        """Commands that were refused for lack of memory."""
        return self._grown("refused")

    @property
    def commands(self) -> int | None:
        """Commands that were run, our own INFO among them."""
        return self._grown("commands")

    @property
    def turnover(self) -> float | None:
        """Seconds in which evictions at this rate replace all keys; None without evictions."""
        if not self.evicted or self.seconds <= 0:
            return None
        return self.after.keys * self.seconds / self.evicted

    def per_second(self, count: int | None) -> float | None:
        """A count of this window as a rate."""
        return count / self.seconds if count is not None and self.seconds > 0 else None

    def _grown(self, name: str) -> int | None:
        first, last = getattr(self.before, name), getattr(self.after, name)
        return None if first is None or last is None else last - first


class Readings:
    """The last reading of each server, and the windows that follow from it."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: dict[str, Reading] = {}

    def take(self, node: str, reading: Reading) -> Window | None:
        """Take a reading, and return the window since the one before it.

        None for the first of a server, after its restart and after a CONFIG RESETSTAT:
        there the counts have begun anew, and what they were is not known.
        """
        before = self._last.get(node)
        self._last[node] = reading
        if before is None or before.run_id != reading.run_id or _went_back(before, reading):
            return None
        return Window(node, reading.at - before.at, before, reading)

    def forget(self, node: str) -> None:
        """Drop a server that was not reached: its next window would span the outage."""
        self._last.pop(node, None)


def _went_back(before: Reading, after: Reading) -> bool:
    pairs = ((getattr(before, name), getattr(after, name)) for name in _COUNTED)
    return any(first is not None and last is not None and last < first for first, last in pairs)
