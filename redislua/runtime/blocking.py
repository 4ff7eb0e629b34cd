"""The blocking driver: does what a plan says, on a blocking client."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any, TypeVar, overload

from redislua.runtime import batch, clients
from redislua.runtime.call import Call
from redislua.runtime.clients import BlockingClient
from redislua.runtime.plan import DEFAULT_DEADLINE, decoded, ends, single
from redislua.runtime.pools import AnyPool, pools
from redislua.runtime.route import route_of
from redislua.runtime.settings import Watch, WatchMany
from redislua.runtime.steps import Lost, NotSent, Outcome, Pause, Plan, SendAll, Unrouted

__all__ = ["called", "drive", "run", "run_many"]

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")
F = TypeVar("F")


def run(
    client: BlockingClient, call: Call[T], *, deadline: timedelta | float = DEFAULT_DEADLINE
) -> T:
    """Run a call and return its declared reply.

    The call travels on connections of redislua's own, made like the client's but without
    its retries. The deadline, not the client's ``socket_timeout``, bounds the wait.

    Args:
        client: A blocking client of redis-py or valkey-py.
        call: What a generated function returns.
        deadline: A timedelta or seconds for everything: connecting, loading the
            script, waiting and resending what the script's header allows to resend.

    Raises:
        NotExecuted: The script did not run.
        ScriptError: The script ran and failed; the errors that its header declares are
            subclasses.
        OutcomeUnknown: It may have run, and the reply was lost.
        UnsupportedClient: The client is an asyncio client, a pipeline or no client.
        InvalidArgument: The deadline is not a positive, finite time.
    """
    until = ends(clients.checked(call).script.name, deadline)
    return called(pools.of(client), call, until)


@overload
def run_many(
    client: BlockingClient, a: Call[A], /, *, atomic: bool = ..., deadline: timedelta | float = ...
) -> tuple[A]: ...


@overload
def run_many(
    client: BlockingClient,
    a: Call[A],
    b: Call[B],
    /,
    *,
    atomic: bool = ...,
    deadline: timedelta | float = ...,
) -> tuple[A, B]: ...


@overload
def run_many(
    client: BlockingClient,
    a: Call[A],
    b: Call[B],
    c: Call[C],
    /,
    *,
    atomic: bool = ...,
    deadline: timedelta | float = ...,
) -> tuple[A, B, C]: ...


@overload
def run_many(
    client: BlockingClient,
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
def run_many(
    client: BlockingClient,
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
def run_many(
    client: BlockingClient,
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
def run_many(
    client: BlockingClient,
    /,
    *calls: Call[Any],
    atomic: bool = ...,
    return_exceptions: bool = ...,
    deadline: timedelta | float = ...,
) -> tuple[Any, ...]: ...


def run_many(
    client: BlockingClient,
    /,
    *calls: Call[Any],
    atomic: bool = False,
    return_exceptions: bool = False,
    deadline: timedelta | float = DEFAULT_DEADLINE,
) -> tuple[Any, ...]:
    """Run several calls in one write, in order, and return their replies in that order.

    Up to 256 calls and 1 MiB travel in one write; more are cut into several. Each call has
    its own outcome, and a failing one stops no other.

    Args:
        client: A blocking client of redis-py or valkey-py.
        calls: What generated functions return, of any families.
        atomic: Run them in one MULTI/EXEC, so that no other client's command comes
            between. Nothing is rolled back. More than one write holds is refused. The
            scripts travel inside, so the user must be allowed SCRIPT LOAD or EVAL.
        return_exceptions: Put the `CallError` of a call in its place, instead of raising
            the first one after all have ended.
        deadline: A timedelta or seconds for everything.

    Raises:
        NotExecuted, ScriptError, OutcomeUnknown: As in `run`, of the first call that
            failed; with ``atomic``, NotExecuted and OutcomeUnknown speak of all.
        InvalidArgumentValue: A transaction that exceeds one write. Nothing was sent.
    """
    until = ends("run_many", deadline)
    pool = pools.of(client)
    plan = batch.plan(calls, pool, atomic=atomic, until=until)
    with WatchMany(pool.settings, calls) as watch:
        watch.results = drive(pool, plan, until)
    return batch.replies(watch.results, return_exceptions=return_exceptions)


def called(pool: AnyPool, call: Call[T], until: float) -> T:
    """Run one call, watched if anybody wants to."""
    settings = pool.settings
    if settings.observer is None:
        return _called(pool, call, until)
    with Watch(settings.observer, call):
        if settings.admit is not None:
            settings.admit(call)
        return _called(pool, call, until)


def _called(pool: AnyPool, call: Call[T], until: float) -> T:
    # Send, and make a plan, which knows what to do in trouble, when there is any.
    first: Outcome | None = None
    if not call.script.requires:
        try:
            reply = pool.first(call, until)
        except Unrouted:
            pass
        except (NotSent, Lost) as failure:
            first = failure
        else:
            if not isinstance(reply, Exception):
                return decoded(call, reply)
            first = [reply]
    route = route_of(pool.topology, [call])
    return drive(pool, single(call, route=route, first=first, until=until), until)


def drive(pool: AnyPool, plan: Plan[T], until: float) -> T:
    """Take a plan to its end."""
    try:
        step = next(plan)
        while True:
            if isinstance(step, Pause):
                if step.afresh:
                    pool.renew()
                time.sleep(step.seconds)
                step = plan.send(())
            elif isinstance(step, SendAll):
                step = plan.send(pool.exchange_all(step.sends, until))
            else:
                try:
                    replies = pool.exchange(step, until)
                except (NotSent, Lost) as failure:
                    step = plan.throw(failure)
                else:
                    step = plan.send(replies)
    except StopIteration as done:
        reply: T = done.value
        return reply
