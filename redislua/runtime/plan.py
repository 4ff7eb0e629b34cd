"""What to send next: the logic of a call, without I/O.

A plan yields the steps of `redislua.runtime.steps`, and returns the decoded reply or
raises one of `redislua.errors`. Drivers only obey, so tests play the server against a
plan and need no socket.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from redislua.errors import (
    AccessDenied,
    InvalidArgumentType,
    InvalidArgumentValue,
    ScriptNotDeployed,
    UnexpectedReplyError,
)
from redislua.runtime import outcome
from redislua.runtime.call import Call, Script
from redislua.runtime.route import HERE, Route, refreshed
from redislua.runtime.slots import Topology
from redislua.runtime.steps import Address, Command, Lost, NotSent, Outcome, Plan, Send
from redislua.runtime.trouble import Trouble

__all__ = [
    "DEFAULT_DEADLINE",
    "EVAL",
    "EVALSHA",
    "LOAD",
    "decoded",
    "ends",
    "evalsha",
    "load",
    "not_deployed",
    "script_load",
    "single",
]

T = TypeVar("T")

DEFAULT_DEADLINE = timedelta(seconds=2)
"""How long a call may take when nothing else is said."""

DEFAULT_SECONDS = DEFAULT_DEADLINE.total_seconds()

EVALSHA, LOAD, EVAL = 0, 1, 2
"""The three forms of a call: EVALSHA, SCRIPT LOAD with EVALSHA, EVAL."""


def ends(subject: str, deadline: timedelta | float) -> float:
    """Return the monotonic time at which a deadline that starts now ends.

    Args:
        subject: Name of the script, for errors.
        deadline: A timedelta or seconds; positive and finite.
    """
    if deadline is DEFAULT_DEADLINE:  # nearly always
        return time.monotonic() + DEFAULT_SECONDS
    seconds = deadline.total_seconds() if isinstance(deadline, timedelta) else deadline
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise InvalidArgumentType(subject, "deadline", deadline, "a timedelta or seconds")
    if not 0 < seconds < math.inf:
        raise InvalidArgumentValue(subject, "deadline", deadline, "more than 0 s, and finite")
    return time.monotonic() + seconds


def single(
    call: Call[T],
    *,
    form: int = EVALSHA,
    route: Route = HERE,
    first: Outcome | None = None,
    until: float = math.inf,
    clock: Callable[[], float] = time.monotonic,
    jitter: Callable[[], float] = random.random,
) -> Plan[T]:
    """One call, on one server or on the node of a cluster that serves its keys.

    EVALSHA first. On NOSCRIPT, SCRIPT LOAD and EVALSHA in one write to the same node; on
    NOSCRIPT again, because loading is not permitted or another client flushed in between,
    EVAL, which needs no cache. In that order: a script that Redis 7.4+ first sees through
    EVAL can be evicted, and a later SCRIPT LOAD does not pin it.

    Args:
        call: What to run.
        form: Where to begin: EVALSHA, or LOAD for a server that may lack the script.
        route: Where to send it.
        first: What became of the EVALSHA that the driver sent before there was a plan.
        until: When to stop, on ``clock``.
        clock: Seconds, monotonic.
        jitter: Evenly distributed numbers in 0..1.
    """
    trouble = Trouble(call, call.script.retry, until, clock, jitter)
    while True:
        try:
            if first is None:
                yield from route.ready(until, clock)
                first = yield _form(call, form, route)
            replies, first = first, None
            if isinstance(replies, NotSent | Lost):
                raise replies
        except (NotSent, Lost) as failure:
            first = None
            route.failed()
            pause = trouble.failed(failure)
        else:
            answer = replies[-1]
            if not isinstance(answer, Exception):
                return decoded(call, answer)
            problem = outcome.answered(call, answer)
            missing = problem.code == "NOSCRIPT"
            if form == EVAL and (missing or isinstance(problem, AccessDenied)):
                problem = not_deployed(call, answer)
            elif missing:
                form += 1
                continue
            elif route.is_made_up(problem):
                problem = outcome.made_up(call, problem)
            elif route.follow(problem):
                form = min(form, LOAD)  # another node, where it may not have come to EVAL yet
                continue
            pause = trouble.refused(problem, answer, passing=route.may_pass(problem))
        yield pause


def load(
    scripts: Sequence[Script],
    *,
    topology: Topology | None = None,
    until: float = math.inf,
    clock: Callable[[], float] = time.monotonic,
    jitter: Callable[[], float] = random.random,
) -> Plan[list[str]]:
    """SCRIPT LOAD of every script in one write to each node; returns their digests in order.

    Of a cluster every primary is meant, and every replica that is read from. Loading twice
    is harmless, so a lost reply is always tried again.
    """
    calls = [Call(script, (), (), _digest) for script in scripts]
    if not calls:
        return []
    trouble = Trouble(calls[0], "safe", until, clock, jitter)
    nodes: Sequence[Address | None] = (None,)
    while topology is not None:
        try:
            yield from refreshed(topology, until, clock)
            nodes = topology.serving_nodes()
            break
        except NotSent as failure:
            pause = trouble.failed(failure)
        yield pause
    for node in nodes:
        digests = yield from _load_on(calls, node, trouble)
    return digests


def _load_on(calls: Sequence[Call[str]], node: Address | None, trouble: Trouble) -> Plan[list[str]]:
    send = Send(*(script_load(call) for call in calls), to=node)
    while True:
        try:
            replies = yield send
        except (NotSent, Lost) as failure:
            pause = trouble.failed(failure)
        else:
            refused = [pair for pair in zip(calls, replies, strict=True) if _is_error(pair)]
            if not refused:
                return [_loaded(*pair) for pair in zip(calls, replies, strict=True)]
            trouble.call, error = refused[0]
            pause = trouble.refused(outcome.answered(trouble.call, error), error)
        yield pause


def _form(call: Call[Any], form: int, route: Route) -> Send:
    script = call.script
    if form == EVAL:
        name = "EVAL_RO" if route.reads else "EVAL"
        command: Command = (name, script.source, len(call.keys), *call.keys, *call.args)
    else:
        command = evalsha(call, read_only=route.reads)
    # ASKING holds for the very next command, so what is loaded is loaded before it.
    loads = (script_load(call),) if form == LOAD else ()
    return Send(*loads, *route.asking, command, requires=script.requires, to=route.target())


def evalsha(call: Call[Any], *, read_only: bool) -> Command:
    """The command that nearly every call is."""
    name = "EVALSHA_RO" if read_only else "EVALSHA"
    return (name, call.script.sha1, len(call.keys), *call.keys, *call.args)


def script_load(call: Call[Any]) -> Command:
    """The command that loads a call's script."""
    return ("SCRIPT", "LOAD", call.script.source)


def decoded(call: Call[T], reply: Any) -> T:
    """Decode a reply, or raise `UnexpectedReplyError`."""
    try:
        return call.decode(reply)
    except UnexpectedReplyError as error:
        error.keys = call.keys  # a decoder knows its script and not the call
        raise
    except (ValueError, OverflowError) as error:  # OverflowError: a timedelta out of range
        raise UnexpectedReplyError(str(call.script), reply, keys=call.keys) from error


def not_deployed(
    call: Call[Any], error: Exception, why: str = "the server does not have the script, and it"
) -> ScriptNotDeployed:
    """Say that a script cannot be brought, and why it must be."""
    return ScriptNotDeployed(
        f"{why} can be neither loaded nor sent with EVAL: {outcome.sentence(error)}",
        script=str(call.script),
        keys=call.keys,
        sha1=call.script.sha1,
    )


def _is_error(pair: tuple[Call[Any], Any]) -> bool:
    return isinstance(pair[1], Exception)


def _digest(reply: Any) -> str:
    return bytes(reply).decode("ascii")


def _loaded(call: Call[str], reply: Any) -> str:
    """The digest of a loaded script: another one than the module's means altered bytes."""
    if not isinstance(reply, bytes) or call.decode(reply) != call.script.sha1:
        raise UnexpectedReplyError(str(call.script), reply)
    return call.script.sha1
