"""redis-py as applications use it: hiredis installed, default client, a pool large enough."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, cast

import redis
import redis.asyncio

from ..workload import Target, is_raw_allowed
from . import Asyncio, Blocking


@contextmanager
def _evalsha(target: Target) -> Iterator[Callable[[str], object]]:
    sha1, before, after, args = target.sha1, target.before, target.after, target.args
    with redis.Redis(host=target.host, port=target.port) as client:
        evalsha: Callable[..., object] = client.evalsha

        def call(subject: str) -> object:
            return evalsha(sha1, 1, f"{before}{subject}{after}", *args)

        yield call


@contextmanager
def _register_script(target: Target) -> Iterator[Callable[[str], object]]:
    before, after, args = target.before, target.after, target.args
    with redis.Redis(host=target.host, port=target.port) as client:
        script: Any = client.register_script(target.source)

        def call(subject: str) -> object:
            return cast("object", script(keys=[f"{before}{subject}{after}"], args=args))

        yield call


@asynccontextmanager
async def _async_evalsha(target: Target) -> AsyncIterator[Callable[[str], Awaitable[object]]]:
    sha1, before, after, args = target.sha1, target.before, target.after, target.args
    async with redis.asyncio.Redis(
        host=target.host, port=target.port, max_connections=target.callers
    ) as client:
        evalsha: Callable[..., Awaitable[object]] = cast("Any", client.evalsha)

        def call(subject: str) -> Awaitable[object]:
            return evalsha(sha1, 1, f"{before}{subject}{after}", *args)

        yield call


EVALSHA = Blocking(_evalsha, is_raw_allowed)
REGISTER_SCRIPT = Blocking(_register_script, is_raw_allowed)
ASYNC_EVALSHA = Asyncio(_async_evalsha, is_raw_allowed)
