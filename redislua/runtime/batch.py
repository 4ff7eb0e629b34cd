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
from redislua.runtime.plan import EVALSHA, LOAD, single
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
    if topology is not None and topology.stale:
        with contextlib.suppress(NotSent):  # each call meets that too, and waits by itself
            yield from refreshed(topology, until, clock)
    results: list[Any] = []
    for write in _writes(calls):
        members = [
            _Member(call, servers, until=until, clock=clock, jitter=jitter) for call in write
        ]
        yield from _together(members)
        results += [member.result for member in members]
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


def _together(members: list[_Member]) -> Plan[None]:
    """Step the members of one write until each has its result; a pausing one holds up none."""
    while pending := [member for member in members if not member.done]:
        sending = [member for member in pending if isinstance(member.step, Send)]
        if sending:
            yield from _exchanged(sending)
            continue
        pauses = [member.step for member in pending if isinstance(member.step, Pause)]
        yield Pause(max(one.seconds for one in pauses), any(one.afresh for one in pauses))
        for member in pending:
            member.feed(())


def _exchanged(sending: list[_Member]) -> Plan[None]:
    """Send what members want sent, one write for each node, and give each its replies."""
    by_node: dict[Address | None, _Write] = {}
    for member in sending:
        by_node.setdefault(member.send.to, _Write(member.send)).add(member)
    writes = list(by_node.values())
    outcomes: Sequence[Outcome]
    if len(writes) == 1:
        try:
            outcomes = [(yield writes[0].send())]
        except (NotSent, Lost) as failure:
            outcomes = [failure]
    else:
        outcomes = yield SendAll([write.send() for write in writes])
    for write, ended in zip(writes, outcomes, strict=True):
        write.end(ended)


class _Write:
    """What goes to one node: scripts to load, each once, then the commands of the members."""

    __slots__ = ("_commands", "_first", "_loads", "_members")

    def __init__(self, first: Send) -> None:
        self._first = first
        self._loads: dict[str, Command] = {}
        self._members: list[tuple[_Member, int]] = []
        self._commands: list[Command] = []

    def add(self, member: _Member) -> None:
        own = [command for command in member.send.commands if command[0] != "SCRIPT"]
        if len(own) < len(member.send.commands):
            self._loads[member.call.script.sha1] = member.send.commands[0]
        self._commands += own
        self._members.append((member, len(own)))

    def send(self) -> Send:
        first = self._first
        return Send(*self._loads.values(), *self._commands, requires=first.requires, to=first.to)

    def end(self, ended: Outcome) -> None:
        if isinstance(ended, NotSent):
            for member, _ in self._members:
                member.fail(ended)
            return
        lost = ended if isinstance(ended, Lost) else None
        came = (ended.replies if isinstance(ended, Lost) else ended)[len(self._loads) :]
        start = 0
        for member, count in self._members:
            own = came[start : start + count]
            start += count
            if len(own) == count:
                member.feed(own)
            elif lost is not None:
                member.fail(Lost(lost.cause))
            else:
                raise AssertionError("a driver gives one reply for each command")


class _Member:
    """One call of a batch: its plan, the plan's current step, and at the end its result.

    Attributes:
        call: The call.
        step: What its plan wants next.
        done: Whether ``result`` is there.
        result: The reply, or the `CallError`.
    """

    __slots__ = ("_known", "_plan", "call", "done", "result", "step")

    def __init__(self, call: Call[Any], servers: Servers, **options: Any) -> None:
        self.call = call
        self.done = False
        self.result: Any = None
        self.step: Any = None
        self._known = servers.known_by
        try:
            if servers.settings.admit is not None:
                servers.settings.admit(call)
            route = route_of(servers.topology, [call])
        except NotExecuted as error:  # turned away by an observer, or CrossSlot
            self.result, self.done = error, True
            return
        form = EVALSHA if call.script.sha1 in self._known(route.target()) else LOAD
        self._plan = single(call, form=form, route=route, **options)
        self._advance(lambda: next(self._plan))

    @property
    def send(self) -> Send:
        """The step, which is a write."""
        if not isinstance(self.step, Send):
            raise AssertionError("only members that send are asked")
        return self.step

    def feed(self, replies: Sequence[Any]) -> None:
        """Give the plan its replies, or the end of its pause."""
        if replies:
            self._learn(replies[-1])
        self._advance(lambda: self._plan.send(replies))

    def fail(self, failure: NotSent | Lost) -> None:
        """Tell the plan that its write brought no reply."""
        self._advance(lambda: self._plan.throw(failure))

    def _learn(self, reply: Any) -> None:
        if not str(self.send.commands[-1][0]).startswith("EVAL"):
            return  # the cluster was asked
        known = self._known(self.send.to)
        code = outcome.code_of(reply) if isinstance(reply, Exception) else None
        if code == "NOSCRIPT":
            known.discard(self.call.script.sha1)
        elif code is None:
            known.add(self.call.script.sha1)

    def _advance(self, move: Callable[[], Any]) -> None:
        try:
            self.step = move()
        except StopIteration as end:
            self.result, self.done = end.value, True
        except CallError as error:
            self.result, self.done = error, True
