"""Real concurrent calls of every operation: the load behind ``redislua demo``.

Callers play the examples of each script again and again, all of them at the same
keys at the same time, while the script cache is emptied under their feet.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import redis
import redis.asyncio

from redislua.errors import (
    CallError,
    OutcomeUnknown,
    ScriptBusy,
    ScriptError,
    ScriptFault,
    UnexpectedReplyError,
)
from redislua.probe.examples import Operation, fill_in
from redislua.probe.slowlog import SlowLog
from redislua.runtime import Call, arun
from redislua.spec.model import Script
from redislua.spec.notation import Example, ExampleWait
from redislua.spec.registry import Registry, resolve
from redislua.spec.typing import arguments

CALLERS = 8
DEADLINE = 5.0


@dataclass(slots=True)
class Tally:
    """What became of the calls of one operation.

    Attributes:
        calls: How many were made.
        outcomes: How often each variant, or ``error Name``, came back.
        failures: Texts of the calls that ended in something undeclared.
        samples: Server time of each call, in microseconds.
    """

    calls: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    samples: list[int] = field(default_factory=list)


@dataclass(slots=True)
class LoadResult:
    """What became of the whole load.

    Attributes:
        tallies: By full name of the operation.
        flushes: How often the server's script cache was emptied meanwhile.
    """

    tallies: dict[str, Tally]
    flushes: int = 0

    @property
    def failures(self) -> list[str]:
        """All undeclared ends, of all operations."""
        return [text for tally in self.tallies.values() for text in tally.failures]


def run_load(
    registry: Registry,
    operations: Mapping[str, Operation],
    url: str,
    *,
    calls: int,
    flush_every: int,
    on_call: Callable[[str], None],
) -> LoadResult:
    """Call every operation at least ``calls`` times, `CALLERS` callers at once.

    Args:
        registry: All scripts.
        operations: By full name.
        url: A private server.
        calls: How many calls each operation gets at least.
        flush_every: SCRIPT FLUSH after each so many calls.
        on_call: Told the operation's name after each call.
    """
    load = _Load(registry, operations, url, calls, flush_every, on_call)
    by_sha = {operation.spec.sha1: name for name, operation in operations.items()}

    def read(slowlog: SlowLog) -> None:
        for sha1, samples in slowlog.collect().items():
            if sha1 in by_sha:
                load.result.tallies[by_sha[sha1]].samples += samples

    try:
        with SlowLog(url) as slowlog:
            # After each operation: the log does not hold the calls of many.
            asyncio.run(load.run(lambda: read(slowlog)))
    except redis.RedisError:
        if not load.stopped:
            raise  # else a script holds the server, and the result says which
    return load.result


class _Load:
    def __init__(
        self,
        registry: Registry,
        operations: Mapping[str, Operation],
        url: str,
        calls: int,
        flush_every: int,
        on_call: Callable[[str], None],
    ) -> None:
        self._registry = registry
        self._by_file = {operation.spec.file: name for name, operation in operations.items()}
        self._operations = operations
        self._url = url
        self._calls = calls
        self._flush_every = flush_every
        self._on_call = on_call
        self._total = 0
        self.stopped = False
        self.result = LoadResult({name: Tally() for name in operations})

    async def run(self, read: Callable[[], None]) -> None:
        async with redis.asyncio.Redis.from_url(self._url) as client:
            for name, operation in self._operations.items():
                examples = operation.spec.examples
                turn = 0
                tally = self.result.tallies[name]
                while examples and tally.calls < self._calls and not self.stopped:
                    example = examples[turn % len(examples)]
                    # One namespace for all callers of a turn: they meet at the same keys.
                    await self._turn(client, operation.spec, example, f"turn{turn}")
                    turn += 1
                if self.stopped:
                    return
                await asyncio.to_thread(read)
            await client.flushall()

    async def _turn(
        self, client: redis.asyncio.Redis, script: Script, example: Example, namespace: str
    ) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(CALLERS):
                group.create_task(self._caller(client, script, example, namespace))

    async def _caller(
        self, client: redis.asyncio.Redis, script: Script, example: Example, namespace: str
    ) -> None:
        replies: dict[int, Any] = {}
        for number, line in enumerate(example.lines, 1):
            if self.stopped:
                return
            if isinstance(line, ExampleWait):
                await asyncio.sleep(line.microseconds / 1_000_000)
                continue
            operation = self._operations[self._by_file[resolve(self._registry, script, line).file]]
            given = arguments(operation.spec, line.arguments)
            try:
                given = fill_in(given, replies)
            except (KeyError, AttributeError):
                return  # under contention an earlier line got another variant than it shows
            call = operation.call({**given, "namespace": namespace})
            replies[number] = await self._send(client, operation, call)

    async def _send(
        self, client: redis.asyncio.Redis, operation: Operation, call: Call[Any]
    ) -> Any:
        name = self._by_file[operation.spec.file]
        tally = self.result.tallies[name]
        reply = None
        try:
            reply = await arun(client, call, deadline=DEADLINE)
            tally.outcomes[operation.variant_name(reply) or "reply"] += 1
        except CallError as error:
            # Nothing answers a call on a server of our own but a script that goes on and on.
            self.stopped = self.stopped or isinstance(error, OutcomeUnknown | ScriptBusy)
            undeclared = isinstance(error, ScriptFault | UnexpectedReplyError)
            if isinstance(error, ScriptError) and not undeclared:
                tally.outcomes[f"error {type(error).__name__.removesuffix('Error')}"] += 1
            else:
                tally.failures.append(f"{type(error).__name__}: {error}")
        tally.calls += 1
        self._total += 1
        self._on_call(name)
        if self._total % self._flush_every == 0 and not self.stopped:
            await client.script_flush()
            self.result.flushes += 1
        return reply
