"""What `Idempotency` and `AsyncIdempotency` do, as plans."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, TypeAlias, TypeVar

from redislua.bindings import idempotency as scripts
from redislua.errors import (
    CallError,
    InvalidArgumentType,
    InvalidArgumentValue,
    NotExecuted,
    OutcomeUnknown,
    OutOfMemory,
    RedisLuaError,
)
from redislua.patterns._plan import Plan, ask, do, hear, sleep, spawn, stop, subscribe, unsubscribe
from redislua.patterns._spans import milliseconds
from redislua.patterns.codecs import Codec
from redislua.runtime import Call, encode, new_owner

__all__ = [
    "IdempotencyPlans",
    "InProgress",
    "KeyReused",
    "Outage",
    "ResponseLost",
    "Terms",
    "WorkFailed",
    "fingerprint",
]

_log = logging.getLogger("redislua")

T = TypeVar("T")

Outage: TypeAlias = Literal["raise", "run"]
"""What happens when the server cannot be asked whether the work was done before."""

LONGEST_HOLD = timedelta(days=1)
LONGEST = timedelta(days=366)

RENEWALS = 3
"""How often a hold is renewed before it would end."""

BREATH = 0.05
"""Seconds between looks where waking cannot be had."""

PAUSE = 1.0
"""Seconds between attempts to store a response while the server cannot be reached."""

MOST_BYTES = 4_096
"""Of the description of a failure, as its script takes it."""


class InProgress(RedisLuaError):
    """Another caller works under this key: ask again later. HTTP would say 409.

    Attributes:
        key: The key.
        retry_after: When the other's hold ends if it is not renewed.
    """

    def __init__(self, key: str, retry_after: timedelta) -> None:
        super().__init__(
            f"{key!r} is being worked on; its hold ends in {retry_after.total_seconds():.3f} s"
        )
        self.key = key
        self.retry_after = retry_after


class KeyReused(RedisLuaError):
    """The key was used for another request before. HTTP would say 422.

    Attributes:
        key: The key.
    """

    def __init__(self, key: str) -> None:
        super().__init__(f"{key!r} was used for another request before")
        self.key = key


class WorkFailed(RedisLuaError):
    """The work under this key failed for good before, and is not tried again.

    Attributes:
        key: The key.
        kind: Name of the class of what it raised.
        message: Its text.
    """

    def __init__(self, key: str, kind: str, message: str) -> None:
        super().__init__(f"{key!r} failed for good before: {kind}: {message}")
        self.key = key
        self.kind = kind
        self.message = message


class ResponseLost(RedisLuaError):
    """The work under this key was done before, but its response could not be stored.

    Attributes:
        key: The key.
        reason: Why not.
    """

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key!r} was done before, and its response was not stored: {reason}")
        self.key = key
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Terms:
    """How long things last; milliseconds where not said otherwise.

    Attributes:
        hold: How long a caller may be silent before another takes over.
        ttl: How long a response is repeated.
        wait: Seconds that a caller waits for another's work.
        final: What work raises that is stored and repeated.
    """

    hold: int
    ttl: int
    wait: float
    final: tuple[type[Exception], ...]

    @classmethod
    def of(
        cls,
        *,
        hold: timedelta,
        ttl: timedelta,
        wait: timedelta,
        final: tuple[type[Exception], ...],
    ) -> Terms:
        """Check what the application says."""
        found = cls(
            hold=milliseconds("Idempotency", "hold", hold, least=10, most=LONGEST_HOLD),
            ttl=milliseconds("Idempotency", "ttl", ttl, most=LONGEST),
            wait=milliseconds("Idempotency", "wait", wait, least=0, most=LONGEST) / 1_000,
            final=final,
        )
        if found.ttl < found.hold:
            raise InvalidArgumentValue("Idempotency", "ttl", ttl, "at least hold")
        return found


def fingerprint(request: object) -> str:
    """A hash of what was asked: the same for what is the same as JSON.

    Raises:
        InvalidArgumentType: JSON cannot express it.
    """
    try:
        text = json.dumps(request, sort_keys=True, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        expected = f"what JSON can express, or a fingerprint of your own: {error}"
        raise InvalidArgumentType("Idempotency", "fingerprint", request, expected) from error
    return hashlib.sha256(text.encode()).hexdigest()


class IdempotencyPlans:
    """The plans of one set of keys."""

    def __init__(self, terms: Terms, codec: Codec[Any], namespace: str, outage: Outage) -> None:
        encode.namespace_prefix("Idempotency", namespace)
        if outage not in ("raise", "run"):
            raise InvalidArgumentValue("Idempotency", "outage", outage, "raise or run")
        self._terms = terms
        self._codec = codec
        self._namespace = namespace
        self._outage = outage

    def run(
        self, key: str, work: Callable[[], Awaitable[T] | T], fingerprint: str | None
    ) -> Plan[T]:
        """Do the work, or say what it ended with before."""
        owner = new_owner()
        try:
            begun = yield from self._begin(key, owner, fingerprint)
        except (NotExecuted, OutcomeUnknown) as error:
            if self._outage == "raise":
                raise
            _log.warning("working on %r without its idempotency key: %s", key, error)
            value: T = yield from do(work)
            return value
        if isinstance(begun, scripts.BeginCompleted):
            stored: T = self._codec.decode(begun.response)
            return stored
        return (yield from self._work(key, owner, work))

    # --- beginning -----------------------------------------------------------------------------

    def _begin(
        self, key: str, owner: str, fingerprint: str | None
    ) -> Plan[scripts.BeginStarted | scripts.BeginCompleted]:
        """Ask until the work is this caller's, or was done."""
        call = scripts.begin(
            key=key,
            owner=owner,
            hold=self._terms.hold,
            ttl=self._terms.ttl,
            fingerprint=fingerprint,
            namespace=self._namespace,
        )
        until, ear = time.monotonic() + self._terms.wait, None
        try:
            while True:
                reply = yield from ask(call)
                if isinstance(reply, scripts.BeginStarted | scripts.BeginCompleted):
                    return reply
                if isinstance(reply, scripts.BeginMismatch):
                    raise KeyReused(key)
                if isinstance(reply, scripts.BeginFailed):
                    raise _failure(key, reply.response)
                left = until - time.monotonic()
                if left <= 0:
                    raise InProgress(key, reply.retry_after)
                pause = min(reply.retry_after.total_seconds(), left)
                if ear is not None and not ear.is_over:
                    yield from hear(ear, pause)
                    continue
                # What was published before is seen by asking once more.
                ear = yield from subscribe(self._channel(key), pause)
                if ear is None:
                    yield from sleep(min(pause, BREATH))
        finally:
            if ear is not None:
                yield from unsubscribe(ear)

    def _channel(self, key: str) -> bytes:
        return scripts.complete_channels(key=key, namespace=self._namespace).ended

    # --- working -------------------------------------------------------------------------------

    def _work(self, key: str, owner: str, work: Callable[[], Awaitable[T] | T]) -> Plan[T]:
        period = self._terms.hold / 1_000 / RENEWALS
        renewal = yield from spawn(self._renew(key, owner, period), after=period)
        try:
            value: T = yield from do(work)
        except BaseException as error:
            yield from stop(renewal)
            yield from self._fail(key, owner, error)
            raise
        try:
            yield from stop(renewal)
            yield from self._complete(key, owner, value)
        except BaseException:  # a cancellation that comes now comes too late: it is done
            yield from self._complete(key, owner, value)
            raise
        return value

    def _renew(self, key: str, owner: str, period: float) -> Plan[None]:
        """Prolong the hold beside the work."""
        call = scripts.extend(
            key=key, owner=owner, hold=self._terms.hold, namespace=self._namespace
        )
        while True:
            try:
                reply = yield from ask(call)
            except (NotExecuted, OutcomeUnknown) as error:
                _log.warning("the hold on %r could not be renewed: %s", key, error)
            else:
                if isinstance(reply, scripts.ExtendLost):
                    _log.error("%r was taken over: its work may be done twice", key)
                    return
            yield from sleep(period)

    def _fail(self, key: str, owner: str, error: BaseException) -> Plan[None]:
        if isinstance(error, self._terms.final):
            words = _described(kind=type(error).__name__, message=str(error))
            yield from self._end(self._failed(key, owner, words))
        else:
            yield from self._end(
                scripts.fail(key=key, owner=owner, mode="retry", namespace=self._namespace)
            )

    def _failed(self, key: str, owner: str, words: bytes) -> Call[Any]:
        return scripts.fail(
            key=key,
            owner=owner,
            mode="final",
            response=words,
            ttl=self._terms.ttl,
            namespace=self._namespace,
        )

    def _end(self, call: Call[Any]) -> Plan[None]:
        """End the attempt; one that cannot be ended ends with its hold."""
        try:
            yield from ask(call)
        except CallError as error:
            _log.warning("an attempt is left to run out: %s", error)

    def _complete(self, key: str, owner: str, value: Any) -> Plan[None]:
        """Store the response. The work is done: whatever becomes of it, the caller gets it."""
        try:
            call = scripts.complete(
                key=key,
                owner=owner,
                response=self._codec.encode(value),
                ttl=self._terms.ttl,
                namespace=self._namespace,
            )
        except Exception as error:
            yield from self._lose(key, owner, error)
            return
        try:
            yield from self._store(key, owner, call)
        except (NotExecuted, OutcomeUnknown) as error:
            _log.warning("the response of %r is not stored yet: %s", key, error)
            yield from spawn(self._insist(key, owner, call))
        except CallError as error:
            yield from self._lose(key, owner, error)

    def _store(self, key: str, owner: str, call: Call[scripts.CompleteReply]) -> Plan[None]:
        try:
            reply = yield from ask(call)
        except OutOfMemory as error:
            yield from self._lose(key, owner, error)
        else:
            if isinstance(reply, scripts.CompleteLost):
                _log.error("%r was taken over: its work may be done twice", key)

    def _insist(self, key: str, owner: str, call: Call[scripts.CompleteReply]) -> Plan[None]:
        """Store the response once the server can be reached again, beside the caller."""
        until = time.monotonic() + self._terms.hold / 1_000
        while True:
            yield from sleep(PAUSE)
            try:
                yield from self._store(key, owner, call)
            except (NotExecuted, OutcomeUnknown) as error:
                if time.monotonic() > until:
                    _log.error("the response of %r is lost: %s", key, error)
                    return
            else:
                return

    def _lose(self, key: str, owner: str, error: Exception) -> Plan[None]:
        """Keep others from doing again what was done, although they cannot get its response."""
        _log.error("the response of %r cannot be stored: %s", key, error)
        yield from self._end(self._failed(key, owner, _described(lost=str(error))))


def _described(**words: str) -> bytes:
    """Words as JSON that `_failure` reads, shortened until they fit."""
    while len(text := json.dumps(words).encode()) > MOST_BYTES:
        longest = max(words, key=lambda name: len(words[name]))
        words[longest] = words[longest][: len(words[longest]) * 3 // 4]
    return text


def _failure(key: str, response: bytes) -> RedisLuaError:
    """What to raise for a failure that was stored."""
    try:
        words = json.loads(response)
        if "lost" in words:
            return ResponseLost(key, str(words["lost"]))
        return WorkFailed(key, str(words["kind"]), str(words["message"]))
    except (ValueError, TypeError, KeyError):  # written by something else
        return WorkFailed(key, "", repr(response))
