"""What `redislua doctor` looks at on one server: facts in, findings out, no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from redislua.inspect.advisories import open_advisories, safe_version
from redislua.inspect.facts import Facts, Role
from redislua.inspect.finding import Finding, Severity
from redislua.inspect.needs import need_of
from redislua.inspect.wording import sized
from redislua.runtime.connections.product import lacking
from redislua.runtime.watching.vitals import evicts
from redislua.server.version import FLOORS
from redislua.spec.model import Script

__all__ = ["Expected", "check", "role_of"]

NEARLY_FULL = 0.9
"""Share of ``maxmemory`` from which a server that does not evict is about to refuse writes."""
CLOCK_S = 1.0
"""Seconds that two clocks may differ."""
LAG_S = 10
"""Seconds since a replica's last acknowledgement from which it counts as behind."""
SCRIPTS = 1_000
"""Scripts in the cache from which somebody must be making them."""

_MANY_SCRIPTS = "pass what varies in KEYS and ARGV, never in the text of a script"


@dataclass(frozen=True, slots=True)
class Expected:
    """What a server is to be.

    Attributes:
        role: What it is used as, or None to take it for what its eviction policy makes it.
        scripts: Operations that are to run on it.
    """

    role: Role | None = None
    scripts: tuple[Script, ...] = ()


def role_of(facts: Facts, expected: Expected) -> Role:
    """What a server is judged as."""
    return expected.role or ("cache" if evicts(facts.policy) else "database")


def check(facts: Facts, expected: Expected) -> Iterator[Finding]:
    """Find what is wrong with one server."""
    judge = _Judge(facts, expected)
    for one in _CHECKS:
        yield from one(judge)


class _Judge:
    """The facts, and findings about them."""

    def __init__(self, facts: Facts, expected: Expected) -> None:
        self.facts = facts
        self.scripts = expected.scripts
        self.is_cache = role_of(facts, expected) == "cache"

    def found(self, code: str, severity: Severity, text: str, remedy: str) -> Finding:
        return Finding(code, severity, text, remedy, (self.facts.node,))


def _version(judge: _Judge) -> Iterator[Finding]:
    facts = judge.facts
    floor = FLOORS[facts.product]
    if facts.version[:2] < floor:
        least = ".".join(map(str, floor))
        yield judge.found(
            "too-old",
            "error",
            f"{facts.server} does not know '#!lua' lines: no script of redislua runs on it",
            f"upgrade to {facts.product} {least} or newer",
        )
    safe = safe_version(facts.product, facts.version)
    for one in open_advisories(facts.product, facts.version):
        yield judge.found(
            one.cve,
            "error",
            f"{one.what} ({facts.server})",
            f"upgrade to {facts.product} {safe} or newer; until then let nobody run or load "
            "scripts whom you do not trust. A distribution may have mended it without changing "
            "the version: then --ignore it",
        )


def _requires(judge: _Judge) -> Iterator[Finding]:
    product = (judge.facts.product.lower(), judge.facts.version)
    for script in judge.scripts:
        least = {str(one.product): one.version for one in script.requires}
        reason = lacking(product, least) if least else ""
        if reason:
            yield judge.found(
                "needs-newer",
                "error",
                f"{script.full_name} {reason}",
                "upgrade, or use another operation",
            )


def _policy(judge: _Judge) -> Iterator[Finding]:
    policy = judge.facts.policy
    if not policy:
        return
    if judge.is_cache and not evicts(policy):
        yield judge.found(
            "eviction-policy",
            "error",
            "noeviction in a cache: once memory is full, nothing new is cached and writes fail",
            "CONFIG SET maxmemory-policy allkeys-lru (or allkeys-lfu), and in redis.conf",
        )
    if not judge.is_cache and evicts(policy):
        yield judge.found(
            "eviction-policy",
            "error",
            f"{policy} in a database: once memory is full, the server drops keys, locks and "
            "limiters that expire among them",
            "CONFIG SET maxmemory-policy noeviction, and in redis.conf",
        )
    if judge.is_cache and policy.startswith("volatile-"):
        yield judge.found(
            "eviction-policy",
            "warning",
            f"{policy} in a cache: keys without expiry are never evicted, and can fill it",
            "CONFIG SET maxmemory-policy allkeys-lru (or allkeys-lfu), and in redis.conf",
        )
    if evicts(policy):
        yield from _unfit(judge)


def _unfit(judge: _Judge) -> Iterator[Finding]:
    """Operations whose keys must not be evicted, by what their loss means."""
    by_loss: dict[str, list[str]] = {}
    for script in judge.scripts:
        need = need_of(script)
        if need is not None and not need.may_be_evicted:
            by_loss.setdefault(need.loss, []).append(script.full_name)
    for loss, names in by_loss.items():
        yield judge.found(
            "evicts-state",
            "error",
            f"{judge.facts.policy} may evict the keys of {', '.join(names)}: {loss}",
            "put them on a server with maxmemory-policy noeviction",
        )


def _memory(judge: _Judge) -> Iterator[Finding]:
    used, most = judge.facts.number("used_memory"), judge.facts.number("maxmemory")
    system = judge.facts.number("total_system_memory")
    if most == 0:
        yield judge.found(
            "maxmemory",
            "error" if judge.is_cache else "warning",
            "maxmemory is 0: the server grows until the system ends it"
            + (", and never evicts" if judge.is_cache else ""),
            "CONFIG SET maxmemory to what the machine can spare, and in redis.conf; leave room "
            "for forks and buffers",
        )
    if most and system and most > system:
        yield judge.found(
            "maxmemory",
            "error",
            f"maxmemory is {sized(most)}, and the machine has {sized(system)}",
            "CONFIG SET maxmemory to less than that, and in redis.conf",
        )
    if used and most and not evicts(judge.facts.policy) and used / most >= NEARLY_FULL:
        yield judge.found(
            "nearly-full",
            "error",
            f"{used / most:.0%} of maxmemory is in use, and noeviction refuses writes beyond it",
            "raise maxmemory, or free memory; scripts that release and delete go on working",
        )
    evicted = judge.facts.number("evicted_keys")
    if evicted and not judge.is_cache:
        yield judge.found(
            "evicted-keys",
            "warning",
            f"{evicted} keys were evicted since the start (or CONFIG RESETSTAT)",
            "find out what is missing; a database keeps maxmemory-policy noeviction",
        )


def _persistence(judge: _Judge) -> Iterator[Finding]:
    facts = judge.facts
    for name, what in (("rdb_last_bgsave_status", "save"), ("aof_last_write_status", "AOF write")):
        if facts.text(name) not in ("", "ok"):
            yield judge.found(
                "not-persisted",
                "error",
                f"the last {what} failed: by default the server refuses writes (MISCONF)",
                "look at its log; mostly the disk is full, or not writable",
            )
    has_aof = facts.number("aof_enabled") == 1
    if judge.is_cache:
        if has_aof:
            yield judge.found(
                "persistence",
                "note",
                "a cache with AOF writes to the disk what can be fetched again",
                "CONFIG SET appendonly no, unless a cold start is worse",
            )
        return
    saves = facts.config.get("save")
    if has_aof:
        yield from _fsync(judge)
    elif saves == "":
        yield judge.found(
            "persistence",
            "error",
            "neither AOF nor RDB: a restart loses everything",
            "CONFIG SET appendonly yes, and in redis.conf",
        )
    elif saves is not None:
        yield judge.found(
            "persistence",
            "warning",
            f"RDB alone (save {saves!r}): a crash loses what came after the last save",
            "CONFIG SET appendonly yes, and in redis.conf",
        )


def _fsync(judge: _Judge) -> Iterator[Finding]:
    fsync = judge.facts.config.get("appendfsync")
    if fsync == "no":
        yield judge.found(
            "fsync",
            "warning",
            "appendfsync no: a crash of the machine loses what it had not written, often 30 s",
            "CONFIG SET appendfsync everysec (or always), and in redis.conf",
        )
    if fsync == "everysec":
        yield judge.found(
            "fsync",
            "note",
            "appendfsync everysec: a crash of the machine loses up to a second of writes",
            "CONFIG SET appendfsync always where that is too much; it costs throughput",
        )


def _replication(judge: _Judge) -> Iterator[Finding]:
    if judge.facts.is_primary:
        yield from _replicas(judge)
        return
    facts = judge.facts
    if not facts.cluster:
        yield judge.found(
            "replica",
            "warning",
            "this is a replica: writes are refused, and reads may be old",
            "connect to the primary, best through Sentinels: redis+sentinel://host:26379/name",
        )
    if facts.text("master_link_status") == "down":
        yield judge.found(
            "link-down",
            "error",
            "the replica has lost its primary: what it serves gets older and older",
            "look at the primary, the network and masterauth",
        )
    if facts.config.get("replica-read-only") == "no":
        yield judge.found(
            "writable-replica",
            "warning",
            "replica-read-only is no: what is written here reaches nobody and is overwritten",
            "CONFIG SET replica-read-only yes, and in redis.conf",
        )


def _replicas(judge: _Judge) -> Iterator[Finding]:
    facts = judge.facts
    count = facts.number("connected_slaves") or 0
    if not count and not judge.is_cache:
        yield judge.found(
            "no-replica",
            "warning",
            "no replica: while this server is down nothing works, and what its disk loses is lost",
            "add a replica, and Sentinels or a cluster to fail over to it",
        )
    for number in range(count):
        replica = facts.said.get(f"slave{number}")
        if not isinstance(replica, dict):
            continue
        name = f"{replica.get('ip')}:{replica.get('port')}"
        if replica.get("state") != "online":
            yield judge.found(
                "replica-behind",
                "warning",
                f"the replica {name} is not online ({replica.get('state')})",
                "wait for its synchronisation, and look at its log if that does not end",
            )
        elif replica.get("lag", 0) > LAG_S:
            yield judge.found(
                "replica-behind",
                "warning",
                f"the replica {name} last answered {replica['lag']} s ago",
                "look at its machine and the network",
            )
    if count and not judge.is_cache and facts.config.get("min-replicas-to-write") == "0":
        yield judge.found(
            "unguarded-failover",
            "note",
            "min-replicas-to-write is 0: a failover may lose writes that were acknowledged, "
            "locks and fences among them",
            "CONFIG SET min-replicas-to-write 1 where refusing writes is better than losing some",
        )


def _script_cache(judge: _Judge) -> Iterator[Finding]:
    evicted = judge.facts.number("evicted_scripts")
    cached = judge.facts.number("number_of_cached_scripts")
    if evicted:
        yield judge.found(
            "evicted-scripts",
            "warning",
            f"{evicted} scripts were dropped from the cache: some client sends more than 500 "
            "different texts by EVAL",
            _MANY_SCRIPTS,
        )
    if cached is not None and cached > SCRIPTS:
        yield judge.found(
            "many-scripts",
            "warning",
            f"{cached} scripts are cached: what SCRIPT LOAD loads stays until SCRIPT FLUSH",
            _MANY_SCRIPTS,
        )


def _clock(judge: _Judge) -> Iterator[Finding]:
    clock = judge.facts.clock
    if clock is None or abs(clock.offset) - clock.uncertainty <= CLOCK_S:
        return
    where = "ahead of" if clock.offset > 0 else "behind"
    yield judge.found(
        "clock",
        "warning",
        f"its clock is {abs(clock.offset):.1f} s {where} this machine's. Scripts take the "
        "server's time alone, so their spans hold; instants that you compute (reset_at, run_at) "
        "are off by as much",
        "run NTP on both machines",
    )


def _untold(judge: _Judge) -> Iterator[Finding]:
    if "CONFIG GET" in judge.facts.refused:
        yield judge.found(
            "not-told",
            "note",
            "CONFIG GET is refused: RDB saves, fsync and guards of failovers were not looked at",
            "run the doctor as an administrator; a managed service shows them elsewhere",
        )


def _cluster(judge: _Judge) -> Iterator[Finding]:
    cluster, members = judge.facts.cluster, judge.facts.members
    unserved = 16_384 - int(cluster.get("cluster_slots_ok", 16_384))
    if cluster.get("cluster_state", "ok") != "ok" or unserved:
        yield judge.found(
            "cluster-state",
            "error",
            f"the cluster is {cluster.get('cluster_state')}: {unserved} slots are not served",
            "bring back the nodes that are down, or give their slots to others",
        )
    for name, flags in members.items():
        if flags & {"fail", "fail?", "noaddr"}:
            kind = "replica" if "slave" in flags else "primary"
            yield judge.found(
                "node-down",
                "error",
                f"the {kind} {name} does not answer the other nodes",
                "restart it, or have the others forget it (CLUSTER FORGET)",
            )


_CHECKS: Sequence[Callable[[_Judge], Iterator[Finding]]] = (
    _version,
    _requires,
    _policy,
    _memory,
    _persistence,
    _replication,
    _script_cache,
    _clock,
    _cluster,
    _untold,
)
