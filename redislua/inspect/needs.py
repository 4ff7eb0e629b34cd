"""Which operation serves which need, and what the loss of its keys means.

A server that evicts takes a key whenever it needs room. Some operations only do their work
again then; others break the promise that they were called for, so their keys belong on a
server that does not evict.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from redislua.spec.model import Script
from redislua.spec.registry import Registry

__all__ = ["NEEDS", "POLICIES", "Need", "Policy", "keys_without_expiry", "need_of", "served"]


@dataclass(frozen=True, slots=True)
class Need:
    """What an application wants, and what serves it.

    Attributes:
        text: The need, in words.
        scripts: Operations of the catalogue, in the order in which they are met.
        classes: Classes of `redislua.patterns` over them.
        may_be_evicted: Whether their keys may live on a server that evicts.
        loss: What it means that a key is gone before its time.
    """

    text: str
    scripts: tuple[str, ...]
    classes: tuple[str, ...]
    may_be_evicted: bool
    loss: str


def _family(name: str, scripts: str) -> tuple[str, ...]:
    return tuple(f"{name}.{script}" for script in scripts.split())


NEEDS = (
    Need(
        "a value that is dear to fetch, wanted by many at once",
        _family("cache", "get_or_lock fill abandon invalidate read put"),
        ("Cache",),
        may_be_evicted=True,
        loss="it is fetched again",
    ),
    Need(
        "a document that several writers change",
        _family("cache", "conditional_update conditional_delete conditional_read"),
        (),
        may_be_evicted=False,
        loss="its version and its fence are gone: a late writer is taken for the first",
    ),
    Need(
        "many documents of one group stored or dropped together, by version",
        _family("bulk", "set_if unlink_if read"),
        ("Cache",),
        may_be_evicted=False,
        loss="an older version is stored as if it were the first",
    ),
    Need(
        "a limit on calls",
        _family(
            "limit",
            "gcra token_bucket sliding_window sliding_window_counter take_up_to gcra_multi "
            "settle reset block",
        ),
        ("RateLimiter",),
        may_be_evicted=False,
        loss="the subject has its full burst again",
    ),
    Need(
        "a quota for a day or a month",
        _family("limit", "increment_with_limit"),
        ("RateLimiter",),
        may_be_evicted=False,
        loss="the quota begins anew",
    ),
    Need(
        "at most so many at once",
        _family("semaphore", "acquire renew release"),
        ("Semaphore",),
        may_be_evicted=False,
        loss="more get in than may",
    ),
    Need(
        "one at a time",
        _family("lock", "acquire extend release inspect"),
        ("Lock", "Leader"),
        may_be_evicted=False,
        loss="a second one gets in while the first still works; only a fence tells them apart",
    ),
    Need(
        "sessions, and logout everywhere",
        _family("session", "create touch patch rotate destroy revoke_all list sweep"),
        ("SessionStore",),
        may_be_evicted=False,
        loss="users are logged out",
    ),
    Need(
        "an object whose fields are read and changed one by one",
        _family("record", "put patch increment get remove"),
        ("RecordStore",),
        may_be_evicted=True,
        loss="it is missing as a whole, never in part: load it again, or keep it elsewhere",
    ),
    Need(
        "a ranking",
        _family("leaderboard", "submit add page around rank remove"),
        ("Leaderboard",),
        may_be_evicted=False,
        loss="the board begins anew",
    ),
    Need(
        "how many different visitors",
        _family("visitors", "record count rollup"),
        ("UniqueVisitors",),
        may_be_evicted=False,
        loss="the count begins anew",
    ),
    Need(
        "one request, one effect",
        (*_family("idempotency", "begin complete fail extend"), "once.claim"),
        ("Idempotency",),
        may_be_evicted=False,
        loss="the request is executed a second time",
    ),
    Need(
        "work for later, and for whoever is free",
        _family("queue", "schedule claim ack nack renew inspect list_dead remove"),
        ("DelayedQueue",),
        may_be_evicted=False,
        loss="the work is lost",
    ),
    Need(
        "the last of many events, once it is quiet",
        _family("debounce", "push take"),
        (),
        may_be_evicted=False,
        loss="the event is lost",
    ),
    Need(
        "no calls to what fails",
        _family("breaker", "allow report"),
        ("CircuitBreaker",),
        may_be_evicted=True,
        loss="the circuit closes, and opens again after as many failures",
    ),
    Need(
        "slower and slower tries after failures, as for a login",
        _family("backoff", "check fail ok"),
        ("Backoff",),
        may_be_evicted=False,
        loss="whoever guesses begins anew",
    ),
    Need(
        "numbers that only grow",
        _family("sequence", "next"),
        ("Sequence",),
        may_be_evicted=True,
        loss="they go on from the server's clock, still growing",
    ),
)
"""Every operation of the catalogue is in one row."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A ``maxmemory-policy``.

    Attributes:
        name: As in redis.conf.
        takes: What it evicts when memory is full.
        fits: What it is for.
    """

    name: str
    takes: str
    fits: str


POLICIES = (
    Policy("noeviction", "nothing: writes are refused", "a database; everything in the catalogue"),
    Policy("allkeys-lru", "keys not used for longest (a sample)", "a cache, as long as in doubt"),
    Policy(
        "allkeys-lfu",
        "keys used least often; lfu-decay-time 1 takes 1 from a counter each minute, no half",
        "a cache in which some keys are always popular",
    ),
    Policy("allkeys-lrm", "keys not written for longest (Redis 8.6)", "a cache of fresh writes"),
    Policy("allkeys-random", "any", "a cache that is read evenly"),
    Policy(
        "volatile-lru, -lfu, -lrm, -random",
        "as above, of keys that expire alone",
        "no mix of both: locks and limiters expire, so it is they that are evicted",
    ),
    Policy(
        "volatile-ttl",
        "of keys that expire those with the least time left",
        "a cache whose lifetimes say what matters",
    ),
)


def served(registry: Registry) -> tuple[Need, ...]:
    """The needs that a catalogue serves, each with those of its operations that are there."""
    names = {script.full_name for script in registry.scripts}
    found = []
    for need in NEEDS:
        scripts = tuple(name for name in need.scripts if name in names)
        if scripts:
            found.append(Need(need.text, scripts, need.classes, need.may_be_evicted, need.loss))
    return tuple(found)


def need_of(script: Script) -> Need | None:
    """The row of an operation; None for one of a project's own."""
    return next((need for need in NEEDS if script.full_name in need.scripts), None)


def keys_without_expiry(scripts: Iterable[Script]) -> tuple[str, ...]:
    """Patterns of keys that no write leaves an expiry on: those that volatile-* spares."""
    found = [key.pattern.text for script in scripts for key in script.keys if not key.expires]
    return tuple(dict.fromkeys(found))
