"""Several calls in one MULTI/EXEC: logic without I/O."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from redislua.errors import (
    AccessDenied,
    CallError,
    InvalidArgumentValue,
    NotExecuted,
    OutcomeUnknown,
    RedisLuaError,
)
from redislua.runtime import outcome
from redislua.runtime.call import Call, RetryClass
from redislua.runtime.plan import EVAL, LOAD, decoded, not_deployed, script_load
from redislua.runtime.route import Route, route_of
from redislua.runtime.slots import Topology
from redislua.runtime.steps import (
    MOST_BYTES,
    MOST_CALLS,
    Command,
    Lost,
    NotSent,
    Plan,
    Send,
)
from redislua.runtime.trouble import Trouble

__all__ = ["size_of", "transaction"]

REDIRECTIONS = frozenset(["ASK", "CLUSTERDOWN", "CROSSSLOT", "MOVED", "TRYAGAIN"])
"""Codes with which a cluster's node turns a call away before it begins."""

RETRIES: tuple[RetryClass, ...] = ("never", "conservative", "safe")
"""Strictest first."""


def transaction(
    calls: Sequence[Call[Any]],
    *,
    topology: Topology | None = None,
    admit: Callable[[Call[Any]], None] | None = None,
    until: float,
    clock: Callable[[], float] = time.monotonic,
    jitter: Callable[[], float] = random.random,
) -> Plan[list[Any]]:
    """Run calls in one MULTI/EXEC: no other client's command comes between them.

    The scripts travel inside it, since a NOSCRIPT within EXEC would leave the rest
    applied: SCRIPT LOAD, or EVAL where this user may not load. A call that fails does
    not undo the others; Redis has no rollback.

    Raises:
        InvalidArgumentValue: The calls exceed one write: a transaction is not split.
        CrossSlot: The keys lie in more than one slot of a cluster. Nothing was sent.
        NotExecuted: None of them ran.
        OutcomeUnknown: All of them may have run.
    """
    if not calls:
        return []
    _check_bounds(calls)
    if admit is not None:
        for call in calls:
            admit(call)
    route = route_of(topology, calls)
    trouble = Trouble(calls[0], _least_safe(calls), until, clock, jitter)
    form = LOAD
    while True:
        try:
            yield from route.ready(until, clock)
            replies = yield _exec(calls, form, route)
        except (NotSent, Lost) as failure:
            route.failed()
            pause = trouble.failed(failure)
        else:
            if isinstance(replies[-1], list):
                ended = replies[-1][-len(calls) :]
                results = [_ended(call, reply) for call, reply in zip(calls, ended, strict=True)]
                if not all(map(_is_transient, results)):
                    return results
                problem, cause = results[0], ended[0]
            else:
                replies = replies[len(route.asking) :]
                trouble.call, problem, cause = _refusal(calls, form, replies)
            if problem is None:
                form = EVAL
                continue
            if route.follow(problem):
                form = LOAD
                continue
            pause = trouble.refused(problem, cause, passing=route.may_pass(problem))
        yield pause


def size_of(call: Call[Any]) -> int:
    """Return what a call adds to the bytes of a write."""
    return sum(map(len, call.keys)) + sum(map(len, call.args))


def _refusal(
    calls: Sequence[Call[Any]], form: int, replies: Sequence[Any]
) -> tuple[Call[Any], CallError | None, Exception]:
    """Say why EXEC gave no results: whose fault it is, what became of it, and the error.

    No problem means that the scripts may not be loaded, and EVAL is left to be tried.
    """
    queued = replies[-1 - len(calls) : -1]
    if isinstance(replies[0], Exception) and not all(map(_is_refused, calls, queued)):
        # MULTI was refused and the calls were not: they ran, each on its own.
        return calls[0], _unknown(calls, replies[0]), replies[0]
    for call, reply in zip(calls, queued, strict=True):
        if isinstance(reply, Exception):
            problem = outcome.answered(call, reply)
            if form == EVAL and isinstance(problem, AccessDenied):
                why = "a transaction brings its scripts along, and this one"
                problem = not_deployed(call, reply, why)
            return call, _not_executed(problem), reply
    error = next(reply for reply in replies if isinstance(reply, Exception))
    problem = outcome.answered(calls[0], error)
    if form == LOAD and isinstance(problem, AccessDenied):  # of SCRIPT LOAD: no call was refused
        return calls[0], None, error
    return calls[0], _not_executed(problem), error


def _is_transient(result: Any) -> bool:
    return isinstance(result, NotExecuted) and result.transient


def _is_refused(call: Call[Any], reply: Any) -> bool:
    return isinstance(reply, Exception) and isinstance(outcome.answered(call, reply), NotExecuted)


def _not_executed(problem: CallError) -> CallError:
    """What was refused while it was queued did not run, whatever the error is called."""
    if isinstance(problem, NotExecuted):
        return problem
    return NotExecuted(problem.reason, script=problem.script, keys=problem.keys, code=problem.code)


def _unknown(calls: Sequence[Call[Any]], error: Exception) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"MULTI was refused and the calls behind it were not: {outcome.sentence(error)}",
        script=str(calls[0].script),
        keys=calls[0].keys,
    )


def _check_bounds(calls: Sequence[Call[Any]]) -> None:
    size = sum(map(size_of, calls))
    if len(calls) > MOST_CALLS or size > MOST_BYTES:
        raise InvalidArgumentValue(
            "run_many",
            "calls",
            f"{len(calls)} calls of {size} bytes",
            f"at most {MOST_CALLS} calls of {MOST_BYTES} bytes together: a transaction is not split",
        )


def _least_safe(calls: Sequence[Call[Any]]) -> RetryClass:
    classes = {call.script.retry for call in calls}
    return next(one for one in RETRIES if one in classes)


def _exec(calls: Sequence[Call[Any]], form: int, route: Route) -> Send:
    commands: list[Command] = []
    for call in calls:
        operands: Command = (len(call.keys), *call.keys, *call.args)
        if form == LOAD:
            commands.append(("EVALSHA", call.script.sha1, *operands))
        else:
            commands.append(("EVAL", call.script.source, *operands))
    loads = {call.script.sha1: script_load(call) for call in calls} if form == LOAD else {}
    # ASKING before MULTI holds until EXEC.
    inside = (("MULTI",), *loads.values(), *commands, ("EXEC",))
    return Send(*route.asking, *inside, requires=_strictest(calls), to=route.target())


def _strictest(calls: Sequence[Call[Any]]) -> dict[str, tuple[int, ...]]:
    """What a server must be to run all of the calls; nothing that is, where they exclude all."""
    bounds = [call.script.requires for call in calls if call.script.requires]
    common = set.intersection(*map(set, bounds)) if bounds else set()
    strictest = {product: max(bound[product] for bound in bounds) for product in common}
    return strictest or ({"no server": ()} if bounds else {})


def _ended(call: Call[Any], reply: Any) -> Any:
    """The call's reply, or the error that it ended in inside EXEC."""
    try:
        if isinstance(reply, Exception):
            problem = outcome.answered(call, reply)
            # A node redirects what is being queued, or EXEC as a whole: never inside of it.
            return outcome.made_up(call, problem) if problem.code in REDIRECTIONS else problem
        return decoded(call, reply)
    except RedisLuaError as error:
        return error
