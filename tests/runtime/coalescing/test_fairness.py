"""Who comes waits for one full batch before its own at most, whoever else has many calls."""

from __future__ import annotations

import asyncio
import itertools
import threading
from typing import Any

from redislua.runtime import arun, arun_many, run_many
from redislua.runtime.steps import MOST_CALLS
from tests.runtime.callers import Caller
from tests.runtime.coalescing.crowd import at_once
from tests.runtime.proxy import Proxy
from tests.runtime.samples import incr

MANY = 5_000
DEADLINE = 60.0

TURN = incr("never")
"""Its reply is its place among all calls: the server counts."""


def assert_fair(places: list[int]) -> None:
    """Between two calls of the lone caller at most a batch on its way and the next one ran."""
    gaps = [after - before for before, after in itertools.pairwise(places)]
    assert places[-1] < MANY + len(places)
    assert len(gaps) >= MANY // (2 * MOST_CALLS + 1) - 1
    assert max(gaps) <= 2 * MOST_CALLS + 1


def test_a_task_among_many_calls_of_another(runner: asyncio.Runner, client: Any) -> None:
    caller = Caller(is_async=True, runner=runner)
    own = caller.open_like(client)

    async def both() -> list[int]:
        many = asyncio.create_task(arun_many(own, *[TURN] * MANY, deadline=DEADLINE))
        await asyncio.sleep(0)
        places = [await arun(own, TURN, deadline=DEADLINE)]
        while not many.done():
            places.append(await arun(own, TURN, deadline=DEADLINE))
        assert len(await many) == MANY
        return places[:-1]

    assert_fair(runner.run(both()))
    caller.close()


def test_threads_among_many_calls_of_another_lose_no_turn(
    runner: asyncio.Runner, client: Any
) -> None:
    """Sixteen threads queue for the shared connection beside batches; each call runs once."""
    caller = Caller(is_async=False, runner=runner)
    own = caller.open_like(client)
    many = threading.Thread(
        target=run_many, args=(own, *[TURN] * MANY), kwargs={"deadline": DEADLINE}
    )
    many.start()
    places = [
        place for _ in range(10) for place in at_once(caller, own, [TURN] * 16, deadline=DEADLINE)
    ]
    many.join()

    assert len(set(places)) == 160
    assert int(client.get("{sample}")) == MANY + 160
    caller.close()


def test_tasks_are_answered_in_the_order_in_which_they_came(
    runner: asyncio.Runner, client: Any
) -> None:
    caller = Caller(is_async=True, runner=runner)
    own = caller.open_like(client)
    caller.run(own, TURN)

    async def crowd() -> list[int]:
        return list(await asyncio.gather(*(arun(own, TURN, deadline=30) for _ in range(1_000))))

    assert runner.run(crowd()) == list(range(2, 1_002))
    caller.close()


def test_a_lone_caller_writes_each_call_at_once_and_starts_no_thread(
    caller: Caller, client: Any, proxy: Proxy
) -> None:
    own = caller.open(proxy.url)
    caller.run(own, TURN)
    before = threading.active_count()
    proxy.arm("answer", shots=3, reply=b":7\r\n")

    # One request for each call, or the proxy's one reply to a request would not be enough.
    assert [caller.run(own, TURN) for _ in range(3)] == [7, 7, 7]
    assert proxy.met == 3
    assert threading.active_count() == before
