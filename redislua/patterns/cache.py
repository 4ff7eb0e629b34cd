"""A cache in front of a slow source: one fetch for all who ask, whatever becomes of it.

::

    cache = Cache(client, ttl=timedelta(minutes=5))
    user = cache.get_or_fetch("user:42", lambda: database.user(42))
    ...
    cache.invalidate("user:42")  # after the source has changed

* On a miss one caller of all processes fetches, under a lease; the others are woken when it
  has stored. Callers of one process that ask together are one caller.
* Past ``ttl`` a value is served for ``stale_for`` more while one caller refreshes it in the
  background, and shortly before it one may begin early (XFetch, "Optimal Probabilistic Cache
  Stampede Prevention", Vattani, Chierichetti, Lowenstein, 2015), so that no caller ever waits
  for a value that is asked for often.
* A fetch that returns `ABSENT` stores that there is nothing.
* A fetch that fails is told to everybody at once: whoever waits gets `FetchFailed`, or the
  stale value where there is one, and for ``cooldown`` nobody tries again.
* An invalidation voids the fetches that are under way: what they read before the change is
  handed to their callers and not stored.
* Values that were stored together do not expire together (``jitter``).

The server may evict such keys; a lease that is lost costs one more fetch.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Generic, TypeAlias, TypedDict, TypeVar, Unpack

from redislua.patterns._aio import AsyncDriver
from redislua.patterns._blocking import Driver
from redislua.patterns._cache import CachePlans
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
from redislua.patterns.codecs import JSON, Codec
from redislua.runtime import DEFAULT_DEADLINE, AsyncClient, BlockingClient

__all__ = [
    "ABSENT",
    "Absence",
    "AsyncCache",
    "Cache",
    "Failed",
    "FetchFailed",
    "FetchTimeout",
    "Found",
    "Missing",
    "Options",
    "Result",
    "Written",
]

T = TypeVar("T")
Values: TypeAlias = Mapping[str, T | Absence]


class Options(TypedDict, total=False):
    """Keywords of `Cache` and `AsyncCache`.

    Attributes:
        ttl: Until a value is refreshed; 5 minutes.
        stale_for: How much longer it may be served while nobody has; 1 minute.
        negative_ttl: Until an absence is looked at again; 30 s.
        hold: How long a fetch may take before another caller takes its place; 30 s. Give it
            more than the slowest fetch needs.
        cooldown: How long after a failed fetch no other begins; 1 s.
        wait: How long a caller waits for another's fetch, then `FetchTimeout`; 30 s.
        beta: How eagerly to refresh early: 1 is XFetch's, 0 never, up to 100.
        jitter: Share by which expiries are shortened at random, 0 to less than 1; 0.1.
        codec: How values become bytes; JSON. Up to 256 KiB each.
        outage: What `get_or_fetch` does when the server cannot be reached: ``raise`` the
            `CallError`, or ``fetch`` without the cache, once for all callers of a process.
        namespace: Put before every key, with a colon.
        deadline: How long each call may take, a timedelta or seconds; 2 s.
    """

    ttl: timedelta
    stale_for: timedelta
    negative_ttl: timedelta
    hold: timedelta
    cooldown: timedelta
    wait: timedelta
    beta: float
    jitter: float
    codec: Codec[Any]
    outage: Outage
    namespace: str
    deadline: timedelta | float


def _plans(options: Options) -> CachePlans[Any]:
    terms = Terms.of(
        ttl=options.get("ttl", timedelta(minutes=5)),
        stale_for=options.get("stale_for", timedelta(minutes=1)),
        negative_ttl=options.get("negative_ttl", timedelta(seconds=30)),
        hold=options.get("hold", timedelta(seconds=30)),
        cooldown=options.get("cooldown", timedelta(seconds=1)),
        wait=options.get("wait", timedelta(seconds=30)),
        beta=options.get("beta", 1.0),
        jitter=options.get("jitter", 0.1),
    )
    codec = options.get("codec", JSON)
    return CachePlans(terms, codec, options.get("namespace", ""), options.get("outage", "raise"))


class Cache(Generic[T]):
    """A cache with a blocking client. Threads may share it.

    >>> cache = Cache(client, ttl=timedelta(minutes=5), namespace="shop")
    >>> cache.get_or_fetch("user:42", lambda: {"name": "Ada"})
    {'name': 'Ada'}
    >>> cache.get("user:42")
    Found(value={'name': 'Ada'}, is_stale=False)
    >>> cache.get_or_fetch("user:43", lambda: ABSENT)
    ABSENT
    >>> cache.get_many(["user:42", "user:43", "user:44"])
    {'user:42': Found(value={'name': 'Ada'}, is_stale=False), 'user:43': ABSENT, 'user:44': Missing()}
    >>> cache.invalidate("user:42")
    True
    """

    def __init__(self, client: BlockingClient, **options: Unpack[Options]) -> None:
        """Send nothing yet.

        Args:
            client: A blocking client of redis-py or valkey-py.
            options: See `Options`.
        """
        self._plans: CachePlans[T] = _plans(options)
        self._driver = Driver(client, deadline=options.get("deadline", DEFAULT_DEADLINE))

    def get_or_fetch(self, key: str, fetch: Callable[[], T | Absence]) -> T | Absence:
        """Return the value, fetched by this caller or by another if need be.

        Args:
            key: Its name, without braces.
            fetch: Returns the value, or `ABSENT`. What it raises reaches this caller, and the
                others that share the call.

        Raises:
            FetchFailed: Another caller's fetch has just failed, and there is no stale value.
            FetchTimeout: Another caller's fetch takes longer than ``wait``.
            CallError: The server could not be asked, unless ``outage`` says otherwise.
        """
        return self._driver.run(self._plans.get_or_fetch(key, fetch))

    def get(self, key: str) -> Result[T]:
        """Return what is cached, `ABSENT` or `Missing`; nothing is fetched.

        A value that the codec cannot read is `Failed`.
        """
        return self._driver.run(self._plans.get(key))

    def set(self, key: str, value: T | Absence) -> None:
        """Store a value that is known; fetches that are under way are void."""
        self._driver.run(self._plans.put(key, value))

    def invalidate(self, key: str, *, mark_stale: bool = False) -> bool:
        """Forget a value after its source has changed; True when there was one.

        Args:
            key: Its name.
            mark_stale: Go on serving it while one caller fetches the new one.
        """
        return self._driver.run(self._plans.invalidate(key, mark_stale=mark_stale))

    def get_many(
        self, keys: Iterable[str], *, progress: Progress | None = None
    ) -> dict[str, Result[T]]:
        """Return what is cached of each key: one bad entry hides no other.

        Args:
            keys: Names; up to 256 of them and 1 MiB travel in one write, side by side to the
                nodes of a cluster.
            progress: Told how many keys of how many are done.
        """
        return self._driver.run(self._plans.get_many(keys, progress))

    def set_many(self, values: Values[T], *, progress: Progress | None = None) -> Written:
        """Store each; how many were, and why the others were not."""
        return self._driver.run(self._plans.put_many(values, progress))

    def delete_many(self, keys: Iterable[str], *, progress: Progress | None = None) -> Written:
        """Forget each, as `invalidate` does."""
        return self._driver.run(self._plans.invalidate_many(keys, progress))

    def get_or_fetch_many(
        self,
        keys: Iterable[str],
        fetch: Callable[[Sequence[str]], Values[T]],
        *,
        progress: Progress | None = None,
    ) -> dict[str, Found[T] | Absence | Failed]:
        """Return each value: what is cached, then what one fetch brings for all the rest.

        Args:
            keys: Names.
            fetch: Takes the names that this caller is to fetch, each once; a name that is not
                among the values it returns is absent. May be called again for a name that
                another caller failed to fetch.
            progress: Told how many keys of how many have been looked up.
        """
        return self._driver.run(self._plans.get_or_fetch_many(keys, fetch, progress))


class AsyncCache(Generic[T]):
    """`Cache` with an asyncio client, in one event loop. Fetches may be coroutine functions."""

    def __init__(self, client: AsyncClient, **options: Unpack[Options]) -> None:
        """Send nothing yet.

        Args:
            client: An asyncio client of redis-py or valkey-py.
            options: See `Options`.
        """
        self._plans: CachePlans[T] = _plans(options)
        self._driver = AsyncDriver(client, deadline=options.get("deadline", DEFAULT_DEADLINE))

    async def get_or_fetch(
        self, key: str, fetch: Callable[[], Awaitable[T | Absence] | T | Absence]
    ) -> T | Absence:
        """`Cache.get_or_fetch`; ``fetch`` may return an awaitable."""
        return await self._driver.run(self._plans.get_or_fetch(key, fetch))

    async def get(self, key: str) -> Result[T]:
        """`Cache.get`."""
        return await self._driver.run(self._plans.get(key))

    async def set(self, key: str, value: T | Absence) -> None:
        """`Cache.set`."""
        await self._driver.run(self._plans.put(key, value))

    async def invalidate(self, key: str, *, mark_stale: bool = False) -> bool:
        """`Cache.invalidate`."""
        return await self._driver.run(self._plans.invalidate(key, mark_stale=mark_stale))

    async def get_many(
        self, keys: Iterable[str], *, progress: Progress | None = None
    ) -> dict[str, Result[T]]:
        """`Cache.get_many`."""
        return await self._driver.run(self._plans.get_many(keys, progress))

    async def set_many(self, values: Values[T], *, progress: Progress | None = None) -> Written:
        """`Cache.set_many`."""
        return await self._driver.run(self._plans.put_many(values, progress))

    async def delete_many(
        self, keys: Iterable[str], *, progress: Progress | None = None
    ) -> Written:
        """`Cache.delete_many`."""
        return await self._driver.run(self._plans.invalidate_many(keys, progress))

    async def get_or_fetch_many(
        self,
        keys: Iterable[str],
        fetch: Callable[[Sequence[str]], Awaitable[Values[T]] | Values[T]],
        *,
        progress: Progress | None = None,
    ) -> dict[str, Found[T] | Absence | Failed]:
        """`Cache.get_or_fetch_many`; ``fetch`` may return an awaitable."""
        return await self._driver.run(self._plans.get_or_fetch_many(keys, fetch, progress))
