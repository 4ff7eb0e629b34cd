"""What a call costs among ten keys and among a million, of each operation that is not to grow.

The calls are those of the headers' ``@example``s, played again and again on a server that holds
ten keys of others, and then a million. Counted are the commands that are run, and the
instructions of the server's process, by callgrind: neither depends on what else the machine
does. Time does, and on more: among a million keys a script's memory lies between them, and
takes longer to reach, whatever the script does.
"""

from __future__ import annotations

import math
import shutil
import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from typing import Any

import redis

from redislua import server as servers
from redislua.codegen.load import Operation, load_operations
from redislua.errors import CallError
from redislua.probe.examples import fill_in
from redislua.runtime import run
from redislua.spec.notation import Example, ExampleCall
from redislua.spec.registry import Registry, load, resolve
from redislua.spec.typing import arguments

from .guarantees import Callgrind
from .measured import Figure
from .runners import ROOT

SIZES = (10, 1_000_000)
"""Keys of others that the server holds."""

CALLS = 250
"""Of each operation, at least: the server collects Lua's garbage once in 50 scripts."""

CHUNK = 10_000

_OURS = "cmdstat_config|resetstat"


@dataclass(frozen=True, slots=True)
class Cost:
    """What it took to play the examples of an operation.

    Attributes:
        commands: Run by the server, those in scripts included.
        instructions: Of the server's process; None without valgrind.
    """

    commands: int
    instructions: int | None


class Stage:
    """Where examples are played.

    Args:
        registry: All scripts; an example may call any of them.
        operations: By full name.
        client: Of a private server.
    """

    def __init__(
        self, registry: Registry, operations: Mapping[str, Operation], client: redis.Redis
    ) -> None:
        self._registry = registry
        self._by_file = {one.spec.file: one for one in operations.values()}
        self._client = client

    def play(self, operation: Operation, calls: int) -> None:
        """Play an operation's examples as often as makes so many calls at least."""
        examples = prompt(operation)
        for _ in range(math.ceil(calls / sum(len(one.lines) for one in examples))):
            for example in examples:
                self._play(operation, example)

    def _play(self, operation: Operation, example: Example) -> None:
        """Play one, and remove the keys of its calls."""
        replies: dict[int, Any] = {}
        touched: set[bytes] = set()
        for number, line in enumerate(example.lines, 1):
            assert isinstance(line, ExampleCall)
            called = self._by_file[resolve(self._registry, operation.spec, line).file]
            call = called.call(fill_in(arguments(called.spec, line.arguments), replies))
            touched.update(call.keys)
            try:
                replies[number] = run(self._client, call)
            except CallError:
                if not line.expectation.error:
                    raise
        if touched:
            self._client.unlink(*touched)


def prompt(operation: Operation) -> tuple[Example, ...]:
    """Return the examples that do not wait."""
    return tuple(
        example
        for example in operation.spec.examples
        if all(isinstance(line, ExampleCall) for line in example.lines)
    )


def flat(operations: Mapping[str, Operation]) -> Iterator[tuple[str, Operation]]:
    """Yield the operations whose header says that their cost does not grow."""
    for name, operation in operations.items():
        budget = operation.spec.budget
        if budget is not None and budget.growth == "1":
            yield name, operation


def crowd(
    *, sizes: Sequence[int] = SIZES, only: Sequence[str] = (), calls: int = CALLS
) -> list[Figure]:
    """Measure each operation among few keys and among many.

    Without valgrind commands alone are counted.

    Args:
        sizes: Keys of others, few and many.
        only: Full names of operations; empty for all that are not to grow.
        calls: How many calls are counted, at least.
    """
    registry = load(ROOT / "scripts")
    operations = load_operations(registry)
    wanted = {name: one for name, one in flat(operations) if not only or name in only}
    costs: dict[str, list[Cost]] = {name: [] for name in wanted}
    with ExitStack() as stack:
        counted = stack.enter_context(Callgrind()) if shutil.which("valgrind") else None
        url = counted.url if counted else stack.enter_context(servers.start()).url
        client = stack.enter_context(redis.Redis.from_url(url))
        client.config_set("hz", 1)  # what the server does by itself is no part of a call
        stage = Stage(registry, operations, client)
        held = 0
        for size in sizes:
            with counted.paused() if counted else nullcontext():
                _fill(client, held, size)
            held = size
            for name, operation in wanted.items():
                costs[name].append(_cost(stage, client, counted, operation, calls))
    return figures({name: (few, many) for name, (few, many) in costs.items()}, sizes)


def _fill(client: redis.Redis, held: int, size: int) -> None:
    for begin in range(held, size, CHUNK):
        numbers = range(begin, min(begin + CHUNK, size))
        client.mset({f"other:{number:08}": "1" for number in numbers})


def _cost(
    stage: Stage, client: redis.Redis, counted: Callgrind | None, operation: Operation, calls: int
) -> Cost:
    stage.play(operation, 1)  # loads its scripts
    client.config_resetstat()
    stage.play(operation, 1)
    stats: Any = client.info("commandstats")
    commands = sum(row["calls"] for name, row in stats.items() if name != _OURS)
    if counted is None:
        return Cost(commands, None)
    return Cost(commands, counted.count(lambda: stage.play(operation, calls)))


def figures(costs: Mapping[str, tuple[Cost, Cost]], sizes: Sequence[int]) -> list[Figure]:
    """Return how costs among many keys stand to those among few: of the one that grows most.

    Args:
        costs: Of each operation, among few keys and among many.
        sizes: How many keys these are.
    """
    few, many = (f"{size:,}" for size in sizes)
    by_commands = {name: b.commands / a.commands for name, (a, b) in costs.items()}
    by_work = {
        name: b.instructions / a.instructions
        for name, (a, b) in costs.items()
        if a.instructions and b.instructions
    }
    found = []
    for kind, what, ratios in (
        ("commands", "commands", by_commands),
        ("instructions", "server instructions", by_work),
    ):
        if not ratios:
            found.append(Figure(f"crowd {kind}", f"{what} of a call", None, "", "no valgrind"))
            continue
        most = max(ratios, key=lambda name: ratios[name])
        title = f"{what} of a call from {few} keys to {many}"
        found += [
            Figure(f"crowd {kind}", f"{title}, most of {len(ratios)}: {most}", ratios[most], "x"),
            Figure(
                f"crowd {kind} median", f"{title}, median", statistics.median(ratios.values()), "x"
            ),
        ]
    return found
