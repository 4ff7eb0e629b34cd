"""What `Backoff` and `AsyncBackoff` do, as plans."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, TypeAlias

from redislua.bindings import backoff as scripts
from redislua.errors import (
    InvalidArgumentValue,
    NotExecuted,
    OutcomeUnknown,
    OutOfMemory,
    RedisLuaError,
)
from redislua.patterns._plan import Plan, ask
from redislua.patterns._spans import milliseconds
from redislua.runtime import encode

__all__ = ["BackoffPlans", "LockedOut", "Outage", "Standing"]

_log = logging.getLogger("redislua")

Outage: TypeAlias = Literal["raise", "allow"]
"""What happens when the server cannot be asked."""

LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a subject stands.

    Attributes:
        fails: Failures that are not forgotten yet.
        retry_after: For how long it is locked; 0 when it is not.
    """

    fails: int
    retry_after: timedelta = timedelta(0)

    @property
    def is_locked(self) -> bool:
        """Whether it has to wait."""
        return self.retry_after > timedelta(0)


class LockedOut(RedisLuaError):
    """An attempt was refused: there were too many failures before. HTTP would say 429.

    Attributes:
        subject: Whose attempt.
        fails: How many failures there were.
        retry_after: When the next attempt is let through.
    """

    def __init__(self, subject: str, fails: int, retry_after: timedelta) -> None:
        super().__init__(
            f"{subject!r} failed {fails} times: retry in {retry_after.total_seconds():.3f} s"
        )
        self.subject = subject
        self.fails = fails
        self.retry_after = retry_after


class BackoffPlans:
    """The plans of one backoff."""

    def __init__(
        self,
        *,
        base: timedelta,
        most: timedelta,
        free: int,
        forget: timedelta,
        outage: Outage,
        namespace: str,
    ) -> None:
        encode.namespace_prefix("Backoff", namespace)
        if outage not in ("raise", "allow"):
            raise InvalidArgumentValue("Backoff", "outage", outage, "raise or allow")
        self._base = milliseconds("Backoff", "base", base, most=timedelta(days=1))
        self._most = milliseconds("Backoff", "most", most, most=LONGEST)
        if self._most < self._base:
            raise InvalidArgumentValue("Backoff", "most", most, "at least base")
        self._forget = milliseconds("Backoff", "forget", forget, most=LONGEST)
        self._free = free
        self._outage = outage
        self._namespace = namespace
        self._fail("a", "count")  # whatever is wrong with free is said now

    def _fail(self, subject: str, mode: Literal["count", "attempt"]) -> Any:
        return scripts.fail(
            key=subject,
            base=self._base,
            most=self._most,
            free=self._free,
            forget=self._forget,
            mode=mode,
            namespace=self._namespace,
        )

    def fail(self, subject: str) -> Plan[Standing]:
        """Count a failure."""
        return (yield from self._told(subject, self._fail(subject, "count")))

    def check(self, subject: str) -> Plan[Standing]:
        """Look."""
        call = scripts.check(key=subject, namespace=self._namespace)
        return (yield from self._told(subject, call))

    def ok(self, subject: str) -> Plan[Standing]:
        """Forget its failures: how many there were."""
        call = scripts.ok(key=subject, namespace=self._namespace)
        return (yield from self._told(subject, call))

    def enter(self, subject: str) -> Plan[None]:
        """Count an attempt as a failure before it is made, or refuse it."""
        call = self._fail(subject, "attempt")
        try:
            reply = yield from ask(call)
        except (NotExecuted, OutcomeUnknown, OutOfMemory) as error:
            self._or_raise(subject, error)
            return
        if isinstance(reply, scripts.FailRefused):
            raise LockedOut(subject, reply.fails, reply.retry_after)

    def _told(self, subject: str, call: Any) -> Plan[Standing]:
        try:
            reply = yield from ask(call)
        except (NotExecuted, OutcomeUnknown, OutOfMemory) as error:
            self._or_raise(subject, error)
            return Standing(0)
        return Standing(reply.fails, getattr(reply, "retry_after", timedelta(0)))

    def _or_raise(self, subject: str, error: Exception) -> None:
        if self._outage == "raise":
            raise error
        _log.warning("failures of %r are not known: %s", subject, error)
