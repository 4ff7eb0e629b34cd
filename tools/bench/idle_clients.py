"""How much memory idle clients take, each of which has made one call.

    python -m tools.bench.idle_clients redislua blocking 127.0.0.1 6379 500 resident

Prints the growth in bytes while the clients were made, by what the process holds
(``resident``) or what Python allocated (``traced``). The other side is ``redis-py``: a client
and its one connection. A first client is made beforehand, so that imports do not count.
"""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import sys
import tracemalloc
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import redis
import redis.asyncio

from redislua.bindings import limit

from .workload import BURST, LIMIT, PERIOD_US

CALL = limit.gcra(subject="idle", limit=LIMIT, period=PERIOD_US, burst=BURST)
ARGUMENTS = (CALL.script.sha1, 1, *CALL.keys, *CALL.args)


def _ours(host: str, port: int) -> object:
    bound = limit.Limit(redis.Redis(host=host, port=port))
    bound.gcra(subject="idle", limit=LIMIT, period=PERIOD_US, burst=BURST)
    return bound


def _theirs(host: str, port: int) -> object:
    client = redis.Redis(host=host, port=port)
    client.evalsha(*cast("Any", ARGUMENTS))
    return client


async def _ours_async(host: str, port: int) -> object:
    bound = limit.AsyncLimit(redis.asyncio.Redis(host=host, port=port))
    await bound.gcra(subject="idle", limit=LIMIT, period=PERIOD_US, burst=BURST)
    return bound


async def _theirs_async(host: str, port: int) -> object:
    client = redis.asyncio.Redis(host=host, port=port)
    await cast("Awaitable[object]", client.evalsha(*cast("Any", ARGUMENTS)))
    return client


def _held(how: str) -> int:
    """Return bytes held now, once garbage is gone."""
    gc.collect()
    if how == "traced":
        return tracemalloc.get_traced_memory()[0]
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE")


def _grow(make: Callable[[], object], count: int, how: str) -> int:
    kept = [make()]
    before = _held(how)
    kept += [make() for _ in range(count)]
    return _held(how) - before


async def _grow_async(make: Callable[[], Awaitable[object]], count: int, how: str) -> int:
    kept = [await make()]
    before = _held(how)
    kept += [await make() for _ in range(count)]
    grown = _held(how) - before
    # Python warns of asyncio clients that are left open; nothing is to be read here again.
    os.write(1, b"%d\n" % grown)
    os._exit(0)


def main() -> None:
    """Make the clients and print."""
    side, surface, host, port, count, how = sys.argv[1:]
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if how == "traced":
        tracemalloc.start()
    place = host, int(port)
    if surface == "blocking":
        blocking = _ours if side == "redislua" else _theirs
        print(_grow(lambda: blocking(*place), int(count), how))
    else:
        waiting = _ours_async if side == "redislua" else _theirs_async
        asyncio.run(_grow_async(lambda: waiting(*place), int(count), how))


if __name__ == "__main__":
    main()
