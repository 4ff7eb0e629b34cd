"""Workers that run beside what a test does, and what they do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from redislua.patterns._plan import Plan, sleep
from redislua.patterns.delayed_queue import Job
from tests.patterns.stage import Stage

PATIENCE = 30.0


class Handler:
    """A handler that takes its time, in threads or tasks, and says what it did.

    Attributes:
        began: Ids in the order in which they were begun.
        ended: The jobs that were done.
        most: How many were being done at once at most.
    """

    def __init__(self, stage: Stage, seconds: float = 0.0) -> None:
        self.stage = stage
        self.seconds = seconds
        self.began: list[str] = []
        self.ended: list[Job[Any]] = []
        self.most = 0

    def __call__(self, job: Job[Any]) -> Any:
        self.began.append(job.id)
        self.most = max(self.most, len(self.began) - len(self.ended))
        if self.stage.is_async:
            return self._later(job)
        time.sleep(self.seconds)
        self.ended.append(job)
        return None

    async def _later(self, job: Job[Any]) -> None:
        await asyncio.sleep(self.seconds)
        self.ended.append(job)


def until(condition: Callable[[], object]) -> Plan[None]:
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it took too long"
        yield from sleep(0.01)


def beside(stage: Stage, script: Plan[Any], *workers: Any) -> None:
    """Have workers run while a script goes on, which ends by stopping them."""

    def whole() -> Plan[None]:
        try:
            yield from script
        finally:
            for worker in workers:
                worker.stop()

    driver = stage.driver()
    for result in stage.together(lambda: driver.run(whole()), *(one.run for one in workers)):
        if isinstance(result, BaseException):
            raise result


def fill(stage: Stage, queue: Any, count: int) -> None:
    for number in range(count):
        stage.call(partial(queue.schedule, number, id=f"j{number:03}"))
