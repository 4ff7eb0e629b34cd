"""Where a call is sent, and where a redirection sends it next: logic without I/O."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from typing import Any

from redislua.errors import CallError, NotPrimary, ServerLoading
from redislua.runtime.call import Call
from redislua.runtime.slots import Topology, slot_of
from redislua.runtime.steps import Address, Command, Lost, NotSent, Pause, Plan, Send

__all__ = ["HERE", "ClusterRoute", "Route", "refreshed", "route_of"]

ASKING: Command = ("ASKING",)
CLUSTER_SLOTS: Command = ("CLUSTER", "SLOTS")
CLUSTER_NODES: Command = ("CLUSTER", "NODES")

_REDIRECTION = re.compile(r"(\d{1,5}) (\S*):(\d{1,5})")

MOST_HOPS = 5
"""Redirections that are followed at once; then the cluster is given time to settle."""

PATIENCE = 1.0
"""Seconds that one node gets to say which slots are where, before the next is asked."""

ELSEWHERE = 0.005
"""Seconds between looks at whether another caller's question was answered."""


class Route:
    """The way to the one server of a client.

    Attributes:
        reads: Whether the ``_RO`` commands are used, which replicas take.
        asking: Commands that must come right before the call.
    """

    __slots__ = ("asking", "reads")

    def __init__(self, *, reads: bool = False) -> None:
        self.reads = reads
        self.asking: tuple[Command, ...] = ()

    def target(self) -> Address | None:
        """Return the node to send to."""
        return None

    def ready(self, until: float, clock: Callable[[], float]) -> Plan[None]:
        """Find out what must be known before a target can be named."""
        del until, clock
        yield from ()

    def follow(self, problem: CallError) -> bool:
        """Take a redirection: whether the call goes on elsewhere at once."""
        del problem
        return False

    def may_pass(self, problem: CallError) -> bool:
        """Whether waiting can end a problem whose class does not say so."""
        del problem
        return False

    def is_made_up(self, problem: CallError) -> bool:
        """Whether the script itself answered with an error that only a node may give."""
        del problem
        return False

    def failed(self) -> None:
        """Take a write that brought no reply."""


HERE = Route()
"""The way of every call on a single server."""


class ClusterRoute(Route):
    """The way of one call, or of one transaction, through a cluster."""

    __slots__ = ("_hops", "_redirected", "_replicas", "_slot", "_topology")

    def __init__(self, topology: Topology, calls: Sequence[Call[Any]], *, reads: bool) -> None:
        """Find the slot.

        Raises:
            CrossSlot: The keys lie in more than one.
        """
        super().__init__(reads=reads and topology.reads != "primary")
        self._topology = topology
        self._slot = slot_of(calls)
        self._hops = 0
        self._redirected: Address | None = None
        self._replicas = self.reads

    def target(self) -> Address | None:
        """Return the node that the last redirection named, or else one that serves the slot."""
        return self._redirected or self._topology.serving(self._slot, read=self._replicas)

    def ready(self, until: float, clock: Callable[[], float]) -> Plan[None]:
        """Ask the cluster who serves what, unless that is known; ends at the deadline.

        Raises:
            NotSent: No node could say, and none is known that serves the slot.
        """
        if self._redirected is not None:
            return
        nobody: Exception = LookupError(f"no node serves slot {self._slot}")
        if self._topology.must_be_asked():
            try:
                yield from refreshed(self._topology, until, clock)
            except NotSent as failure:
                nobody = failure.cause
        if self.target() is None:
            self._topology.stale = True
            raise NotSent(nobody)

    def follow(self, problem: CallError) -> bool:
        """Take MOVED or ASK, if it names a node that belongs to the cluster."""
        self._redirected, self.asking = None, ()
        if isinstance(problem, NotPrimary | ServerLoading):
            self._topology.stale = True
            self._replicas = False
        named = self._named(problem)
        if named is None:
            return False
        slot, to = named
        self._hops += 1
        if not self._topology.knows(to):
            # A node that just joined is met again once the cluster was asked. A script can
            # make up such an error: nobody connects to a host for its sake.
            self._topology.stale = self._topology.met_stranger = True
            return False
        if self._hops > MOST_HOPS:
            self._hops = 0
            self._topology.stale = True
            return False
        if problem.code == "ASK":
            self.asking = (ASKING,)
        else:
            self._topology.moved(slot, to)
        self._redirected = to
        return True

    def may_pass(self, problem: CallError) -> bool:
        """True for a redirection that could not be followed yet."""
        return self._named(problem) is not None

    def is_made_up(self, problem: CallError) -> bool:
        """True for a redirection that no node gives: the script answered with it."""
        return problem.code in ("MOVED", "ASK") and self._named(problem) is None

    def _named(self, problem: CallError) -> tuple[int, Address] | None:
        """The slot and the node that a redirection names, if it is one of this call's slot."""
        match = _REDIRECTION.fullmatch(problem.reason)
        if problem.code not in ("MOVED", "ASK") or match is None or int(match[1]) != self._slot:
            return None
        here = self._topology.serving(self._slot) or ("", 0)
        return int(match[1]), self._topology.address(match[2], int(match[3]), here)

    def failed(self) -> None:
        """Ask again who serves what, and leave replicas alone from now on."""
        self._redirected, self.asking = None, ()
        self._topology.stale = True
        self._replicas = False


def route_of(topology: Topology | None, calls: Sequence[Call[Any]]) -> Route:
    """Return the way of calls that are sent together.

    Raises:
        CrossSlot: Their keys lie in more than one slot of a cluster.
    """
    if topology is None:
        return HERE
    return ClusterRoute(topology, calls, reads=all(call.script.read_only for call in calls))


def refreshed(topology: Topology, until: float, clock: Callable[[], float]) -> Plan[None]:
    """Ask nodes for CLUSTER SLOTS until one answers; of several callers only one asks.

    After a redirection to a stranger CLUSTER NODES goes along, for those without a slot.

    Raises:
        NotSent: None answered.
    """
    while not topology.refreshing.acquire(blocking=False):
        if clock() > until:
            raise NotSent(TimeoutError("the deadline passed while the cluster was being asked"))
        yield Pause(ELSEWHERE * (1 + random.random()))  # noqa: S311 - spreads load
        if not topology.stale:
            return
    try:
        failure: Exception = LookupError("the client names no node of the cluster")
        for node in topology.nodes():
            within = max(min(PATIENCE, (until - clock()) / 2), 0.001)
            more = (CLUSTER_NODES,) if topology.met_stranger else ()
            try:
                ranges, *members = yield Send(CLUSTER_SLOTS, *more, to=node, within=within)
                if not isinstance(ranges, Exception):
                    topology.learn(ranges, node)
                    if members and isinstance(members[0], bytes):
                        topology.learn_members(members[0], node)
                    return
                failure = ranges
            except (NotSent, Lost) as error:
                failure = error.cause
            except ValueError as error:
                failure = error
        raise NotSent(failure)
    finally:
        topology.refreshing.release()
