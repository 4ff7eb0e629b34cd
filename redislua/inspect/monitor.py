"""`redislua monitor`: one round is one INFO and one SLOWLOG of each server."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import redis

from redislua.inspect.slow import Names, SlowLog, SlowScript
from redislua.runtime.watching.alarms import Alarm, Look, Thresholds, Watchman

__all__ = ["Monitor", "Round", "described"]

ENTRIES = 1_000
"""Entries of SLOWLOG that are asked for at once; a server keeps 128 unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Round:
    """All servers at one moment.

    Attributes:
        looks: The servers.
        scripts: The slowest scripts so far, the slowest first.
        threshold: Microseconds from which a server's SLOWLOG keeps a command, the least of
            all; -1 where it is off, None where it is not known.
    """

    looks: tuple[Look, ...]
    scripts: tuple[SlowScript, ...]
    threshold: int | None

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """What is wrong with the servers."""
        return tuple(alarm for look in self.looks for alarm in look.alarms)

    @property
    def error(self) -> Exception | None:
        """Why no server answers, or None where one does."""
        return None if any(one.reading for one in self.looks) else self.looks[0].error


class Monitor:
    """Watches servers, without changing anything on them.

    A server that does not answer is reported and asked again in the next round; its next
    window begins when it is back.

    Args:
        clients: A client of each server, by its name; replies are bytes.
        names: How scripts are called.
        thresholds: What is a reason for an alarm.
        top: How many scripts to report.
    """

    def __init__(
        self,
        clients: Mapping[str, redis.Redis],
        names: Names,
        thresholds: Thresholds,
        top: int = 10,
    ) -> None:
        self._clients = clients
        self._watchman = Watchman(thresholds)
        self._top = top
        self._slow = SlowLog(names)
        self._least: dict[str, int] = {}

    def look(self) -> Round:
        """Ask every server once; one that does not answer is part of the round."""
        looks = tuple(self._look(node, client) for node, client in self._clients.items())
        least = min(self._least.values(), default=None)
        return Round(looks, self._slow.slowest(self._top), least)

    def _look(self, node: str, client: redis.Redis) -> Look:
        try:
            said, entries, config = self._ask(client)
        except redis.RedisError as error:
            return self._watchman.look(node, error, time.monotonic())
        look = self._watchman.look(node, said, time.monotonic())
        # Either may be refused: by ACL, or by a managed service.
        if look.reading is not None and not isinstance(entries, Exception):
            self._slow.take(node, look.reading.run_id, entries)
        if not isinstance(config, Exception):
            values = config[1::2] if isinstance(config, list) else list(config.values())
            self._least[node] = int(values[0])
        return look

    def _ask(self, client: redis.Redis) -> list[Any]:
        pipe: Any = client.pipeline(transaction=False)
        with pipe:
            pipe.info()
            # In several words, which redis-py's parsers leave as they are.
            pipe.execute_command("SLOWLOG", "GET", ENTRIES)
            pipe.execute_command("CONFIG", "GET", "slowlog-log-slower-than")
            replies: list[Any] = pipe.execute(raise_on_error=False)
        return replies


def described(one: Round) -> dict[str, Any]:
    """A round for JSON; None stands for what is not known."""
    return {
        "nodes": [_node(look) for look in one.looks],
        "alarms": [
            {"node": alarm.node, "kind": alarm.kind, "text": alarm.text} for alarm in one.alarms
        ],
        "slow_scripts": [
            {
                "name": script.name,
                "entries": script.entries,
                "longest_us": script.longest,
                "total_us": script.total,
                "node": script.node,
                "last": script.last,
            }
            for script in one.scripts
        ],
        "slowlog_threshold_us": one.threshold,
    }


def _node(look: Look) -> dict[str, Any]:
    reading, window = look.reading, look.window
    if reading is None:
        return {"node": look.node, "error": str(look.error)}
    rates = (
        {}
        if window is None
        else {
            "seconds": round(window.seconds, 3),
            "lookups": window.lookups,
            "hit_rate": window.hit_rate,
            "commands_per_second": window.per_second(window.commands),
            "evicted": window.evicted,
            "expired": window.expired,
            "refused": window.refused,
        }
    )
    return {
        "node": look.node,
        "role": reading.role,
        "policy": reading.policy,
        "used_memory": reading.used,
        "maxmemory": reading.maxmemory,
        "keys": reading.keys,
        "clients": reading.clients,
        "cached_scripts": reading.scripts,
        "evicted_scripts": reading.evicted_scripts,
        "window": rates or None,
    }
