"""Tasks that come, leave and lose patience in any order, on a network that stalls and breaks."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
import redis
import redis.asyncio

from redislua.errors import NotExecuted, OutcomeUnknown
from redislua.runtime import Call, arun
from redislua.runtime.connections import AsyncPool
from redislua.runtime.pools import async_pools
from tests.runtime.coalescing.crowd import DEADLINE, connections, echo, eventually
from tests.runtime.coalescing.gate import Gate
from tests.runtime.samples import call

PATIENCE = 10.0
STEPS = 150

DEADLINES = (0.01, 0.05, DEADLINE, DEADLINE)

SIZES = (0,) * 20 + (100_000, 1_200_000)
"""Bytes of ballast, there and back; the largest fills more than one write."""


def returned(number: int, size: int) -> Call[Any]:
    """A call whose reply is its own number and its own ballast."""
    ballast = b"%d." % number * (size // 4)
    return call("return {ARGV[1], ARGV[2]}", b"%d" % number, ballast)


class _Play:
    """Steps drawn at random; the seed says which."""

    def __init__(self, seed: int, gate: Gate, client: redis.asyncio.Redis) -> None:
        self._random = random.Random(seed)
        self._gate = gate
        self._client = client
        self.calls: list[Call[Any]] = []
        self.tasks: list[asyncio.Task[Any]] = []

    async def step(self) -> None:
        """Do one thing."""
        steps = [self.begin, self.cancel, self.turn, self.pause, self.stall]
        [step] = self._random.choices(steps, weights=[60, 15, 20, 5, 6])
        await step()

    async def begin(self) -> None:
        one = returned(len(self.calls), self._random.choice(SIZES))
        deadline = self._random.choice(DEADLINES)
        self.calls.append(one)
        self.tasks.append(asyncio.create_task(arun(self._client, one, deadline=deadline)))

    async def cancel(self) -> None:
        if self.tasks:
            self._random.choice(self.tasks).cancel()

    async def turn(self) -> None:
        await asyncio.sleep(0)

    async def pause(self) -> None:
        await asyncio.sleep(0.003)

    async def stall(self) -> None:
        self._random.choice([self._gate.shut, self._gate.open, self._gate.cut])()


def is_right(one: Call[Any], outcome: Any) -> bool:
    """Whether a call has its own reply, or says that it has none."""
    if isinstance(outcome, NotExecuted | OutcomeUnknown | asyncio.CancelledError):
        return True
    return bool(outcome == list(one.args))


@pytest.mark.parametrize("seed", range(8))
def test_each_has_its_own_reply_or_none_and_nothing_is_left_behind(
    runner: asyncio.Runner, gate: Gate, client: redis.Redis, seed: int
) -> None:
    before = connections(client)

    async def main() -> None:
        others = asyncio.all_tasks()  # the event loop is not this test's alone
        own = redis.asyncio.Redis(host="127.0.0.1", port=gate.port, max_connections=50)
        play = _Play(seed, gate, own)
        for _ in range(STEPS):
            await play.step()
        gate.open()
        outcomes = await asyncio.gather(*play.tasks, return_exceptions=True)

        assert [
            outcome
            for one, outcome in zip(play.calls, outcomes, strict=True)
            if not is_right(one, outcome)
        ] == []
        assert await arun(own, echo(1)) == b"1"
        pool = async_pools.of(own)
        assert isinstance(pool, AsyncPool)
        assert pool._made == 1
        left = asyncio.all_tasks() - others
        if left:  # another connection may be on its way
            _, left = await asyncio.wait(left, timeout=PATIENCE)
        assert left == set()
        await own.aclose()

    runner.run(main())

    assert eventually(lambda: connections(client) <= before + 1)
