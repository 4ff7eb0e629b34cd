"""A process that holds one contender and runs rounds of it on demand.

It speaks lines of JSON: an `Order` comes in on standard input, ``{"ready": true}`` goes out
once the client is open; then each ``{"calls": n}`` is answered by how long n calls took.
A contender that fails answers ``{"failed": reason}`` and ends. Standard input's end ends it.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TextIO

from . import workload
from .contenders import Asyncio, Blocking, load
from .workload import Item, Target

REASON = 300
"""Longest reason that is reported, in characters."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker is to hold.

    Attributes:
        contender: Its name for `contenders.load`.
        target: What to call.
        subjects: How many distinct subjects to walk around.
        batch: Calls that travel in one call of the contender.
        core: The processor to stay on, or None.
    """

    contender: str
    target: Target
    subjects: int
    batch: int = 1
    core: int | None = None

    def dumps(self) -> str:
        """Return the order as one line."""
        return json.dumps(asdict(self))

    @classmethod
    def loads(cls, line: str) -> Order:
        """Return the order that `dumps` wrote."""
        fields = json.loads(line)
        target = fields.pop("target")
        target["args"] = tuple(target["args"])
        return cls(target=Target(**target), **fields)


def threads(
    call: Callable[[Any], object], items: Sequence[Item], callers: int
) -> tuple[float, list[object]]:
    """Call with every item, from ``callers`` threads side by side.

    Returns:
        Seconds from the moment when all threads stood ready until the last one was done,
        and the last reply of each.
    """
    if callers == 1:
        began = time.perf_counter()
        for item in items:
            reply = call(item)
        return time.perf_counter() - began, [reply]
    shares = [items[at::callers] for at in range(callers)]
    replies: list[object] = []
    errors: list[BaseException] = []
    ready = threading.Barrier(callers + 1)

    def work(share: Sequence[Item]) -> None:
        ready.wait()
        try:
            for item in share:
                reply = call(item)
            replies.append(reply)
        except BaseException as error:
            errors.append(error)

    crew = [threading.Thread(target=work, args=(share,)) for share in shares]
    for one in crew:
        one.start()
    ready.wait()
    began = time.perf_counter()
    for one in crew:
        one.join()
    seconds = time.perf_counter() - began
    if errors:
        raise errors[0]
    return seconds, replies


async def tasks(
    call: Callable[[Any], Awaitable[object]], items: Sequence[Item], callers: int
) -> tuple[float, list[object]]:
    """Call with every item, from ``callers`` tasks side by side; returns as `threads`."""
    shares = [items[at::callers] for at in range(callers)]

    async def work(share: Sequence[Item]) -> object:
        for item in share:
            reply = await call(item)
        return reply

    began = time.perf_counter()
    replies = await asyncio.gather(*(work(share) for share in shares))
    return time.perf_counter() - began, list(replies)


class _Rounds:
    """Reads how many calls to make and answers how long they took."""

    def __init__(self, order: Order, answers: TextIO, allowed: Callable[[object], bool]) -> None:
        self._names = workload.subjects(order.subjects)
        self._batch = order.batch
        self._answers = answers
        self._allowed = allowed
        self._asked = 0.0

    def ready(self) -> None:
        """Answer that the client is open."""
        _say(self._answers, ready=True)

    def items(self, line: str) -> list[Item]:
        """Return what the line asks to call."""
        self._asked = time.process_time()
        return workload.items(self._names, json.loads(line)["calls"], self._batch)

    def report(self, seconds: float, cpu: float, replies: list[object]) -> None:
        """Answer a round, once its replies were looked at.

        Raises:
            ValueError: A reply is not the expected one.
        """
        for reply in replies:
            if not self._allowed(reply):
                raise ValueError(f"unexpected reply {reply!r:.200}")
        spent = time.process_time() - self._asked
        _say(self._answers, seconds=seconds, cpu=cpu, spent=spent)


def _say(answers: TextIO, **fields: object) -> None:
    answers.write(json.dumps(fields) + "\n")
    answers.flush()


def _serve(contender: Blocking, order: Order, rounds: _Rounds) -> None:
    with contender.open(order.target) as call:
        rounds.ready()
        while line := sys.stdin.readline():
            items = rounds.items(line)
            cpu = time.process_time()
            seconds, replies = threads(call, items, order.target.callers)
            rounds.report(seconds, time.process_time() - cpu, replies)


async def _serve_async(contender: Asyncio, order: Order, rounds: _Rounds) -> None:
    async with contender.open(order.target) as call:
        rounds.ready()
        # The loop goes on between rounds: clients with tasks of their own keep them.
        while line := await asyncio.to_thread(sys.stdin.readline):
            items = rounds.items(line)
            cpu = time.process_time()
            seconds, replies = await tasks(call, items, order.target.callers)
            rounds.report(seconds, time.process_time() - cpu, replies)


def main() -> None:
    """Read an order and serve it."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not be taken for an answer
    order = Order.loads(sys.stdin.readline())
    if order.core is not None:
        os.sched_setaffinity(0, {order.core})
    try:
        contender = load(order.contender)
        rounds = _Rounds(order, answers, contender.allowed)
        if isinstance(contender, Blocking):
            _serve(contender, order, rounds)
        else:
            asyncio.run(_serve_async(contender, order, rounds))
    except ModuleNotFoundError as error:
        _say(answers, absent=f"{error.name} is not installed")
    except Exception as error:
        _say(answers, failed=f"{type(error).__name__}: {error}"[:REASON])
        raise


if __name__ == "__main__":
    main()
