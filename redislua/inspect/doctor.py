"""`redislua doctor`: every server that a URL leads to, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import redis

from redislua.inspect.checks import CLOCK_S, Expected, check, role_of
from redislua.inspect.facts import Facts, examine
from redislua.inspect.finding import Finding, merged
from redislua.inspect.rights import lacking, wants_of

__all__ = ["Diagnosis", "Request", "described", "diagnose"]


@dataclass(frozen=True, slots=True)
class Request:
    """What to hold servers to.

    Attributes:
        expected: Their role, and the operations that are to run on them.
        namespace: What an application puts before every key.
        user: The application's ACL user; ``""`` for the one that asks.
        ignored: Codes of findings to leave out.
        is_cluster: Whether the URL asks for a whole cluster.
    """

    expected: Expected = field(default_factory=Expected)
    namespace: str = ""
    user: str = ""
    ignored: Collection[str] = ()
    is_cluster: bool = False


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What came out.

    Attributes:
        facts: The servers that answered.
        findings: What is wrong, worst first.
    """

    facts: tuple[Facts, ...]
    findings: tuple[Finding, ...]

    @property
    def is_healthy(self) -> bool:
        """Whether there is nothing worse than a note."""
        return all(one.severity == "note" for one in self.findings)


def diagnose(clients: Mapping[str, redis.Redis], request: Request) -> Diagnosis:
    """Look at servers, without changing anything on them.

    Args:
        clients: A client of each, by its name; replies are bytes.
        request: What to hold them to.

    Raises:
        redis.RedisError: None of them can be reached, or one may not be asked for its INFO.
    """
    facts: list[Facts] = []
    found: list[Finding] = []
    for node, client in clients.items():
        try:
            one = examine(node, client)
            findings = [*check(one, request.expected), *_rights(one, client, request)]
        except (redis.ConnectionError, redis.TimeoutError) as error:
            if not facts and node == list(clients)[-1]:
                raise
            found.append(_unreachable(node, error))
        else:
            facts.append(one)
            found += findings
    found += _together(facts, request)
    kept = (one for one in found if one.code not in request.ignored)
    return Diagnosis(tuple(facts), merged(kept))


def _rights(facts: Facts, client: redis.Redis, request: Request) -> Iterator[Finding]:
    wanted = [wants_of(script, request.namespace) for script in request.expected.scripts]
    if wanted:
        yield from lacking(facts, client, wanted, request.user, request.namespace)


def _unreachable(node: str, error: Exception) -> Finding:
    return Finding(
        "unreachable",
        "error",
        f"it does not answer: {error}",
        "look whether it runs, at the network, and at its password",
        (node,),
    )


def _together(facts: Sequence[Facts], request: Request) -> Iterator[Finding]:
    """What only several servers show."""
    alone = facts[0] if len(facts) == 1 else None
    if alone is not None and alone.cluster and not request.is_cluster:
        yield Finding(
            "one-node",
            "note",
            "this is one node of a cluster: the others were not looked at",
            f"redislua doctor redis+cluster://{alone.node}",
            (alone.node,),
        )
    clocks = {one.node: one.clock for one in facts if one.clock is not None}
    if len(clocks) < 2:
        return
    first = min(clocks, key=lambda node: clocks[node].offset)
    last = max(clocks, key=lambda node: clocks[node].offset)
    apart = clocks[last].offset - clocks[first].offset
    if apart - clocks[first].uncertainty - clocks[last].uncertainty > CLOCK_S:
        yield Finding(
            "clocks-apart",
            "warning",
            f"the clocks of {first} and {last} are {apart:.1f} s apart: after a failover, spans "
            "end early or late by as much",
            "run NTP on all machines",
            (first, last),
        )


def described(facts: Facts, expected: Expected) -> dict[str, Any]:
    """The facts that are shown, for JSON: bytes, seconds, and None for what is not known."""
    clock = facts.clock
    return {
        "node": facts.node,
        "server": facts.server,
        "is_primary": facts.is_primary,
        "judged_as": role_of(facts, expected),
        "used_memory": facts.number("used_memory"),
        "maxmemory": facts.number("maxmemory"),
        "maxmemory_policy": facts.policy or None,
        "aof": None if (aof := facts.number("aof_enabled")) is None else aof == 1,
        "save": facts.config.get("save"),
        "replicas": facts.number("connected_slaves"),
        "cached_scripts": facts.number("number_of_cached_scripts"),
        "evicted_scripts": facts.number("evicted_scripts"),
        "clock_offset": None if clock is None else round(clock.offset, 6),
        "clock_uncertainty": None if clock is None else round(clock.uncertainty, 6),
        "user": facts.user or None,
        "refused_commands": sorted(facts.refused),
    }
