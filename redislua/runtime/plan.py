"""What to send next: the logic of a call, without I/O.

A plan is a generator. It yields `Send` or `Pause`; a driver does what it says and

* sends back the replies, one for each command, a server's error as an exception value, or
* throws `NotSent` when no byte of the write left, `Lost` when the bytes may have arrived.

The plan returns the decoded reply or raises one of `redislua.errors`. Drivers only
obey, so tests play the server against a plan and need no socket.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias, TypeVar

from redislua.errors import (
    AccessDenied,
    CallError,
    InvalidArgumentType,
    InvalidArgumentValue,
    NotExecuted,
    OutcomeUnknown,
    ScriptNotDeployed,
    ServerTooOld,
    UnexpectedReplyError,
)
from redislua.runtime import outcome
from redislua.runtime.call import Call, RetryClass, Script

__all__ = [
    "DEFAULT_DEADLINE",
    "Command",
    "Lost",
    "NotSent",
    "Pause",
    "Plan",
    "Send",
    "TooOld",
    "Trouble",
    "decoded",
    "ends",
    "load",
    "not_deployed",
    "script_load",
    "single",
]

Command: TypeAlias = tuple[bytes | str | int, ...]
"""One command, part by part."""

T = TypeVar("T")

DEFAULT_DEADLINE = timedelta(seconds=2)
"""How long a call may take when nothing else is said."""

EVALSHA, LOAD, EVAL = 0, 1, 2
"""The three forms of a call: EVALSHA, SCRIPT LOAD with EVALSHA, EVAL."""

MOST_LOSSES = 3
"""Writes of one call that may have been executed: the first and two resends."""

LEAST_PAUSE, MOST_PAUSE = 0.010, 0.200
"""Seconds before a resend, drawn evenly."""

ROOM = 0.050
"""Seconds that a further send needs before the deadline. With less it could turn a refusal,
after which the call is known not to have run, into a lost reply."""


@dataclass(slots=True, init=False)
class Send:
    """One write: its commands travel together and one reply comes back for each.

    Attributes:
        commands: What to write.
        requires: Least version by product that the server must have; empty for any.
    """

    commands: tuple[Command, ...]
    requires: Mapping[str, tuple[int, ...]]

    def __init__(
        self, *commands: Command, requires: Mapping[str, tuple[int, ...]] | None = None
    ) -> None:
        self.commands = commands
        self.requires = requires or {}


@dataclass(slots=True)
class Pause:
    """Wait before the next step.

    Attributes:
        seconds: How long.
    """

    seconds: float


class NotSent(Exception):
    """No byte of the write left: refused, timed out while connecting, no free connection.

    Attributes:
        cause: The client library's exception.
    """

    def __init__(self, cause: Exception) -> None:
        super().__init__(cause)
        self.cause = cause


class TooOld(Exception):
    """The server's product and version exclude what the write needs: a cause of `NotSent`."""


class Lost(Exception):
    """The write may have been delivered, and not all of its replies came.

    Attributes:
        cause: The client library's exception.
        replies: Those that came before, for the first commands of the write.
    """

    def __init__(self, cause: Exception, replies: Sequence[Any] = ()) -> None:
        super().__init__(cause)
        self.cause = cause
        self.replies = replies


Plan: TypeAlias = Generator[Send | Pause, Sequence[Any], T]


def ends(subject: str, deadline: timedelta | float) -> float:
    """Return the monotonic time at which a deadline that starts now ends.

    Args:
        subject: Name of the script, for errors.
        deadline: A timedelta or seconds; positive and finite.
    """
    seconds = deadline.total_seconds() if isinstance(deadline, timedelta) else deadline
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise InvalidArgumentType(subject, "deadline", deadline, "a timedelta or seconds")
    if not 0 < seconds < math.inf:
        raise InvalidArgumentValue(subject, "deadline", deadline, "more than 0 s, and finite")
    return time.monotonic() + seconds


def single(
    call: Call[T],
    *,
    read_only: bool = False,
    form: int = EVALSHA,
    until: float = math.inf,
    clock: Callable[[], float] = time.monotonic,
    jitter: Callable[[], float] = random.random,
) -> Plan[T]:
    """One call on one server.

    EVALSHA first. On NOSCRIPT, SCRIPT LOAD and EVALSHA in one write; on NOSCRIPT again,
    because loading is not permitted or another client flushed in between, EVAL, which
    needs no cache. In that order: a script that Redis 7.4+ first sees through EVAL can be
    evicted, and a later SCRIPT LOAD does not pin it.

    Args:
        call: What to run.
        read_only: Use the ``_RO`` commands, which replicas take.
        form: Where to begin: EVALSHA, or LOAD for a server that may lack the script.
        until: When to stop, on ``clock``.
        clock: Seconds, monotonic.
        jitter: Evenly distributed numbers in 0..1.
    """
    trouble = Trouble(call, call.script.retry, until, clock, jitter)
    send = _form(call, form, read_only)
    while True:
        try:
            replies = yield send
        except (NotSent, Lost) as failure:
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
                send = _form(call, form, read_only)
                continue
            pause = trouble.refused(problem, answer)
        yield pause


def load(
    scripts: Sequence[Script],
    *,
    until: float = math.inf,
    clock: Callable[[], float] = time.monotonic,
    jitter: Callable[[], float] = random.random,
) -> Plan[list[str]]:
    """SCRIPT LOAD of every script in one write; returns their digests in order.

    Loading twice is harmless, so a lost reply is always tried again.
    """
    calls = [Call(script, (), (), _digest) for script in scripts]
    if not calls:
        return []
    trouble = Trouble(calls[0], "safe", until, clock, jitter)
    send = Send(*(script_load(call) for call in calls))
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


class Trouble:
    """What has gone wrong with a call so far, and whether it may go on."""

    __slots__ = ("_clock", "_jitter", "_losses", "_refusals", "_retry", "_until", "call")

    def __init__(
        self,
        call: Call[Any],
        retry: RetryClass,
        until: float,
        clock: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        self.call = call
        self._retry = retry
        self._until = until
        self._clock = clock
        self._jitter = jitter
        self._losses: tuple[Exception, ...] = ()
        self._refusals = 0

    def failed(self, failure: NotSent | Lost) -> Pause:
        """Answer a write without replies: a pause before the next, or raise."""
        if isinstance(failure, NotSent):
            return self.refused(self._not_sent(failure.cause), failure.cause)
        self._losses += (failure.cause,)
        seconds = LEAST_PAUSE + self._jitter() * (MOST_PAUSE - LEAST_PAUSE)
        if self._retry == "never" or len(self._losses) == MOST_LOSSES or self._is_late(seconds):
            raise self._unknown(failure.cause)
        return Pause(seconds)

    def refused(self, problem: CallError, cause: Exception) -> Pause:
        """Answer a refusal that waiting can end with a pause; raise any other problem."""
        self._refusals += 1
        most = min(MOST_PAUSE, LEAST_PAUSE * 2 ** min(self._refusals, 10))
        seconds = self._jitter() * most
        transient = isinstance(problem, NotExecuted) and problem.transient
        if transient and not self._is_late(seconds):
            return Pause(seconds)
        # A refusal speaks of its own send alone: once a reply was lost, that earlier
        # send may have been executed whatever later ones were told.
        if self._losses and isinstance(problem, NotExecuted):
            raise self._unknown(cause)
        raise problem from cause

    def _not_sent(self, cause: Exception) -> CallError:
        if isinstance(cause, TooOld):
            return ServerTooOld(str(cause), script=str(self.call.script), keys=self.call.keys)
        return outcome.not_sent(self.call, cause)

    def _is_late(self, seconds: float) -> bool:
        """True for a pause that leaves no room for a further send: it would help nobody."""
        return self._clock() + seconds + ROOM > self._until

    def _unknown(self, last: Exception) -> OutcomeUnknown:
        first = self._losses[0]
        times = "" if len(self._losses) == 1 else f" (sent {len(self._losses)} times)"
        later = "" if last in self._losses else f"; then: {outcome.sentence(last)}"
        error = OutcomeUnknown(
            f"sent, and the reply never came: {outcome.sentence(first)}{times}{later}",
            script=str(self.call.script),
            keys=self.call.keys,
        )
        error.__cause__ = first
        return error


def _form(call: Call[Any], form: int, read_only: bool) -> Send:
    suffix = "_RO" if read_only else ""
    script = call.script
    operands: Command = (len(call.keys), *call.keys, *call.args)
    if form == EVAL:
        return Send((f"EVAL{suffix}", script.source, *operands), requires=script.requires)
    evalsha: Command = (f"EVALSHA{suffix}", script.sha1, *operands)
    commands = (script_load(call), evalsha) if form else (evalsha,)
    return Send(*commands, requires=script.requires)


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


def not_deployed(call: Call[Any], error: Exception) -> ScriptNotDeployed:
    """Say that a script is missing and cannot be brought."""
    return ScriptNotDeployed(
        f"the server does not have the script, and it can be neither loaded nor sent "
        f"with EVAL: {outcome.sentence(error)}",
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
