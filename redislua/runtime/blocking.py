"""The blocking driver: does what a plan says, on a blocking client."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TypeVar

from redislua.runtime import clients
from redislua.runtime.call import Call
from redislua.runtime.clients import BlockingClient
from redislua.runtime.connections import Pool
from redislua.runtime.plan import DEFAULT_DEADLINE, Lost, NotSent, Pause, Plan, ends, single
from redislua.runtime.pools import pools

__all__ = ["drive", "run"]

T = TypeVar("T")


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
        UnsupportedClient: The client is an asyncio or a cluster client.
        InvalidArgument: The deadline is not a positive, finite time.
    """
    until = ends(clients.checked(call).script.name, deadline)
    return drive(pools.of(client), single(call, until=until), until)


def drive(pool: Pool, plan: Plan[T], until: float) -> T:
    """Take a plan to its end."""
    try:
        step = next(plan)
        while True:
            if isinstance(step, Pause):
                time.sleep(step.seconds)
                step = plan.send(())
                continue
            try:
                replies = pool.exchange(step.commands, until, step.requires)
            except (NotSent, Lost) as failure:
                step = plan.throw(failure)
            else:
                step = plan.send(replies)
    except StopIteration as done:
        reply: T = done.value
        return reply
