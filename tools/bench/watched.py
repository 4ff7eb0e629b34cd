"""What the server itself says about a round: scripts run, failures, time spent."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

SCRIPT_COMMANDS = ("evalsha", "eval", "evalsha_ro", "eval_ro", "fcall", "fcall_ro")


@dataclass(frozen=True, slots=True)
class Tally:
    """The servers' account since the last reset.

    Attributes:
        scripts: Scripts run.
        failures: Commands that failed or were refused, of any kind.
        script_us: Microseconds spent in scripts, the commands that they call included.
        cpu: Seconds of processor time of the servers' main threads: scripts, parsing,
            reading and writing sockets.
    """

    scripts: int
    failures: int
    script_us: float
    cpu: float


class Watched:
    """The servers that a round runs on."""

    def __init__(self, addresses: Sequence[tuple[str, int]]) -> None:
        self._clients = [redis.Redis(host=host, port=port) for host, port in addresses]
        self._cpu = 0.0

    def close(self) -> None:
        """Close the connections."""
        for client in self._clients:
            client.close()

    def load(self, source: str) -> None:
        """Put the script in every server's cache."""
        for client in self._clients:
            client.script_load(source)

    def clear(self) -> None:
        """Forget every key, so that a contender does not meet another's."""
        for client in self._clients:
            client.flushall()

    def reset(self) -> None:
        """Start an account."""
        for client in self._clients:
            client.config_resetstat()
        self._cpu = self._spent()

    def tally(self) -> Tally:
        """Return the account since `reset`."""
        cpu = self._spent() - self._cpu
        scripts, failures, script_us = 0, 0, 0.0
        for client in self._clients:
            commands: dict[str, Any] = client.info("commandstats")
            for name, stats in commands.items():
                failures += stats["failed_calls"] + stats["rejected_calls"]
                if name.removeprefix("cmdstat_") in SCRIPT_COMMANDS:
                    scripts += stats["calls"]
                    script_us += stats["usec"]
        return Tally(scripts, failures, script_us, cpu)

    @contextmanager
    def pinned(self, core: int) -> Iterator[None]:
        """Keep the servers on one processor."""
        everywhere = os.sched_getaffinity(0)
        self._pin({core})
        try:
            yield
        finally:
            self._pin(everywhere)

    def _pin(self, cores: set[int]) -> None:
        for client in self._clients:
            process = client.info("server")["process_id"]
            for thread in Path(f"/proc/{process}/task").iterdir():
                os.sched_setaffinity(int(thread.name), cores)

    def _spent(self) -> float:
        used = [client.info("cpu") for client in self._clients]
        return sum(
            float(one["used_cpu_user_main_thread"]) + float(one["used_cpu_sys_main_thread"])
            for one in used
        )
