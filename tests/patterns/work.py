"""Work of an application, that tests have done by patterns."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

from tests.patterns.stage import Stage


class Declined(Exception):
    """What work may raise for good."""


class Work:
    """Slow work that counts how often it is done, in threads or tasks."""

    def __init__(self, stage: Stage, value: Any = "done", seconds: float = 0.0) -> None:
        self.stage = stage
        self.value = value
        self.seconds = seconds
        self.done = 0
        self.began = threading.Event()

    def __call__(self) -> Any:
        self.done += 1
        self.began.set()
        if self.stage.is_async:
            return self._later()
        time.sleep(self.seconds)
        return self._given()

    async def _later(self) -> Any:
        await asyncio.sleep(self.seconds)
        return self._given()

    def _given(self) -> Any:
        if isinstance(self.value, Exception):
            raise self.value
        return self.value
