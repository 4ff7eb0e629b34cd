"""Rate limiters: the same decision, each with its own script and keys.

All ask for 10 000 a second with bursts of 10 000, of the same thousand subjects, through
redis-py with hiredis.
"""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, cast

import redis
import redis.asyncio

from ..workload import BURST, LIMIT, Target
from . import Asyncio, Blocking

Call = Callable[[str], object]
AsyncCall = Callable[[str], Awaitable[object]]


def _limits(strategy: str) -> Blocking:
    @contextmanager
    def opened(target: Target) -> Iterator[Call]:
        limits = importlib.import_module("limits")
        storage = importlib.import_module("limits.storage").RedisStorage(
            target.url, key_prefix=strategy
        )
        limiter = getattr(importlib.import_module("limits.strategies"), strategy)(storage)
        hit, rate = limiter.hit, limits.RateLimitItemPerSecond(LIMIT)
        with storage.storage:
            yield lambda subject: cast("object", hit(rate, subject))

    return Blocking(opened, _is_true)


def _async_limits(strategy: str) -> Asyncio:
    @asynccontextmanager
    async def opened(target: Target) -> AsyncIterator[AsyncCall]:
        limits = importlib.import_module("limits")
        storage = importlib.import_module("limits.aio.storage").RedisStorage(
            f"async+{target.url}",
            implementation="redispy",
            key_prefix=strategy,
            max_connections=target.callers,
        )
        limiter = getattr(importlib.import_module("limits.aio.strategies"), strategy)(storage)
        hit, rate = limiter.hit, limits.RateLimitItemPerSecond(LIMIT)
        async with storage.bridge.storage:
            yield lambda subject: cast("Awaitable[object]", hit(rate, subject))

    return Asyncio(opened, _is_true)


@contextmanager
def _throttled(target: Target) -> Iterator[Call]:
    throttled = importlib.import_module("throttled")
    store = throttled.store.RedisStore(server=target.url)
    limiter = throttled.Throttled(
        using="gcra", quota=throttled.rate_limiter.per_sec(LIMIT, burst=BURST), store=store
    )
    limit = limiter.limit
    yield lambda subject: cast("object", limit(subject))


@asynccontextmanager
async def _async_throttled(target: Target) -> AsyncIterator[AsyncCall]:
    throttled = importlib.import_module("throttled.asyncio")
    store = throttled.store.RedisStore(
        server=target.url,
        options={"CONNECTION_POOL_KWARGS": {"max_connections": target.callers}},
    )
    limiter = throttled.Throttled(
        using="gcra", quota=throttled.rate_limiter.per_sec(LIMIT, burst=BURST), store=store
    )
    limit = limiter.limit
    yield lambda subject: cast("Awaitable[object]", limit(subject))


def _pyrate(client: Any) -> Any:
    """Return a limiter with one GCRA bucket per subject: its documented way to have many keys."""
    pyrate = importlib.import_module("pyrate_limiter")
    rates = [pyrate.Rate(LIMIT, pyrate.Duration.SECOND, burst=BURST)]

    class Buckets(pyrate.BucketFactory):  # type: ignore[misc, name-defined]
        """A bucket per name, kept."""

        def __init__(self) -> None:
            self.buckets: dict[str, Any] = {}
            self.clock = pyrate.WallClock()

        def wrap_item(self, name: str, weight: int = 1) -> Any:
            """Stamp an item with the time."""
            return pyrate.RateItem(name, self.clock.now(), weight=weight)

        def get(self, item: Any) -> Any:
            """Return the item's bucket."""
            bucket = self.buckets.get(item.name)
            if bucket is None:
                store = pyrate.RedisStateStore(client, f"pyrate:{item.name}")
                bucket = pyrate.StateBucket(rates, pyrate.GCRA(), store)
                self.buckets[item.name] = bucket
            return bucket

    return pyrate.Limiter(Buckets())


@contextmanager
def _pyrate_blocking(target: Target) -> Iterator[Call]:
    with redis.Redis(host=target.host, port=target.port) as client:
        acquire = _pyrate(client).try_acquire
        yield lambda subject: cast("object", acquire(subject, blocking=False))


@asynccontextmanager
async def _pyrate_async(target: Target) -> AsyncIterator[AsyncCall]:
    async with redis.asyncio.Redis(
        host=target.host, port=target.port, max_connections=target.callers
    ) as client:
        # Awaited, not `try_acquire_async`: that one holds a lock, so callers would queue.
        acquire = _pyrate(client).try_acquire
        yield lambda subject: cast("Awaitable[object]", acquire(subject, blocking=False))


def _is_true(reply: object) -> bool:
    return reply is True


def _is_unlimited(reply: Any) -> bool:
    return reply.limited is False and 0 <= reply.state.remaining < BURST


LIMITS_FIXED = _limits("FixedWindowRateLimiter")
LIMITS_MOVING = _limits("MovingWindowRateLimiter")
LIMITS_SLIDING = _limits("SlidingWindowCounterRateLimiter")
ASYNC_LIMITS_FIXED = _async_limits("FixedWindowRateLimiter")
ASYNC_LIMITS_MOVING = _async_limits("MovingWindowRateLimiter")
ASYNC_LIMITS_SLIDING = _async_limits("SlidingWindowCounterRateLimiter")
THROTTLED = Blocking(_throttled, _is_unlimited)
ASYNC_THROTTLED = Asyncio(_async_throttled, _is_unlimited)
PYRATE = Blocking(_pyrate_blocking, _is_true)
ASYNC_PYRATE = Asyncio(_pyrate_async, _is_true)
