"""What `Cache` and `AsyncCache` do, as plans."""

from __future__ import annotations

import inspect
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Generic, Literal, TypeVar

from redislua.bindings import cache
from redislua.errors import (
    CallError,
    InvalidArgumentValue,
    NotExecuted,
    OutcomeUnknown,
)
from redislua.patterns._cache_terms import (
    ABSENT,
    Absence,
    Failed,
    FetchFailed,
    FetchTimeout,
    Found,
    Missing,
    Outage,
    Progress,
    Result,
    Terms,
    Written,
)
from redislua.patterns._chunks import chunks
from redislua.patterns._plan import (
    Plan,
    ask,
    ask_many,
    do,
    hear,
    share,
    sleep,
    spawn,
    subscribe,
    unsubscribe,
)
from redislua.patterns.codecs import Codec
from redislua.runtime import Call, encode, new_owner

__all__ = ["CachePlans"]

_log = logging.getLogger("redislua")

T = TypeVar("T")

BREATH = 0.05
"""Seconds between looks where waking cannot be had."""


class CachePlans(Generic[T]):
    """The plans of one cache."""

    def __init__(self, terms: Terms, codec: Codec[T], namespace: str, outage: Outage) -> None:
        encode.namespace_prefix("Cache", namespace)
        if outage not in ("raise", "fetch"):
            raise InvalidArgumentValue("Cache", "outage", outage, "raise or fetch")
        self._terms = terms
        self._codec = codec
        self._namespace = namespace
        self._outage = outage
        self._generation = 0

    # --- one key -----------------------------------------------------------------------------

    def get(self, key: str) -> Plan[Result[T]]:
        """Look, and fetch nothing."""
        reply = yield from ask(cache.read(key=key, namespace=self._namespace))
        result: Result[T] = self._result(reply)
        return result

    def get_or_fetch(
        self, key: str, fetch: Callable[[], Awaitable[T | Absence] | T | Absence]
    ) -> Plan[T | Absence]:
        """Serve, wait or fetch; callers of this process that ask together are one."""
        # Who asks after an invalidation does not share what began before it.
        scope = (self, key, self._generation)
        return (yield from share(scope, lambda: self._get_or_fetch(key, fetch)))

    def _get_or_fetch(self, key: str, fetch: Callable[[], Any]) -> Plan[T | Absence]:
        try:
            return (yield from self._attempt(key, fetch))
        except (NotExecuted, OutcomeUnknown) as error:
            if self._outage == "raise":
                raise
            _log.warning("fetching %r without the cache: %s", key, error)
        value: T | Absence = yield from do(fetch)
        return value

    def _attempt(self, key: str, fetch: Callable[[], Any]) -> Plan[T | Absence]:
        """Ask until there is an answer, or the lease."""
        owner, began, is_repaired, ear = new_owner(), time.monotonic(), False, None
        try:
            while True:
                reply = yield from ask(self._get_or_lock(key, owner))
                if isinstance(reply, cache.GetOrLockFill):
                    return (yield from self._fetch(key, owner, fetch))
                if isinstance(reply, cache.GetOrLockNegative):
                    return ABSENT
                if isinstance(reply, cache.GetOrLockWait):
                    pause = self._pause(key, began, reply)
                    if ear is not None and not ear.is_over:
                        yield from hear(ear, pause)
                        continue
                    # What was published before is seen by asking once more.
                    ear = yield from subscribe(self._channel(key), pause)
                    if ear is None:
                        yield from sleep(min(pause, BREATH))
                    continue
                try:
                    value = self._codec.decode(reply.value)
                except Exception:
                    if is_repaired:
                        raise
                    _log.warning("what the cache has for %r cannot be read: removed", key)
                    is_repaired = True
                    yield from self.invalidate(key)
                    continue
                if isinstance(reply, cache.GetOrLockRefresh):
                    yield from spawn(self._refresh(key, owner, fetch))
                return value
        finally:
            if ear is not None:
                yield from unsubscribe(ear)

    def _pause(self, key: str, began: float, reply: cache.GetOrLockWait) -> float:
        """How long to wait, in seconds.

        Raises:
            FetchFailed: Nobody fetches, and nobody may.
            FetchTimeout: It was long enough.
        """
        if not reply.fetching:
            raise FetchFailed(key, reply.fails, reply.retry_after)
        waited = time.monotonic() - began
        if waited >= self._terms.wait:
            raise FetchTimeout(key, timedelta(seconds=waited))
        return min(reply.retry_after.total_seconds(), self._terms.wait - waited)

    def _fetch(self, key: str, owner: str, fetch: Callable[[], Any]) -> Plan[T | Absence]:
        """Fetch under a lease, and store."""
        began = time.monotonic()
        try:
            value: T | Absence = yield from do(fetch)
            call = self._fill(key, owner, value, time.monotonic() - began)
        except BaseException:
            yield from self._abandon(key, owner)
            raise
        try:
            # A lease that was lost meanwhile is no error: the value is good for this caller.
            yield from ask(call)
        except (NotExecuted, OutcomeUnknown) as error:
            _log.warning("%r could not be stored: %s", key, error)
            yield from self._let_go(cache.invalidate(key=key, namespace=self._namespace))
        return value

    def _refresh(self, key: str, owner: str, fetch: Callable[[], Any]) -> Plan[None]:
        """Fetch beside callers, who are served what there is."""
        try:
            yield from self._fetch(key, owner, fetch)
        except Exception:
            _log.warning("refreshing %r failed: what is stale stays", key, exc_info=True)

    def _abandon(self, key: str, owner: str) -> Plan[None]:
        yield from self._let_go(self._abandoned(key, owner))

    def _let_go(self, call: Call[Any]) -> Plan[None]:
        """End a lease; one that cannot be ended ends by itself."""
        try:
            yield from ask(call)
        except CallError as error:
            _log.warning("a lease is left to run out: %s", error)

    def _put(self, key: str, value: T | Absence) -> Call[cache.PutStored]:
        data, soft, hard = self._stored(value)
        return cache.put(
            key=key,
            value=data,
            soft=soft,
            hard=hard,
            negative=value is ABSENT,
            namespace=self._namespace,
        )

    def put(self, key: str, value: T | Absence) -> Plan[None]:
        """Store without asking; what is being fetched is void."""
        try:
            yield from ask(self._put(key, value))
        finally:
            self._generation += 1

    def invalidate(self, key: str, *, mark_stale: bool = False) -> Plan[bool]:
        """Remove or mark; what is being fetched is void."""
        mode: Literal["mark_stale", "delete"] = "mark_stale" if mark_stale else "delete"
        try:
            reply = yield from ask(cache.invalidate(key=key, mode=mode, namespace=self._namespace))
        finally:
            self._generation += 1
        return reply.existed

    # --- several keys ------------------------------------------------------------------------

    def get_many(
        self, keys: Iterable[str], progress: Progress | None
    ) -> Plan[dict[str, Result[T]]]:
        """Look for each, and fetch nothing."""
        calls = {key: cache.read(key=key, namespace=self._namespace) for key in keys}
        replies = yield from self._run(calls, progress)
        return {key: self._result(reply) for key, reply in replies.items()}

    def put_many(
        self, values: Mapping[str, T | Absence], progress: Progress | None
    ) -> Plan[Written]:
        """Store each."""
        failed: dict[str, Exception] = {}
        calls: dict[str, Call[Any]] = {}
        for key, value in values.items():
            try:
                calls[key] = self._put(key, value)
            except Exception as error:
                failed[key] = error
        return (yield from self._written(calls, failed, progress))

    def invalidate_many(self, keys: Iterable[str], progress: Progress | None) -> Plan[Written]:
        """Remove each."""
        calls = {key: cache.invalidate(key=key, namespace=self._namespace) for key in keys}
        return (yield from self._written(calls, {}, progress))

    def get_or_fetch_many(
        self,
        keys: Iterable[str],
        fetch: Callable[[Sequence[str]], Any],
        progress: Progress | None,
    ) -> Plan[dict[str, Found[T] | Absence | Failed]]:
        """Serve what there is, fetch at once what is this caller's, and wait for the rest."""
        owners = {key: new_owner() for key in keys}
        calls = {key: self._get_or_lock(key, owner) for key, owner in owners.items()}
        replies = yield from self._run(calls, progress)
        results: dict[str, Any] = {}
        mine, elsewhere = [], []
        for key, reply in replies.items():
            result = self._result(reply)
            if isinstance(reply, cache.GetOrLockFill | cache.GetOrLockRefresh):
                mine.append(key)
            elif isinstance(reply, cache.GetOrLockWait) or _is_unreadable(reply, result):
                elsewhere.append(key)
            elif isinstance(result, Failed) and self._may_do_without(result.error):
                mine.append(key)
            else:
                results[key] = result
        if mine:
            results |= yield from self._fetch_many(mine, owners, fetch)
        for key in elsewhere:  # each waits while all others are being fetched
            results[key] = yield from self._one(key, fetch)
        return {key: results[key] for key in replies}

    def _one(self, key: str, fetch: Callable[[Sequence[str]], Any]) -> Plan[Any]:
        """One key that another caller fetches; it may come to be this caller's all the same."""

        async def awaited(values: Awaitable[Mapping[str, Any]]) -> Any:
            return (await values).get(key, ABSENT)

        def only() -> Any:
            values = fetch((key,))
            return awaited(values) if inspect.isawaitable(values) else values.get(key, ABSENT)

        try:
            value = yield from self._get_or_fetch(key, only)
        except Exception as error:
            return Failed(error)
        return value if value is ABSENT else Found(value)

    def _fetch_many(
        self, keys: Sequence[str], owners: Mapping[str, str], fetch: Callable[[Sequence[str]], Any]
    ) -> Plan[dict[str, Any]]:
        """Fetch several keys at once, and store each: what is not among the values is absent."""
        began = time.monotonic()
        stored: dict[str, Call[Any]] = {}
        results: dict[str, Any] = {}
        try:
            values: Mapping[str, T | Absence] = yield from do(lambda: fetch(keys))
            took = time.monotonic() - began
            for key in keys:
                value = values.get(key, ABSENT)
                results[key] = value if value is ABSENT else Found(value)
                try:
                    stored[key] = self._fill(key, owners[key], value, took)
                except Exception as error:
                    results[key] = Failed(error)
        finally:
            left = [self._abandoned(key, owners[key]) for key in keys if key not in stored]
            for reply in (yield from ask_many(*left)):
                if isinstance(reply, Exception):
                    _log.warning("a lease is left to run out: %s", reply)
        outcomes = yield from self._run(stored, None)
        for key, outcome in outcomes.items():
            if isinstance(outcome, Exception):
                _log.warning("%r could not be stored: %s", key, outcome)
        return results

    def _written(
        self,
        calls: Mapping[str, Call[Any]],
        failed: dict[str, Exception],
        progress: Progress | None,
    ) -> Plan[Written]:
        try:
            replies = yield from self._run(calls, progress)
        finally:
            self._generation += 1
        lost = sum(isinstance(one, Exception) for one in replies.values())
        failed |= {key: one for key, one in replies.items() if isinstance(one, Exception)}
        return Written(done=len(replies) - lost, failed=failed)

    def _run(
        self, calls: Mapping[str, Call[Any]], progress: Progress | None
    ) -> Plan[dict[str, Any]]:
        """Run many calls, so many and so many bytes at a time; errors are values."""
        replies: dict[str, Any] = {}
        for keys in chunks(calls):
            outcomes = yield from ask_many(*(calls[key] for key in keys))
            replies.update(zip(keys, outcomes, strict=True))
            if progress is not None:
                progress(len(replies), len(calls))
        return replies

    # --- calls -------------------------------------------------------------------------------

    def _get_or_lock(self, key: str, owner: str) -> Call[cache.GetOrLockReply]:
        return cache.get_or_lock(
            key=key,
            owner=owner,
            hold=self._terms.hold,
            beta_ppm=self._terms.beta_ppm,
            draw_ppm=random.randint(1, 1_000_000),  # noqa: S311 - of XFetch
            namespace=self._namespace,
        )

    def _fill(self, key: str, owner: str, value: T | Absence, took: float) -> Call[cache.FillReply]:
        data, soft, hard = self._stored(value)
        return cache.fill(
            key=key,
            owner=owner,
            value=data,
            soft=soft,
            hard=hard,
            cost=min(round(took * 1_000), 600_000),
            negative=value is ABSENT,
            namespace=self._namespace,
        )

    def _stored(self, value: T | Absence) -> tuple[bytes, int, int]:
        """Bytes, soft expiry and hard expiry, in milliseconds."""
        if isinstance(value, Absence):
            soft = self._terms.spread(self._terms.negative)
            return b"", soft, soft
        soft = self._terms.spread(self._terms.soft)
        return self._codec.encode(value), soft, soft + self._terms.keep

    def _abandoned(self, key: str, owner: str) -> Call[cache.AbandonReply]:
        cooldown = self._terms.cooldown
        return cache.abandon(key=key, owner=owner, cooldown=cooldown, namespace=self._namespace)

    def _channel(self, key: str) -> bytes:
        return cache.fill_channels(key=key, namespace=self._namespace).filled

    # --- replies -----------------------------------------------------------------------------

    def _result(self, reply: Any) -> Any:
        if isinstance(reply, Exception):
            return Failed(reply)
        if isinstance(reply, cache.ReadNegative | cache.GetOrLockNegative):
            return ABSENT
        if not hasattr(reply, "value"):
            return Missing()
        try:
            value = self._codec.decode(reply.value)
        except Exception as error:  # whatever a codec raises is about this value alone
            return Failed(error)
        return Found(value, is_stale=isinstance(reply, cache.ReadStale | cache.GetOrLockStale))

    def _may_do_without(self, error: Exception) -> bool:
        return self._outage == "fetch" and isinstance(error, NotExecuted | OutcomeUnknown)


def _is_unreadable(reply: Any, result: Any) -> bool:
    """Whether there is a value that the codec cannot read."""
    return isinstance(result, Failed) and not isinstance(reply, Exception)
