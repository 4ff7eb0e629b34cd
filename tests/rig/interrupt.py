"""Ctrl-C while replies are waited for, as a test can have it: an alarm whose handler raises."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from redislua.runtime import Call, run_many


class Interrupt(BaseException):
    """What Ctrl-C raises, under a name of its own."""


def interrupted(client: Any, *calls: Call[Any], deadline: float = 30.0) -> None:
    """Run calls, and be interrupted while their replies are waited for."""

    def interrupt(*_: object) -> None:
        raise Interrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        with pytest.raises(Interrupt):
            run_many(client, *calls, deadline=deadline)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
