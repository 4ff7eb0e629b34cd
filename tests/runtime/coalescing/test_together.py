"""Calls made at the same moment leave together: few writes, few connections."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from redislua.runtime import configure
from tests.runtime.callers import Caller
from tests.runtime.coalescing.crowd import at_once, connections, echo


def reads(admin: Any) -> int:
    """How many times the server read from a connection, this question's included."""
    return int(admin.info("stats")["total_reads_processed"])


@pytest.mark.parametrize("tasks", [50, 200])
def test_tasks_share_writes(runner: asyncio.Runner, client: Any, tasks: int) -> None:
    caller = Caller(is_async=True, runner=runner)
    own = caller.open_like(client)
    caller.run(own, echo(0))

    before = reads(client)
    replies = at_once(caller, own, [echo(number) for number in range(tasks)])
    taken = reads(client) - before - 1

    assert replies == [b"%d" % number for number in range(tasks)]
    assert taken <= tasks // 4  # some leave alone, as replies make room; see the control below
    caller.close()


def test_tasks_that_do_not_share_write_each_for_itself(runner: asyncio.Runner, client: Any) -> None:
    """The control: what the others save is seen here."""
    caller = Caller(is_async=True, runner=runner)
    own = caller.open_like(client)
    configure(own, coalesce=False)
    at_once(caller, own, [echo(number) for number in range(50)])

    before = reads(client)
    at_once(caller, own, [echo(number) for number in range(50)])

    assert reads(client) - before - 1 >= 50
    caller.close()


@pytest.mark.parametrize(("is_async", "most"), [(True, 1), (False, 9)])
def test_a_crowd_has_few_connections(
    runner: asyncio.Runner, client: Any, is_async: bool, most: int
) -> None:
    caller = Caller(is_async=is_async, runner=runner)
    own = caller.open_like(client)
    before = connections(client)

    for _ in range(5):
        replies = at_once(caller, own, [echo(number) for number in range(64)])
        assert replies == [b"%d" % number for number in range(64)]

    assert connections(client) - before <= most
    caller.close()
