"""On a cluster: redislua and redis-py's cluster clients, single calls and batches."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, cast

import redis
import redis.asyncio

from redislua.bindings import limit
from redislua.runtime import Call, arun, arun_many, run, run_many

from ..workload import BATCH, BURST, LIMIT, PERIOD_US, Target, are_raw_allowed, is_raw_allowed
from . import Asyncio, Blocking
from .ours import is_allowed


def _built(subject: str) -> Call[limit.GcraReply]:
    return limit.gcra(subject=subject, limit=LIMIT, period=PERIOD_US, burst=BURST)


def _are_allowed(replies: object) -> bool:
    return isinstance(replies, tuple) and len(replies) == BATCH and all(map(is_allowed, replies))


@contextmanager
def _run(target: Target) -> Iterator[Callable[[str], object]]:
    with redis.RedisCluster(host=target.host, port=target.port) as client:
        yield lambda subject: run(client, _built(subject))


@contextmanager
def _run_many(target: Target) -> Iterator[Callable[[tuple[str, ...]], object]]:
    with redis.RedisCluster(host=target.host, port=target.port) as client:
        yield lambda batch: run_many(client, *map(_built, batch))


@asynccontextmanager
async def _arun(target: Target) -> AsyncIterator[Callable[[str], Awaitable[object]]]:
    async with redis.asyncio.RedisCluster(host=target.host, port=target.port) as client:
        yield lambda subject: arun(client, _built(subject))


@asynccontextmanager
async def _arun_many(
    target: Target,
) -> AsyncIterator[Callable[[tuple[str, ...]], Awaitable[object]]]:
    async with redis.asyncio.RedisCluster(host=target.host, port=target.port) as client:
        yield lambda batch: arun_many(client, *map(_built, batch))


@contextmanager
def _evalsha(target: Target) -> Iterator[Callable[[str], object]]:
    sha1, before, after, args = target.sha1, target.before, target.after, target.args
    with redis.RedisCluster(host=target.host, port=target.port) as client:
        evalsha: Callable[..., object] = client.evalsha
        yield lambda subject: evalsha(sha1, 1, f"{before}{subject}{after}", *args)


@contextmanager
def _pipeline(target: Target) -> Iterator[Callable[[tuple[str, ...]], object]]:
    sha1, before, after, args = target.sha1, target.before, target.after, target.args
    with redis.RedisCluster(host=target.host, port=target.port) as client:

        def call(batch: tuple[str, ...]) -> object:
            pipeline: Any = client.pipeline()
            # `pipeline.evalsha` is blocked on clusters; the command itself is not.
            for subject in batch:
                key = f"{before}{subject}{after}"
                pipeline.execute_command("EVALSHA", sha1, 1, key, *args)
            return cast("object", pipeline.execute())

        yield call


@asynccontextmanager
async def _async_evalsha(target: Target) -> AsyncIterator[Callable[[str], Awaitable[object]]]:
    sha1, before, after, args = target.sha1, target.before, target.after, target.args
    async with redis.asyncio.RedisCluster(host=target.host, port=target.port) as client:
        evalsha: Callable[..., Awaitable[object]] = cast("Any", client.evalsha)
        yield lambda subject: evalsha(sha1, 1, f"{before}{subject}{after}", *args)


@asynccontextmanager
async def _async_pipeline(
    target: Target,
) -> AsyncIterator[Callable[[tuple[str, ...]], Awaitable[object]]]:
    sha1, before, after, args = target.sha1, target.before, target.after, target.args
    async with redis.asyncio.RedisCluster(host=target.host, port=target.port) as client:

        def call(batch: tuple[str, ...]) -> Awaitable[object]:
            pipeline: Any = client.pipeline()
            for subject in batch:
                key = f"{before}{subject}{after}"
                pipeline.execute_command("EVALSHA", sha1, 1, key, *args)
            return cast("Awaitable[object]", pipeline.execute())

        yield call


RUN = Blocking(_run, is_allowed)
RUN_MANY = Blocking(_run_many, _are_allowed)
ARUN = Asyncio(_arun, is_allowed)
ARUN_MANY = Asyncio(_arun_many, _are_allowed)
EVALSHA = Blocking(_evalsha, is_raw_allowed)
PIPELINE = Blocking(_pipeline, are_raw_allowed)
ASYNC_EVALSHA = Asyncio(_async_evalsha, is_raw_allowed)
ASYNC_PIPELINE = Asyncio(_async_pipeline, are_raw_allowed)
