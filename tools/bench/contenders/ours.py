"""redislua: build, validate, encode, send, decode; the reply is a typed object."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import redis
import redis.asyncio

from redislua.bindings import limit
from redislua.runtime import arun, run

from ..workload import BURST, LIMIT, PERIOD_US, Target
from . import Asyncio, Blocking


def is_allowed(reply: object) -> bool:
    """Tell whether the typed reply is the expected one."""
    return isinstance(reply, limit.GcraAllowed) and 0 <= reply.remaining < BURST


@contextmanager
def _run(target: Target) -> Iterator[Callable[[str], object]]:
    with redis.Redis(host=target.host, port=target.port) as client:

        def call(subject: str) -> object:
            built = limit.gcra(subject=subject, limit=LIMIT, period=PERIOD_US, burst=BURST)
            return run(client, built)

        yield call


@contextmanager
def _bound(target: Target) -> Iterator[Callable[[str], object]]:
    with redis.Redis(host=target.host, port=target.port) as client:
        gcra = limit.Limit(client).gcra

        def call(subject: str) -> object:
            return gcra(subject=subject, limit=LIMIT, period=PERIOD_US, burst=BURST)

        yield call


@asynccontextmanager
async def _arun(target: Target) -> AsyncIterator[Callable[[str], Awaitable[object]]]:
    async with redis.asyncio.Redis(host=target.host, port=target.port) as client:

        def call(subject: str) -> Awaitable[object]:
            built = limit.gcra(subject=subject, limit=LIMIT, period=PERIOD_US, burst=BURST)
            return arun(client, built)

        yield call


@asynccontextmanager
async def _async_bound(target: Target) -> AsyncIterator[Callable[[str], Awaitable[object]]]:
    async with redis.asyncio.Redis(host=target.host, port=target.port) as client:
        gcra = limit.AsyncLimit(client).gcra

        def call(subject: str) -> Awaitable[object]:
            return gcra(subject=subject, limit=LIMIT, period=PERIOD_US, burst=BURST)

        yield call


RUN = Blocking(_run, is_allowed)
BOUND = Blocking(_bound, is_allowed)
ARUN = Asyncio(_arun, is_allowed)
ASYNC_BOUND = Asyncio(_async_bound, is_allowed)
