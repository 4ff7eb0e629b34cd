"""Caches side by side: hits, and the fetches of many callers who want one key at once."""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import redis
import redis.asyncio

from redislua.patterns.cache import AsyncCache

from .measured import Figure

CALLERS = 200
HITS = 2_000
FETCH_SECONDS = 0.1

Get: TypeAlias = Callable[[str, Callable[[], Awaitable[str]]], Awaitable[object]]
"""The value of a key, fetched where it is not there."""


class Fetch:
    """What is dear.

    Attributes:
        count: How often it was done.
        failures: How many of the first ones fail.
    """

    def __init__(self, failures: int = 0) -> None:
        self.count = 0
        self.failures = failures

    async def __call__(self) -> str:
        self.count += 1
        number = self.count
        await asyncio.sleep(FETCH_SECONDS)
        if number <= self.failures:
            raise ConnectionError("the source is away")
        return "value"


async def _ours(url: str) -> tuple[Get, Callable[[], Awaitable[Any]]]:
    client = redis.asyncio.Redis.from_url(url, max_connections=500)
    cache: AsyncCache[str] = AsyncCache(client, ttl=timedelta(minutes=5))
    return cache.get_or_fetch, client.aclose


async def _cashews(url: str) -> tuple[Get, Callable[[], Awaitable[Any]]]:
    cashews: Any = importlib.import_module("cashews")
    cache = cashews.Cache()
    cache.setup(url, max_connections=500)
    await cache.init()

    async def get(key: str, fetch: Callable[[], Awaitable[str]]) -> object:
        async def fetched() -> str:
            return await fetch()

        locked: Any = cache.locked(key=f"{key}:lock", ttl="10s")
        cached: Any = locked(cache(ttl="5m", key=key)(fetched))
        found = await cache.get(key)
        return found if found is not None else await cached()

    return get, cache.close


async def _aiocache(url: str) -> tuple[Get, Callable[[], Awaitable[Any]]]:
    aiocache: Any = importlib.import_module("aiocache")
    lock: Any = importlib.import_module("aiocache.lock").RedLock
    place = urlsplit(url)
    cache = aiocache.RedisCache(
        endpoint=place.hostname,
        port=place.port,
        pool_max_size=500,
        serializer=aiocache.serializers.JsonSerializer(),
    )

    async def get(key: str, fetch: Callable[[], Awaitable[str]]) -> object:
        found = await cache.get(key)
        if found is not None:
            return found
        async with lock(cache, key, lease=10):
            found = await cache.get(key)
            if found is None:
                found = await fetch()
                await cache.set(key, found, ttl=300)
            return found

    return get, cache.close


CONTENDERS: dict[str, Callable[[str], Awaitable[tuple[Get, Callable[[], Awaitable[Any]]]]]] = {
    "redislua AsyncCache": _ours,
    "cashews, locked": _cashews,
    "aiocache, RedLock": _aiocache,
}


def stampedes(url: str, *, callers: int = CALLERS, hits: int = HITS) -> list[Figure]:
    """Measure all caches on one server, one after the other.

    Args:
        url: A private server: it is emptied.
        callers: How many want a cold key at once.
        hits: How many hits are timed.
    """
    found: list[Figure] = []
    for name, make in CONTENDERS.items():
        with redis.Redis.from_url(url) as client:
            client.flushall()
        try:
            rate, cold, failing, waited = asyncio.run(_measured(url, make, callers, hits))
        except ImportError as error:
            found.append(Figure(f"stampede: {name}", f"cache: {name}", None, "", str(error)))
            continue
        holder = f"a cold key, {callers} callers, the first fetch fails"
        found += [
            Figure(f"hits: {name}", f"hits of one caller: {name}", rate, "/s"),
            Figure(
                f"stampede: {name}", f"fetches, a cold key, {callers} callers: {name}", cold, ""
            ),
            Figure(f"failing: {name}", f"fetches, {holder}: {name}", failing, ""),
            Figure(
                f"failing wait: {name}", f"until all have an answer, {holder}: {name}", waited, "s"
            ),
        ]
    return found


async def _measured(
    url: str, make: Any, callers: int, hits: int
) -> tuple[float, float, float, float]:
    get, close = await make(url)
    try:
        once = Fetch()
        await asyncio.gather(*(get("cold", once) for _ in range(callers)))
        failing = Fetch(failures=1)
        began = time.monotonic()
        await asyncio.gather(
            *(get("failing", failing) for _ in range(callers)), return_exceptions=True
        )
        waited = time.monotonic() - began
        began = time.monotonic()
        for _ in range(hits):
            await get("cold", once)
        return hits / (time.monotonic() - began), once.count, failing.count, waited
    finally:
        await close()
