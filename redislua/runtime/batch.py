"""Several calls in one write: logic without I/O, made of the plan of a single call.

Each call keeps its own plan (`redislua.runtime.plan.single`) and with it every rule of
healing, resending and giving up; a batch lets them step together. What the plans want
to send travels in one write, and each gets its own reply, or its own failure, back.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, MutableSet, Sequence
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
from redislua.runtime.clients import checked
from redislua.runtime.plan import (
    EVAL,
    EVALSHA,
    LOAD,
    Command,
    Lost,
    NotSent,
    Pause,
    Plan,
    Send,
    Trouble,
    decoded,
    not_deployed,
    script_load,
    single,
)

__all__ = ["MOST_BYTES", "MOST_CALLS", "many", "plan", "replies", "transaction"]

MOST_CALLS = 256
"""Calls of one write."""

MOST_BYTES = 1024 * 1024
"""Bytes of keys and arguments of one write, scripts aside."""


def plan(
    calls: Sequence[Call[Any]], *, atomic: bool, known: MutableSet[str], until: float
) -> Plan[list[Any]]:
    """The plan of a batch, once its calls are known to be calls."""
    checked_calls = [checked(call) for call in calls]
    if atomic:
        return transaction(checked_calls, until=until)
    return many(checked_calls, known=known, until=until)


def replies(results: Sequence[Any], *, return_exceptions: bool) -> tuple[Any, ...]:
    """Return all results, or raise the first that is an exception."""
    if not return_exceptions:
        for result in results:
            if isinstance(result, CallError):
                raise result
    return tuple(results)


def many(
    calls: Sequence[Call[Any]],
    *,
    known: MutableSet[str],
    until: float,
    clock: Callable[[], float] = time.monotonic,
    jitter: Callable[[], float] = random.random,
) -> Plan[list[Any]]:
    """Run calls in order, as many in one write as its bounds allow.

    A script that the server may lack is loaded at the head of the write that first uses
    it, so nothing is asked beforehand and, in the steady state, nothing is sent twice.
    Only a script that vanishes in that very moment makes its own calls run behind the
    others of their write.

    Args:
        calls: What to run.
        known: Digests of scripts that the server is believed to have; kept up to date.
        until: When to stop, on ``clock``.
        clock: Seconds, monotonic.
        jitter: Evenly distributed numbers in 0..1.

    Returns:
        For each call its reply, or the `CallError` that it ended in.
    """
    results: list[Any] = []
    for write in _writes(calls):
        members = [_Member(call, known, until=until, clock=clock, jitter=jitter) for call in write]
        yield from _together(members)
        results += [member.result for member in members]
    return results


def _writes(calls: Sequence[Call[Any]]) -> Iterator[list[Call[Any]]]:
    """Cut calls into writes: by number, by size, and where other servers are required."""
    write: list[Call[Any]] = []
    size = 0
    for call in calls:
        own = _size(call)
        full = len(write) == MOST_CALLS or size + own > MOST_BYTES
        if write and (full or call.script.requires != write[0].script.requires):
            yield write
            write, size = [], 0
        write.append(call)
        size += own
    if write:
        yield write


def _size(call: Call[Any]) -> int:
    return sum(map(len, call.keys)) + sum(map(len, call.args))


def _together(members: list[_Member]) -> Plan[None]:
    """Step the members of one write until each has its result."""
    while pending := [member for member in members if not member.done]:
        pauses = [member.step.seconds for member in pending if isinstance(member.step, Pause)]
        if pauses:
            yield Pause(max(pauses))
            for member in pending:
                if isinstance(member.step, Pause):
                    member.feed(())
            continue
        loads, commands = _merged(pending)
        try:
            replies = yield Send(*loads, *commands, requires=pending[0].call.script.requires)
        except NotSent as failure:
            for member in pending:
                member.fail(failure)
        except Lost as failure:
            came = failure.replies[len(loads) :]
            for member, reply in zip(pending, came, strict=False):
                member.feed((reply,))
            for member in pending[len(came) :]:
                member.fail(Lost(failure.cause))
        else:
            for member, reply in zip(pending, replies[len(loads) :], strict=True):
                member.feed((reply,))


def _merged(pending: list[_Member]) -> tuple[list[Command], list[Command]]:
    """Split what the members send into loads, each script once, and calls, in order."""
    loads: dict[str, Command] = {}
    commands: list[Command] = []
    for member in pending:
        if not isinstance(member.step, Send):
            raise AssertionError("a member that is not done pauses or sends")
        *load, command = member.step.commands
        if load:
            loads[member.call.script.sha1] = load[0]
        commands.append(command)
    return list(loads.values()), commands


class _Member:
    """One call of a batch: its plan, the plan's current step, and at the end its result.

    Attributes:
        call: The call.
        step: What its plan wants next.
        done: Whether ``result`` is there.
        result: The reply, or the `CallError`.
    """

    __slots__ = ("_known", "_plan", "call", "done", "result", "step")

    def __init__(self, call: Call[Any], known: MutableSet[str], **options: Any) -> None:
        self.call = call
        self.done = False
        self.result: Any = None
        self._known = known
        form = EVALSHA if call.script.sha1 in known else LOAD
        self._plan = single(call, form=form, **options)
        self.step: Send | Pause = next(self._plan)

    def feed(self, replies: Sequence[Any]) -> None:
        """Give the plan its reply, or the end of its pause."""
        if replies:
            self._learn(replies[-1])
        self._advance(lambda: self._plan.send(replies))

    def fail(self, failure: NotSent | Lost) -> None:
        """Tell the plan that its write brought no reply."""
        self._advance(lambda: self._plan.throw(failure))

    def _learn(self, reply: Any) -> None:
        code = outcome.code_of(reply) if isinstance(reply, Exception) else None
        if code == "NOSCRIPT":
            self._known.discard(self.call.script.sha1)
        elif code is None:
            self._known.add(self.call.script.sha1)

    def _advance(self, move: Callable[[], Send | Pause]) -> None:
        try:
            self.step = move()
        except StopIteration as end:
            self.result, self.done = end.value, True
        except CallError as error:
            self.result, self.done = error, True


# --- transactions ----------------------------------------------------------------------------


def transaction(
    calls: Sequence[Call[Any]],
    *,
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
        NotExecuted: None of them ran.
        OutcomeUnknown: All of them may have run.
    """
    if not calls:
        return []
    _check_bounds(calls)
    trouble = Trouble(calls[0], _least_safe(calls), until, clock, jitter)
    form = LOAD
    while True:
        try:
            replies = yield _exec(calls, form)
        except (NotSent, Lost) as failure:
            pause = trouble.failed(failure)
        else:
            if isinstance(replies[-1], list):
                ended = replies[-1][-len(calls) :]
                return [_ended(call, reply) for call, reply in zip(calls, ended, strict=True)]
            trouble.call, problem, cause = _refusal(calls, form, replies)
            if problem is None:
                form = EVAL
                continue
            pause = trouble.refused(problem, cause)
        yield pause


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
                problem = not_deployed(call, reply)
            return call, _not_executed(problem), reply
    error = next(reply for reply in replies if isinstance(reply, Exception))
    problem = outcome.answered(calls[0], error)
    if form == LOAD and isinstance(problem, AccessDenied):  # of SCRIPT LOAD: no call was refused
        return calls[0], None, error
    return calls[0], _not_executed(problem), error


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
    size = sum(map(_size, calls))
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


RETRIES: tuple[RetryClass, ...] = ("never", "conservative", "safe")


def _exec(calls: Sequence[Call[Any]], form: int) -> Send:
    commands: list[Command] = []
    for call in calls:
        operands: Command = (len(call.keys), *call.keys, *call.args)
        if form == LOAD:
            commands.append(("EVALSHA", call.script.sha1, *operands))
        else:
            commands.append(("EVAL", call.script.source, *operands))
    loads = {call.script.sha1: script_load(call) for call in calls} if form == LOAD else {}
    return Send(("MULTI",), *loads.values(), *commands, ("EXEC",), requires=_strictest(calls))


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
            return outcome.answered(call, reply)
        return decoded(call, reply)
    except RedisLuaError as error:
        return error
