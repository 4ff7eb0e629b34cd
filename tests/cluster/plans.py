"""Clusters that tests play: who serves what, calls on any slot, and errors as servers say them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Sequence
from functools import cache
from typing import Any, TypeAlias

import pytest
import redis.exceptions as said
from redis.crc import REDIS_CLUSTER_HASH_SLOTS as SLOTS
from redis.crc import key_slot

from redislua.runtime import Call, RetryClass
from redislua.runtime.plan import single
from redislua.runtime.route import route_of
from redislua.runtime.slots import Reads, Topology
from redislua.runtime.steps import Address, Lost, NotSent, Outcome, Pause, Send, SendAll
from tests.runtime.samples import script

Played: TypeAlias = Generator[Any, Any, Any]
"""A plan whose steps a test looks at one by one."""

A, B, C = ("10.0.0.1", 6379), ("10.0.0.2", 6379), ("10.0.0.3", 6379)
A2, B2, C2 = ("10.0.0.1", 7379), ("10.0.0.2", 7379), ("10.0.0.3", 7379)
SEED = ("seed.example", 6379)
STRANGER = ("203.0.113.9", 6379)
NEWCOMER = ("10.0.0.4", 6379)
"""A node that has joined, and serves no slot yet."""

NOSCRIPT = said.NoScriptError("No matching script.", status_code="NOSCRIPT")
NOPERM = said.NoPermissionError("User u has no permissions to run …", status_code="NOPERM")
TRYAGAIN = said.TryAgainError(
    "Multiple keys request during rehashing of slot", status_code="TRYAGAIN"
)
DOWN = said.ClusterDownError("The cluster is down", status_code="CLUSTERDOWN")
REFUSED = said.ConnectionError("Error 111 connecting to 10.0.0.1:6379. Connection refused.")
CLOSED = said.ConnectionError("Connection closed by server.")


def moved(slot: int, to: Address) -> Exception:
    """``MOVED`` as redis-py gives it."""
    return said.MovedError(f"{slot} {to[0]}:{to[1]}", status_code="MOVED")


def ask(slot: int, to: Address) -> Exception:
    """``ASK`` as redis-py gives it."""
    return said.AskError(f"{slot} {to[0]}:{to[1]}", status_code="ASK")


def node(address: Address) -> list[Any]:
    """One node of a reply to CLUSTER SLOTS."""
    return [address[0].encode(), address[1], b"0" * 40, []]


def slots_reply(*shards: Sequence[Address]) -> list[Any]:
    """A reply to CLUSTER SLOTS: the slots dealt out evenly, each shard's primary first."""
    edges = [SLOTS * place // len(shards) for place in range(len(shards) + 1)]
    return [
        [first, end - 1, *map(node, shard)]
        for (first, end), shard in zip(itertools.pairwise(edges), shards, strict=True)
    ]


WHOLE = slots_reply((A, A2), (B, B2), (C, C2))


def nodes_reply(*addresses: Address) -> bytes:
    """A reply to CLUSTER NODES."""
    lines = (
        f"{number:040x} {host}:{port}@{port + 10000} master - 0 0 {number} connected"
        for number, (host, port) in enumerate(addresses)
    )
    return "".join(f"{line}\n" for line in lines).encode()


MEMBERS = nodes_reply(A, A2, B, B2, C, C2, NEWCOMER)
"""What CLUSTER NODES says once a node has joined."""


def topology(reads: Reads = "primary", reply: Sequence[Any] = WHOLE) -> Topology:
    """What is known of a cluster that was asked."""
    known = Topology([SEED], reads=reads)
    known.learn(reply, A)
    return known


@cache
def _keys() -> dict[int, bytes]:
    """A key in each slot."""
    found: dict[int, bytes] = {}
    for number in itertools.count():
        key = b"{%d}" % number
        found.setdefault(key_slot(key), key)
        if len(found) == SLOTS:
            return found
    raise AssertionError("there are more numbers than slots")


def key_of(slot: int) -> bytes:
    """A key in a slot."""
    return _keys()[slot]


SLOT_A, SLOT_B, SLOT_C = 0, 6000, 16000
"""Slots of A, B and C."""


def incr(
    slot: int = SLOT_A, retry: RetryClass = "never", *, read_only: bool = False, body: str = "INCR"
) -> Call[Any]:
    """A call on a key of one slot."""
    flags = " flags=no-writes" if read_only else ""
    made = script(f"return redis.call('{body}', KEYS[1])", flags=flags, retry=retry)
    return Call(made, (key_of(slot),), (), decode=lambda reply: reply)


def evalsha(call: Call[Any], *, read_only: bool = False) -> tuple[Any, ...]:
    """The EVALSHA of a call."""
    name = "EVALSHA_RO" if read_only else "EVALSHA"
    return (name, call.script.sha1, len(call.keys), *call.keys, *call.args)


def load_of(call: Call[Any]) -> tuple[Any, ...]:
    """The SCRIPT LOAD of a call."""
    return ("SCRIPT", "LOAD", call.script.source)


def end(plan: Played, *replies: Any) -> Any:
    """Send the last replies; return what the plan returns."""
    with pytest.raises(StopIteration) as done:
        plan.send(replies)
    return done.value.value


CALL = incr()
"""A call on A."""


class Clock:
    """A clock that stands still unless a test moves it.

    Attributes:
        now: Seconds.
    """

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


SLOTS_ASKED = ("CLUSTER", "SLOTS")
NODES_ASKED = ("CLUSTER", "NODES")


def asked(step: Any, *also: tuple[str, str]) -> Address:
    """The node that is asked who serves what, and what else it is asked in that write."""
    assert isinstance(step, Send)
    assert step.commands == (SLOTS_ASKED, *also)
    assert step.to is not None
    return step.to


def paused(step: Any) -> bool:
    """Whether a plan waits."""
    return isinstance(step, Pause)


def play(plan: Played, clock: Clock, answer: Callable[[Send], Any], *, first: Any = None) -> Any:
    """Play the servers until a plan ends, and let the time pass that it waits.

    Args:
        plan: The plan.
        clock: Its clock.
        answer: What is answered to a write: replies, or what to throw.
        first: The plan's current step, if it was begun.
    """
    step = next(plan) if first is None else first
    try:
        for _ in range(1000):
            if isinstance(step, Pause):
                clock.now += max(step.seconds, 0.001)
                step = plan.send(())
            elif isinstance(step, SendAll):
                step = plan.send([answer(send) for send in step.sends])
            else:
                step = _give(plan, answer(step))
    except StopIteration as done:
        return done.value
    raise AssertionError("the plan does not end")


def _give(plan: Played, outcome: Outcome) -> Any:
    """Give a plan what became of its one write."""
    return plan.throw(outcome) if isinstance(outcome, NotSent | Lost) else plan.send(outcome)


def run(
    known: Topology | None, call: Call[Any] = CALL, *, until: float = 1e9, clock: Any = None
) -> Played:
    """The plan of a call through a cluster."""
    return single(
        call,
        route=route_of(known, [call]),
        until=until,
        clock=clock or Clock(),
        jitter=lambda: 0.5,
    )
