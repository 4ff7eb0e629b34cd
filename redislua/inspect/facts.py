"""What one server says of itself, asked once and without changing anything."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import redis

__all__ = ["Clock", "Facts", "Product", "Role", "examine"]

Product: TypeAlias = Literal["Redis", "Valkey"]
Role: TypeAlias = Literal["cache", "database"]

_CONFIG = (
    *("save", "appendonly", "appendfsync", "replica-read-only", "min-replicas-to-write"),
    *("slowlog-log-slower-than", "cluster-require-full-coverage"),
)
_CLOCK_SAMPLES = 5


@dataclass(frozen=True, slots=True)
class Clock:
    """How far a server's clock is ahead of ours, seconds.

    Attributes:
        offset: The server's time less ours; negative where it is behind.
        uncertainty: Half of the quickest round trip: the offset is right to within this.
    """

    offset: float
    uncertainty: float


@dataclass(frozen=True, slots=True)
class Facts:
    """One server.

    Attributes:
        node: Its name, ``host:port``.
        product: ``Redis`` or ``Valkey``.
        version: ``(9, 1, 2)``.
        said: Its INFO, as redis-py reads it.
        config: Settings of interest; empty where it refuses CONFIG GET.
        clock: Its clock beside ours, or None where it refuses TIME.
        cluster: CLUSTER INFO, by name; empty for a server that is in no cluster.
        members: Flags of the nodes that CLUSTER NODES lists, by address; empty likewise.
        user: Our ACL user, or ``""`` where it may not be asked.
        refused: Commands that our user may not run, or that the server does not have.
    """

    node: str
    product: Product
    version: tuple[int, ...]
    said: Mapping[str, Any]
    config: Mapping[str, str]
    clock: Clock | None
    cluster: Mapping[str, str]
    members: Mapping[str, frozenset[str]]
    user: str
    refused: frozenset[str]

    @property
    def server(self) -> str:
        """``Valkey 9.1.2``."""
        return f"{self.product} {'.'.join(map(str, self.version))}"

    @property
    def is_primary(self) -> bool:
        """Whether it takes writes of its own."""
        return self.text("role") != "slave"

    @property
    def policy(self) -> str:
        """Its ``maxmemory-policy``, or ``""`` where it does not say."""
        return self.text("maxmemory_policy")

    def number(self, name: str) -> int | None:
        """A whole number of INFO, or None where it leaves that out."""
        value = self.said.get(name)
        return value if isinstance(value, int) else None

    def text(self, name: str) -> str:
        """A value of INFO as text, ``""`` where it leaves that out."""
        return str(self.said.get(name, ""))


def examine(node: str, client: redis.Redis) -> Facts:
    """Ask a server.

    Args:
        node: What to call it.
        client: A client of it alone, whose replies are bytes.

    Raises:
        redis.RedisError: It cannot be reached, or may not be asked for its INFO.
    """
    said: Any = client.info()
    asking = _Asking(client)
    is_clustered = said.get("cluster_enabled") == 1
    return Facts(
        node=node,
        product="Valkey" if "valkey_version" in said else "Redis",
        # Valkey's redis_version says 7.2.4 for ever.
        version=_version(said.get("valkey_version") or said["redis_version"]),
        said=said,
        config=asking.config(),
        clock=asking.clock(),
        cluster=asking.lines("CLUSTER", "INFO") if is_clustered else {},
        members=asking.members() if is_clustered else {},
        user=asking.text("ACL", "WHOAMI"),
        refused=frozenset(asking.refused),
    )


class _Asking:
    """Asks for what a user may not be allowed to know."""

    def __init__(self, client: redis.Redis) -> None:
        # Commands in several words: redis-py's own parsers leave the replies alone.
        self._run: Any = client.execute_command
        self.refused: set[str] = set()

    def ask(self, *words: str) -> Any:
        """The reply, or None where the command is refused."""
        try:
            return self._run(*words)
        except redis.ResponseError:  # NOPERM; or no such command, as managed services have it
            self.refused.add(" ".join(words[:2]))
            return None

    def text(self, *words: str) -> str:
        reply = self.ask(*words)
        return "" if reply is None else _text(reply)

    def lines(self, *words: str) -> dict[str, str]:
        """A reply of ``name:value`` lines."""
        pairs = (line.partition(":") for line in self.text(*words).splitlines())
        return {name: value for name, colon, value in pairs if colon}

    def config(self) -> dict[str, str]:
        reply = self.ask("CONFIG", "GET", *_CONFIG)
        if isinstance(reply, list):  # RESP2
            reply = dict(zip(reply[::2], reply[1::2], strict=True))
        return {_text(name): _text(value) for name, value in (reply or {}).items()}

    def clock(self) -> Clock | None:
        """The offset as of the quickest of some round trips: the others tell less."""
        samples = [sample for _ in range(_CLOCK_SAMPLES) if (sample := self._clock()) is not None]
        return min(samples, key=lambda one: one.uncertainty, default=None)

    def _clock(self) -> Clock | None:
        before = time.time()
        began = time.perf_counter()
        reply = self.ask("TIME")
        half = (time.perf_counter() - began) / 2
        if reply is None:
            return None
        # redis-py reads TIME as two ints.
        return Clock(reply[0] + reply[1] / 1e6 - (before + half), half)

    def members(self) -> dict[str, frozenset[str]]:
        """Nodes by ``host:port``, from lines such as ``id host:port@bus,name flags ...``."""
        found = {}
        for line in self.text("CLUSTER", "NODES").splitlines():
            words = line.split()
            if len(words) > 2:
                found[words[1].partition("@")[0]] = frozenset(words[2].split(","))
        return found


def _version(text: str) -> tuple[int, ...]:
    """``8.0.0-rc1`` is (8, 0, 0)."""
    return tuple(int(part) for part in re.findall(r"\d+", text.partition("-")[0]))


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
