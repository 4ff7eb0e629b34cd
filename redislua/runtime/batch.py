"""Several calls in one write: logic without I/O, made of the plan of a single call.

Each call keeps its own plan (`redislua.runtime.plan.single`) and with it every rule of
healing, redirecting, resending and giving up; a batch lets them step together. What the
plans want to send to one server travels in one write, what they want to send to several
goes to all of them before any reply is read, and each gets its own reply, or its own
failure, back.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator, MutableSet, Sequence
from typing import Any, Protocol

from redislua.errors import CallError, NotExecuted
from redislua.runtime import outcome
from redislua.runtime.call import Call
from redislua.runtime.clients import checked
from redislua.runtime.plan import EVALSHA, LOAD, decoded, evalsha, script_load, single
from redislua.runtime.route import refreshed, route_of
from redislua.runtime.settings import Settings
from redislua.runtime.slots import Topology
from redislua.runtime.steps import (
    MOST_BYTES,
    MOST_CALLS,
    Address,
    Command,
    Lost,
    NotSent,
    Outcome,
    Pause,
    Plan,
    Requires,
    Send,
    SendAll,
)
from redislua.runtime.transaction import size_of, transaction

__all__ = ["many", "plan", "replies"]


class Servers(Protocol):
    """What a batch must know of where it goes: a pool.

    Attributes:
        topology: The cluster's, or None for a single server.
        settings: How the client's calls are made.
    """

    @property
    def topology(self) -> Topology | None: ...

    @property
    def settings(self) -> Settings: ...

    def way(self, call: Call[Any], /) -> tuple[Address | None, bool]:
        """Where to send a call, None while that is not known, and whether a replica may be there.

        Raises:
            CrossSlot: Its keys lie in more than one slot.
        """

    def known_by(self, to: Address | None, /) -> MutableSet[str]:
        """Digests of the scripts that a node is believed to have; kept up to date."""


def plan(
    calls: Sequence[Call[Any]], servers: Servers, *, atomic: bool, until: float
) -> Plan[list[Any]]:
    """The plan of a batch, once its calls are known to be calls."""
    checked_calls = [checked(call) for call in calls]
    if atomic:
        return transaction(
            checked_calls, topology=servers.topology, admit=servers.settings.admit, until=until
        )
    return many(checked_calls, servers, until=until)


def replies(results: Sequence[Any], *, return_exceptions: bool) -> tuple[Any, ...]:
    """Return all results, or raise the first that is an exception."""
    if not return_exceptions:
        for result in results:
            if isinstance(result, CallError):
                raise result
    return tuple(results)


def many(
    calls: Sequence[Call[Any]],
    servers: Servers,
    *,
    until: float,
    clock: Callable[[], float] = time.monotonic,
    jitter: Callable[[], float] = random.random,
) -> Plan[list[Any]]:
    """Run calls in order, as many in one write as its bounds allow.

    A script that the server may lack is loaded at the head of the write that first uses
    it, so nothing is asked beforehand and, in the steady state, nothing is sent twice.
    Only a call that is turned away at that very moment, because its script vanished or its
    slot is moving, runs behind the others of its write. Calls on different nodes of a
    cluster run side by side.

    Args:
        calls: What to run.
        servers: Where to.
        until: When to stop, on ``clock``.
        clock: Seconds, monotonic.
        jitter: Evenly distributed numbers in 0..1.

    Returns:
        For each call its reply, or the `CallError` that it ended in.
    """
    topology = servers.topology
    if topology is not None and topology.must_be_asked():
        with contextlib.suppress(NotSent):  # each call meets that too, and waits by itself
            yield from refreshed(topology, until, clock)
    results: list[Any] = []
    for calls_of_write in _writes(calls):
        opening = _Opening(calls_of_write, servers)
        outcomes = yield from _exchanged(opening.writes)
        troubled = opening.end(outcomes, until=until, clock=clock, jitter=jitter)
        yield from _together(list(troubled.values()))
        for index, member in troubled.items():
            opening.results[index] = member.result
        results += opening.results
    return results


def _writes(calls: Sequence[Call[Any]]) -> Iterator[list[Call[Any]]]:
    """Cut calls into writes: by number, by size, and where other servers are required."""
    write: list[Call[Any]] = []
    size = 0
    for call in calls:
        own = size_of(call)
        full = len(write) == MOST_CALLS or size + own > MOST_BYTES
        if write and (full or call.script.requires != write[0].script.requires):
            yield write
            write, size = [], 0
        write.append(call)
        size += own
    if write:
        yield write


def _exchanged(writes: Sequence[_Write]) -> Plan[Sequence[Outcome]]:
    """Send writes, each to a node of its own, and say what became of each."""
    if not writes:
        return []
    if len(writes) > 1:
        outcomes: Sequence[Outcome] = yield SendAll([write.send() for write in writes])
        return outcomes
    try:
        return [(yield writes[0].send())]
    except (NotSent, Lost) as failure:
        return [failure]


class _Write:
    """What goes to one node: scripts to load, each once, then the commands of the calls.

    Attributes:
        to: The node.
        loads: SCRIPT LOAD by digest.
    """

    __slots__ = ("_commands", "_owners", "_requires", "_within", "loads", "to")

    def __init__(self, to: Address | None, requires: Requires, within: float | None = None) -> None:
        self.to = to
        self._within = within
        self.loads: dict[str, Command] = {}
        self._requires = requires
        self._commands: list[Command] = []
        self._owners: list[tuple[Any, int]] = []

    def add(self, owner: Any, *commands: Command) -> None:
        """Add commands; ``owner`` gets what becomes of them."""
        self._commands += commands
        self._owners.append((owner, len(commands)))

    def send(self) -> Send:
        commands = (*self.loads.values(), *self._commands)
        return Send(*commands, requires=self._requires, to=self.to, within=self._within)

    def split(self, ended: Outcome) -> Iterator[tuple[Any, Outcome]]:
        """Give each owner its own part of what became of the write."""
        if isinstance(ended, NotSent):
            yield from ((owner, ended) for owner, _ in self._owners)
            return
        came = (ended.replies if isinstance(ended, Lost) else ended)[len(self.loads) :]
        start = 0
        for owner, count in self._owners:
            own = came[start : start + count]
            start += count
            if len(own) == count:
                yield owner, own
            elif isinstance(ended, Lost):
                yield owner, Lost(ended.cause)
            else:
                raise AssertionError("a driver gives one reply for each command")


class _Opening:
    """The first send of some calls: all that most of them need, and so without plans.

    Attributes:
        results: By the index of the call; of those in trouble not yet.
        writes: One for each node.
    """

    __slots__ = ("_calls", "_servers", "_unrouted", "results", "writes")

    def __init__(self, calls: Sequence[Call[Any]], servers: Servers) -> None:
        self._calls = calls
        self._servers = servers
        self._unrouted: list[int] = []
        self.results: list[Any] = [None] * len(calls)
        by_node: dict[Address | None, _Write] = {}
        for index, call in enumerate(calls):
            try:
                if servers.settings.admit is not None:
                    servers.settings.admit(call)
                to, read_only = servers.way(call)
            except NotExecuted as error:  # turned away by an observer, or CrossSlot
                self.results[index] = error
                continue
            if to is None and servers.topology is not None:
                self._unrouted.append(index)
                continue
            write = by_node.get(to)
            if write is None:
                write = by_node[to] = _Write(to, call.script.requires)
            if call.script.sha1 not in servers.known_by(to):
                write.loads[call.script.sha1] = script_load(call)
            write.add(index, evalsha(call, read_only=read_only))
        self.writes = list(by_node.values())

    def end(self, outcomes: Sequence[Outcome], **options: Any) -> dict[int, _Member]:
        """Take what became of the writes; return those that need a plan, by index."""
        troubled = {index: self._member(index, None, **options) for index in self._unrouted}
        for write, ended in zip(self.writes, outcomes, strict=True):
            known = self._servers.known_by(write.to)
            for index, own in write.split(ended):
                call = self._calls[index]
                if isinstance(own, NotSent | Lost) or isinstance(own[0], Exception):
                    loaded = call.script.sha1 in write.loads
                    troubled[index] = self._member(index, own, loaded=loaded, **options)
                    continue
                if write.loads:
                    known.add(call.script.sha1)
                try:
                    self.results[index] = decoded(call, own[0])
                except CallError as error:
                    self.results[index] = error
        return dict(sorted(troubled.items()))  # in the order of the calls

    def _member(
        self, index: int, first: Outcome | None, *, loaded: bool = True, **options: Any
    ) -> _Member:
        call = self._calls[index]
        route = route_of(self._servers.topology, [call])
        form = LOAD if loaded else EVALSHA
        plan = single(call, form=form, route=route, first=first, **options)
        return _Member(call, plan, self._servers.known_by)


def _together(members: list[_Member]) -> Plan[None]:
    """Step members until each has its result; a pausing one holds up no other."""
    while pending := [member for member in members if not member.done]:
        by_node: dict[Any, _Write] = {}
        for member in pending:
            step = member.step
            if isinstance(step, Send):
                new = _Write(step.to, step.requires, step.within)
                member.join(by_node.setdefault((step.to, step.within), new))
        if by_node:
            writes = list(by_node.values())
            outcomes = yield from _exchanged(writes)
            for write, ended in zip(writes, outcomes, strict=True):
                for member, own in write.split(ended):
                    member.take(own)
            continue
        pauses = [member.step for member in pending if isinstance(member.step, Pause)]
        yield Pause(max(one.seconds for one in pauses), any(one.afresh for one in pauses))
        for member in pending:
            member.take(())


class _Member:
    """A call that met trouble: its plan, the plan's current step, and at the end its result.

    Attributes:
        step: What its plan wants next.
        done: Whether ``result`` is there.
        result: The reply, or the `CallError`.
    """

    __slots__ = ("_call", "_known_by", "_plan", "done", "result", "step")

    def __init__(self, call: Call[Any], plan: Plan[Any], known_by: Any) -> None:
        self.done = False
        self.result: Any = None
        self.step: Any = None
        self._call = call
        self._plan = plan
        self._known_by = known_by
        self._advance(lambda: next(plan))

    def join(self, write: _Write) -> None:
        """Add what the plan wants sent to a write."""
        load, *others = self.step.commands
        if load[0] == "SCRIPT":
            write.loads[self._call.script.sha1] = load
            write.add(self, *others)
        else:
            write.add(self, *self.step.commands)

    def take(self, own: Outcome) -> None:
        """Give the plan what became of its step."""
        if isinstance(own, NotSent | Lost):
            failure = own
            self._advance(lambda: self._plan.throw(failure))
            return
        if own:
            self._learn(own[-1])
        self._advance(lambda: self._plan.send(own))

    def _learn(self, reply: Any) -> None:
        if not str(self.step.commands[-1][0]).startswith("EVAL"):
            return  # the cluster was asked
        known = self._known_by(self.step.to)
        code = outcome.code_of(reply) if isinstance(reply, Exception) else None
        if code == "NOSCRIPT":
            known.discard(self._call.script.sha1)
        elif code is None:
            known.add(self._call.script.sha1)

    def _advance(self, move: Callable[[], Any]) -> None:
        try:
            self.step = move()
        except StopIteration as end:
            self.result, self.done = end.value, True
        except CallError as error:
            self.result, self.done = error, True
