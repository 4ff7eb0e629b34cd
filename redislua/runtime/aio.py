"""The asyncio driver: does what a plan says, on an asyncio client."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, TypeVar, overload

from redislua.runtime import batch, clients
from redislua.runtime.call import Call
from redislua.runtime.clients import AsyncClient
from redislua.runtime.connections import AsyncPool
from redislua.runtime.plan import DEFAULT_DEADLINE, Lost, NotSent, Pause, Plan, ends, single
from redislua.runtime.pools import async_pools

__all__ = ["arun", "arun_many", "drive"]

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")
F = TypeVar("F")


async def arun(
    client: AsyncClient, call: Call[T], *, deadline: timedelta | float = DEFAULT_DEADLINE
) -> T:
    """Run a call and return its declared reply: `run` for asyncio clients.

    Cancelling the task drops the connection that the call was on, so that its late reply
    never meets another call; the script may have been executed.

    Args:
        client: An asyncio client of redis-py or valkey-py.
        call: What a generated function returns.
        deadline: A timedelta or seconds for everything: connecting, loading the
            script, waiting and resending what the script's header allows to resend.

    Raises:
        NotExecuted: The script did not run.
        ScriptError: The script ran and failed; the errors that its header declares are
            subclasses.
        OutcomeUnknown: It may have run, and the reply was lost.
        UnsupportedClient: The client is a blocking or a cluster client.
        InvalidArgument: The deadline is not a positive, finite time.
    """
    until = ends(clients.checked(call).script.name, deadline)
    return await drive(async_pools.of(client), single(call, until=until), until)


@overload
async def arun_many(
    client: AsyncClient, a: Call[A], /, *, atomic: bool = ..., deadline: timedelta | float = ...
) -> tuple[A]: ...


@overload
async def arun_many(
    client: AsyncClient,
    a: Call[A],
    b: Call[B],
    /,
    *,
    atomic: bool = ...,
    deadline: timedelta | float = ...,
) -> tuple[A, B]: ...


@overload
async def arun_many(
    client: AsyncClient,
    a: Call[A],
    b: Call[B],
    c: Call[C],
    /,
    *,
    atomic: bool = ...,
    deadline: timedelta | float = ...,
) -> tuple[A, B, C]: ...


@overload
async def arun_many(
    client: AsyncClient,
    a: Call[A],
    b: Call[B],
    c: Call[C],
    d: Call[D],
    /,
    *,
    atomic: bool = ...,
    deadline: timedelta | float = ...,
) -> tuple[A, B, C, D]: ...


@overload
async def arun_many(
    client: AsyncClient,
    a: Call[A],
    b: Call[B],
    c: Call[C],
    d: Call[D],
    e: Call[E],
    /,
    *,
    atomic: bool = ...,
    deadline: timedelta | float = ...,
) -> tuple[A, B, C, D, E]: ...


@overload
async def arun_many(
    client: AsyncClient,
    a: Call[A],
    b: Call[B],
    c: Call[C],
    d: Call[D],
    e: Call[E],
    f: Call[F],
    /,
    *,
    atomic: bool = ...,
    deadline: timedelta | float = ...,
) -> tuple[A, B, C, D, E, F]: ...


@overload
async def arun_many(
    client: AsyncClient,
    /,
    *calls: Call[Any],
    atomic: bool = ...,
    return_exceptions: bool = ...,
    deadline: timedelta | float = ...,
) -> tuple[Any, ...]: ...


async def arun_many(
    client: AsyncClient,
    /,
    *calls: Call[Any],
    atomic: bool = False,
    return_exceptions: bool = False,
    deadline: timedelta | float = DEFAULT_DEADLINE,
) -> tuple[Any, ...]:
    """Run several calls in one write: `run_many` for asyncio clients."""
    until = ends("arun_many", deadline)
    pool = async_pools.of(client)
    plan = batch.plan(calls, atomic=atomic, known=pool.known, until=until)
    return batch.replies(await drive(pool, plan, until), return_exceptions=return_exceptions)


async def drive(pool: AsyncPool, plan: Plan[T], until: float) -> T:
    """Take a plan to its end."""
    try:
        step = next(plan)
        while True:
            if isinstance(step, Pause):
                await asyncio.sleep(step.seconds)
                step = plan.send(())
                continue
            try:
                replies = await pool.exchange(step.commands, until, step.requires)
            except (NotSent, Lost) as failure:
                step = plan.throw(failure)
            else:
                step = plan.send(replies)
    except StopIteration as done:
        reply: T = done.value
        return reply
