"""The asyncio driver: does what a plan says, on an asyncio client."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar, overload

from redislua.runtime import batch, clients
from redislua.runtime.call import Call
from redislua.runtime.clients import AsyncClient
from redislua.runtime.plan import DEFAULT_DEADLINE, decoded, ends, single
from redislua.runtime.pools import AnyAsyncPool, async_pools
from redislua.runtime.route import route_of
from redislua.runtime.settings import Watch, WatchMany
from redislua.runtime.steps import Lost, NotSent, Outcome, Pause, Plan, SendAll, Unrouted
from redislua.runtime.watching.protocol import Observer

__all__ = ["arun", "arun_many", "called", "drive"]

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

    Calls made at the same moment share a connection and a write. Cancelling a task drops
    its reply when it comes and disturbs no other call; the script may have been executed.

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
        UnsupportedClient: The client is a blocking client, a pipeline or no client.
        InvalidArgument: The deadline is not a positive, finite time.
    """
    until = ends(clients.checked(call).script.name, deadline)
    return await called(async_pools.of(client), call, until)


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
    plan = batch.plan(calls, pool, atomic=atomic, until=until)
    with WatchMany(pool.settings, calls) as watch:
        watch.results = await drive(pool, plan, until)
    return batch.replies(watch.results, return_exceptions=return_exceptions)


def called(pool: AnyAsyncPool, call: Call[T], until: float) -> Coroutine[Any, Any, T]:
    """Run one call: `redislua.runtime.blocking.called` for asyncio."""
    if pool.settings.observer is None:
        return _called(pool, call, until)
    return _watched(pool, call, until, pool.settings.observer)


async def _watched(pool: AnyAsyncPool, call: Call[T], until: float, observer: Observer) -> T:
    with Watch(observer, call):
        if pool.settings.admit is not None:
            pool.settings.admit(call)
        return await _called(pool, call, until)


async def _called(pool: AnyAsyncPool, call: Call[T], until: float) -> T:
    first: Outcome | None = None
    if not call.script.requires:
        try:
            # What shares a connection that is open is a future: no coroutine of its own.
            future = pool.submit(call, until)
            reply = await (pool.first(call, until) if future is None else future)
        except Unrouted:
            pass
        except (NotSent, Lost) as failure:
            first = failure
        else:
            if not isinstance(reply, Exception):
                return decoded(call, reply)
            first = [reply]
    route = route_of(pool.topology, [call])
    return await drive(pool, single(call, route=route, first=first, until=until), until)


async def drive(pool: AnyAsyncPool, plan: Plan[T], until: float) -> T:
    """Take a plan to its end."""
    try:
        step = next(plan)
        while True:
            if isinstance(step, Pause):
                if step.afresh:
                    pool.renew()
                await asyncio.sleep(step.seconds)
                step = plan.send(())
            elif isinstance(step, SendAll):
                step = plan.send(await pool.exchange_all(step.sends, until))
            else:
                try:
                    replies = await pool.exchange(step, until)
                except (NotSent, Lost) as failure:
                    step = plan.throw(failure)
                else:
                    step = plan.send(replies)
    except StopIteration as done:
        reply: T = done.value
        return reply
