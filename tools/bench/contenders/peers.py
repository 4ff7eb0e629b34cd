"""Other asyncio clients. They have no part in the project's own environment."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import cast

from ..workload import Target, is_raw_allowed
from . import Asyncio


@asynccontextmanager
async def _coredis(target: Target) -> AsyncIterator[Callable[[str], Awaitable[object]]]:
    sha1, before, after, args = target.sha1, target.before, target.after, target.args
    coredis = importlib.import_module("coredis")
    # Its pool lets callers share connections: the default size serves any number of them.
    async with coredis.Redis(target.host, target.port) as client:
        evalsha = client.evalsha

        def call(subject: str) -> Awaitable[object]:
            waiting = evalsha(sha1, keys=[f"{before}{subject}{after}"], args=args)
            return cast("Awaitable[object]", waiting)

        yield call


@asynccontextmanager
async def _glide(target: Target) -> AsyncIterator[Callable[[str], Awaitable[object]]]:
    before, after = target.before, target.after
    sha1, args = target.sha1, [str(argument) for argument in target.args]
    glide = importlib.import_module("glide")
    client = await glide.GlideClient.create(
        glide.GlideClientConfiguration([glide.NodeAddress(target.host, target.port)])
    )
    command = client.custom_command

    # `invoke_script` sends the same EVALSHA; this form takes less processor time.
    def call(subject: str) -> Awaitable[object]:
        waiting = command(["EVALSHA", sha1, "1", f"{before}{subject}{after}", *args])
        return cast("Awaitable[object]", waiting)

    try:
        yield call
    finally:
        await client.close()


COREDIS = Asyncio(_coredis, is_raw_allowed)
GLIDE = Asyncio(_glide, is_raw_allowed)
