"""What `CircuitBreaker` and `AsyncCircuitBreaker` do, as plans."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeAlias

from redislua.bindings import breaker as scripts
from redislua.errors import (
    InvalidArgumentValue,
    NotExecuted,
    OutcomeUnknown,
    OutOfMemory,
    RedisLuaError,
)
from redislua.patterns._plan import Plan, ask
from redislua.patterns._spans import milliseconds
from redislua.runtime import Call, encode, new_owner

__all__ = ["BreakerPlans", "CircuitOpen", "Outage", "Terms"]

_log = logging.getLogger("redislua")

Outage: TypeAlias = Literal["raise", "allow"]
"""What happens when the server cannot be asked."""

HOUR = timedelta(hours=1)


class CircuitOpen(RedisLuaError):
    """A call was not made: what it goes to has failed too often. HTTP would say 503.

    Attributes:
        name: Name of the circuit.
        retry_after: When to ask again.
    """

    def __init__(self, name: str, retry_after: timedelta) -> None:
        super().__init__(f"{name!r} is failing: retry in {retry_after.total_seconds():.3f} s")
        self.name = name
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Terms:
    """When a circuit opens, and for how long; milliseconds where not said otherwise.

    Attributes:
        window: In which calls are counted.
        least: How many calls there must have been.
        percent: How many of a hundred must have failed.
        open: For how long it opens.
        most: For how long at most, after probes that failed.
        hold: After how long a probe that reports nothing is given to another.
        trust: Seconds for which this process goes by what it heard last.
        failures: What counts as a failure when it is raised.
    """

    window: int
    least: int
    percent: int
    open: int
    most: int
    hold: int
    trust: float
    failures: tuple[type[Exception], ...]

    @classmethod
    def of(
        cls,
        *,
        window: timedelta,
        least: int,
        percent: int,
        open: timedelta,  # noqa: A002
        most: timedelta,
        hold: timedelta,
        trust: timedelta,
        failures: tuple[type[Exception], ...],
    ) -> Terms:
        """Check what the application says."""
        found = cls(
            window=milliseconds("CircuitBreaker", "window", window, least=2, most=HOUR),
            least=least,
            percent=percent,
            open=milliseconds("CircuitBreaker", "open", open, most=HOUR),
            most=milliseconds("CircuitBreaker", "most", most, most=24 * HOUR),
            hold=milliseconds("CircuitBreaker", "hold", hold, most=HOUR),
            trust=milliseconds("CircuitBreaker", "trust", trust, least=0, most=HOUR) / 1_000,
            failures=failures,
        )
        if found.most < found.open:
            raise InvalidArgumentValue("CircuitBreaker", "most", most, "at least open")
        return found


class BreakerPlans:
    """The plans of one circuit, and what this process heard of it last."""

    def __init__(self, name: str, terms: Terms, outage: Outage, namespace: str) -> None:
        encode.namespace_prefix("CircuitBreaker", namespace)
        if outage not in ("raise", "allow"):
            raise InvalidArgumentValue("CircuitBreaker", "outage", outage, "raise or allow")
        self.name = name
        self.terms = terms
        self._outage = outage
        self._namespace = namespace
        self._closed_until = 0.0
        self._open_until = 0.0
        self._retry_at = 0.0
        self._report("a", "success")  # whatever is wrong with the terms is said now

    def enter(self) -> Plan[str]:
        """The owner of a call that may be made.

        Raises:
            CircuitOpen: It may not.
        """
        owner, now = new_owner(), time.monotonic()
        if now < self._open_until:
            raise CircuitOpen(self.name, timedelta(seconds=max(self._retry_at - now, 0)))
        if now < self._closed_until:
            return owner
        call = scripts.allow(
            name=self.name, owner=owner, hold=self.terms.hold, namespace=self._namespace
        )
        try:
            reply = yield from ask(call)
        except (NotExecuted, OutcomeUnknown, OutOfMemory) as error:
            if self._outage == "raise":
                raise
            _log.warning("the state of %r is not known: %s", self.name, error)
            return owner
        if isinstance(reply, scripts.AllowOpen):
            self._is_open(reply.retry_after)
            raise CircuitOpen(self.name, reply.retry_after)
        if isinstance(reply, scripts.AllowClosed):
            self._is_closed()
        return owner

    def leave(self, owner: str, error: BaseException | None) -> Plan[None]:
        """Say how a call went; what is no failure and no exception of ours is nobody's fault."""
        if error is not None and not isinstance(error, Exception):
            return  # interrupted: the call has no outcome
        is_failure = isinstance(error, self.terms.failures)
        try:
            reply = yield from ask(self._report(owner, "failure" if is_failure else "success"))
        except (NotExecuted, OutcomeUnknown, OutOfMemory) as failure:
            _log.warning("the outcome of a call to %r is not counted: %s", self.name, failure)
            return
        if isinstance(reply, scripts.ReportOpened):
            _log.warning("%r is failing: no calls for %s", self.name, reply.retry_after)
            self._is_open(reply.retry_after)
        elif isinstance(reply, scripts.ReportOpen):
            self._is_open(reply.retry_after)
        else:
            self._is_closed()

    def _report(
        self, owner: str, outcome: Literal["success", "failure"]
    ) -> Call[scripts.ReportReply]:
        terms = self.terms
        return scripts.report(
            name=self.name,
            owner=owner,
            outcome=outcome,
            window=terms.window,
            least=terms.least,
            percent=terms.percent,
            open=terms.open,
            most=terms.most,
            namespace=self._namespace,
        )

    def _is_open(self, retry_after: timedelta) -> None:
        # No longer than it is trusted: another process may have closed it.
        now, seconds = time.monotonic(), retry_after.total_seconds()
        self._retry_at = now + seconds
        self._open_until = now + min(seconds, self.terms.trust)
        self._closed_until = 0.0

    def _is_closed(self) -> None:
        self._closed_until = time.monotonic() + self.terms.trust
        self._open_until = 0.0
