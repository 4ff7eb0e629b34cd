"""What callers were told of each of their calls, held against what the server did."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Generator, Sequence
from typing import Any

import redis

from redislua.errors import NotExecuted, OutcomeUnknown, ScriptNotDeployed
from redislua.runtime import Call
from redislua.runtime.call import RetryClass
from tests.rig.crowd import Attempt
from tests.runtime.samples import script

TALLY = "return {ARGV[1], redis.call('HINCRBY', KEYS[1], ARGV[1], 1)}"
"""Counts how often each argument came, and sends it back: a reply shows whose it is."""

ALLOWED = {"replied": range(1, 2), "not executed": range(1), "unknown": range(2)}
"""How often a call that is never sent again may have been executed, by what its caller knows."""

ALLOWED_AGAIN = {"replied": range(1, 4), "not executed": range(1), "unknown": range(4)}
"""The same for one that may be sent three times."""


class Ledger:
    """Calls with an argument of their own each, and what became of them.

    Attributes:
        script: What they call.
        cancelled: How many attempts ended with their task; their calls count as unknown.
    """

    def __init__(self, retry: RetryClass = "never", key: bytes = b"{ledger}") -> None:
        self.script = script(TALLY, retry=retry)
        self._key = key
        self._numbers = itertools.count()
        self._told: dict[bytes, str] = {}
        self._allowed = ALLOWED if retry == "never" else ALLOWED_AGAIN
        self.cancelled = 0

    @property
    def outcomes(self) -> Counter[str]:
        """How many calls were ``replied``, ``not executed`` and ``unknown``."""
        return Counter(self._told.values())

    def calls(self, number: int = 1) -> tuple[Call[Any], ...]:
        """Calls that nobody has made before."""
        arguments = [b"%d" % next(self._numbers) for _ in range(number)]
        return tuple(Call(self.script, (self._key,), (one,), decode=tuple) for one in arguments)

    def ask(self, attempt: Attempt) -> Generator[Attempt, Sequence[Any], None]:
        """Pass an attempt on and write down what was told."""
        outcomes = yield attempt
        self.cancelled += isinstance(outcomes[0], asyncio.CancelledError)
        for call, outcome in zip(attempt.calls, outcomes, strict=True):
            self._told[call.args[0]] = self._told_of(call, outcome)

    def _told_of(self, call: Call[Any], outcome: Any) -> str:
        if isinstance(outcome, NotExecuted) and not isinstance(outcome, ScriptNotDeployed):
            return "not executed"
        if isinstance(outcome, OutcomeUnknown | asyncio.CancelledError):
            return "unknown"
        if isinstance(outcome, BaseException):
            raise outcome
        argument, executions = outcome
        assert argument == call.args[0], f"{call.args[0]!r} got the reply of {argument!r}"
        assert executions in self._allowed["replied"], f"{argument!r} ran {executions} times"
        return "replied"

    def audit(self, client: redis.Redis) -> int:
        """Compare each call with its executions; return how many executions there were."""
        executed = {argument: int(times) for argument, times in client.hgetall(self._key).items()}
        wrong = [
            f"{argument!r} was {told}, and executed {executed.get(argument, 0)} times"
            for argument, told in self._told.items()
            if executed.get(argument, 0) not in self._allowed[told]
        ]
        assert not wrong, wrong
        assert executed.keys() <= self._told.keys(), "something ran that nobody had called"
        return sum(executed.values())
