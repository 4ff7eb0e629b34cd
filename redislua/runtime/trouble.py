"""What has gone wrong with a call so far, and whether it may go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from redislua.errors import CallError, NotExecuted, NotPrimary, OutcomeUnknown, ServerTooOld
from redislua.runtime import outcome
from redislua.runtime.call import Call, RetryClass
from redislua.runtime.steps import Lost, NotSent, Pause, TooOld

__all__ = ["LEAST_PAUSE", "MOST_LOSSES", "MOST_PAUSE", "ROOM", "Trouble"]

MOST_LOSSES = 3
"""Writes of one call that may have been executed: the first and two resends."""

LEAST_PAUSE, MOST_PAUSE = 0.010, 0.200
"""Seconds before a resend, drawn evenly."""

ROOM = 0.050
"""Seconds that a further send needs before the deadline. With less it could turn a refusal,
after which the call is known not to have run, into a lost reply."""


class Trouble:
    """Counts what a call met, and says whether to wait and go on or to raise.

    Attributes:
        call: Whose name and keys an error bears.
    """

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

    def refused(self, problem: CallError, cause: Exception, *, passing: bool = False) -> Pause:
        """Answer a refusal that waiting can end with a pause; raise any other problem.

        Args:
            problem: What became of the call.
            cause: The client library's exception.
            passing: Waiting can end it, although its class does not say so.
        """
        self._refusals += 1
        most = min(MOST_PAUSE, LEAST_PAUSE * 2 ** min(self._refusals, 10))
        seconds = self._jitter() * most
        transient = passing or (isinstance(problem, NotExecuted) and problem.transient)
        if transient and not self._is_late(seconds):
            return Pause(seconds, afresh=isinstance(problem, NotPrimary))
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
