"""Histories of what concurrent callers asked of one object and were told."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Generator, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from redislua.errors import NotExecuted, OutcomeUnknown, ScriptNotDeployed
from tests.rig.crowd import Attempt, Worker
from tests.rig.linearizability import Operation


@dataclass(frozen=True, slots=True)
class Step:
    """An attempt and what it asks of the object.

    Attributes:
        asked: One operation for each call; one for all calls of a transaction, whose result
            is then the tuple of their replies.
        attempt: How it is asked.
    """

    asked: tuple[Hashable, ...]
    attempt: Attempt


Steps: TypeAlias = Generator[Step, Sequence[Any], None]


class History:
    """The operations of any number of workers, on one clock.

    Attributes:
        operations: Those that may have taken effect. An operation that is said not to have
            been executed is not among them: had it been, the others would not fit together.
        outcomes: How many operations ended in which way.
    """

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.outcomes: Counter[str] = Counter()
        # A count, not the time: no two moments are equal, and the interpreter hands out
        # one number after the other to all threads.
        self._clock = itertools.count()

    def watch(self, steps: Steps) -> Worker:
        """Pass a worker's attempts on and write down what it asked and was told."""
        try:
            step = next(steps)
            while True:
                called = next(self._clock)
                outcomes = yield step.attempt
                returned = next(self._clock)
                if step.attempt.atomic:
                    outcomes = [_of_all(outcomes)]
                for asked, outcome in zip(step.asked, outcomes, strict=True):
                    self._note(asked, called, returned, outcome)
                step = steps.send(outcomes)
        except StopIteration:
            return

    def _note(self, asked: Hashable, called: int, returned: int, outcome: Any) -> None:
        if isinstance(outcome, NotExecuted) and not isinstance(outcome, ScriptNotDeployed):
            self.outcomes["not executed"] += 1
        elif isinstance(outcome, OutcomeUnknown | asyncio.CancelledError):
            self.operations.append(Operation(asked, called))
            self.outcomes["unknown"] += 1
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            self.operations.append(Operation(asked, called, returned, outcome))
            self.outcomes["replied"] += 1


def _of_all(outcomes: Sequence[Any]) -> Any:
    """The one outcome of a transaction, which is all or nothing."""
    kinds = {type(outcome) for outcome in outcomes if isinstance(outcome, BaseException)}
    if not kinds:
        return tuple(outcomes)
    if len(kinds) > 1 or not all(isinstance(outcome, BaseException) for outcome in outcomes):
        raise AssertionError(f"a transaction ended in several ways: {outcomes}")
    return outcomes[0]
