"""The cases that a script is run in: states of the server, and a call for each."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import redis

from redislua.budget import values
from redislua.budget.fill import fill_keys, fill_wrongly
from redislua.budget.model import Case, CaseKind
from redislua.budget.sidecar import Sidecar
from redislua.errors import CallError, InvalidArgument, OutcomeUnknown
from redislua.probe.describe import value_text
from redislua.probe.examples import Operation, fill_in
from redislua.runtime import Call, run
from redislua.spec.model import Script
from redislua.spec.notation import Example, ExampleCall, ExampleWait, Reference
from redislua.spec.registry import Registry, resolve
from redislua.spec.typing import arguments

SIZES = (10, 100, 1_000, 10_000)
GREATEST = 1_000_000
"""No size is greater, whatever the header allows."""

_SHOWN = 60

Prepare: TypeAlias = Callable[[redis.Redis], None]


@dataclass(frozen=True, slots=True)
class Planned:
    """A case that is ready to run.

    Attributes:
        case: What it is called.
        call: The call.
        prepare: Puts an empty server into the state that the call is made in.
    """

    case: Case
    call: Call[Any]
    prepare: Prepare


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes the cases of one script."""

    registry: Registry
    operations: Mapping[str, Operation]
    operation: Operation
    sidecar: Sidecar | None

    @property
    def spec(self) -> Script:
        return self.operation.spec

    def case(
        self,
        name: str,
        kind: CaseKind,
        given: Mapping[str, Any],
        prepare: Callable[[redis.Redis, Call[Any]], None],
        size: int | None = None,
    ) -> Iterator[Planned]:
        """Yield the case, or nothing where the binding refuses such a call."""
        try:
            call = self.operation.call(given)
        except InvalidArgument:
            return
        case = Case(name, kind, size, _shown(self.spec, given))
        yield Planned(case, call, lambda client: prepare(client, call))

    def filled(self, size: int) -> Callable[[redis.Redis, Call[Any]], None]:
        """The state of a size: the sidecar's, or keys full of anything."""
        sidecar = self.sidecar
        if sidecar is not None:
            return lambda client, call: sidecar.fill(client, call, size)
        return lambda client, call: fill_keys(client, self.spec, call, size)


def plan(
    registry: Registry,
    operations: Mapping[str, Operation],
    operation: Operation,
    sidecar: Sidecar | None,
) -> list[Planned]:
    """Return all cases of a script: sizes first, ascending, then the others.

    Args:
        registry: All scripts; an example may call any of them.
        operations: By full name.
        operation: The script.
        sidecar: Its worst case, or None.
    """
    maker = _Maker(registry, operations, operation, sidecar)
    spec = operation.spec
    bases = list(sidecar.calls) if sidecar is not None and sidecar.calls else []
    base, *others = bases or [values.usual(registry, spec)]
    sizes = sizes_of(spec, sidecar)
    found: list[Planned] = []
    for size in sizes:
        name = f"n={size}" if len(sizes) > 1 else "worst"
        given = values.with_size(spec, base, size)
        found += maker.case(name, "size", given, maker.filled(size), size)
    found += _at_the_largest(maker, base, others, sizes[-1])
    found += maker.case("missing key", "missing", base, _nothing)
    for key in spec.keys:
        found += maker.case(
            f"{key.name} of another type",
            "wrong type",
            base,
            lambda client, call, key=key: fill_wrongly(client, spec, call, key),  # type: ignore[misc]
        )
    if sidecar is None:
        for label, given in values.ends(spec, base):
            found += maker.case(f"missing key, {label}", "missing", given, _nothing)
        for number, example in enumerate(spec.examples, 1):
            found += _of_example(maker, number, example)
    return found


def _at_the_largest(
    maker: _Maker, base: Mapping[str, Any], others: list[dict[str, Any]], size: int
) -> Iterator[Planned]:
    spec = maker.spec
    state = maker.filled(size)
    for number, other in enumerate(others, 2):
        given = values.with_size(spec, other, size)
        yield from maker.case(f"call {number}", "range", given, state, size)
    for label, ends in values.ends(spec, values.with_size(spec, base, size)):
        if not label.startswith(f"{spec.budget.over} "):
            given = values.with_size(spec, ends, size)
            yield from maker.case(label, "range", given, state, size)


def sizes_of(spec: Script, sidecar: Sidecar | None) -> tuple[int, ...]:
    """Return the sizes, ascending: up to the range of what ``@budget n=`` names.

    Without ``n=`` a sidecar has one state, n=1, and keys are filled at all sizes.
    """
    bounds = values.size_range(spec)
    if bounds is None:
        return (1,) if sidecar is not None else SIZES
    least, most = bounds
    most = max(min(most, GREATEST), 1)
    found = {max(least, 1), *(size for size in SIZES if least < size < most), most}
    if len(found) < 4:
        steps = (most / max(least, 1)) ** (1 / 3)
        found |= {round(max(least, 1) * steps**step) for step in (1, 2)}
    return tuple(sorted(found))


def _nothing(client: redis.Redis, call: Call[Any]) -> None:
    """The empty server."""


def _of_example(maker: _Maker, number: int, example: Example) -> Iterator[Planned]:
    """Yield a case for each line that calls the script: what stands above it goes before it."""
    for index, line in enumerate(example.lines):
        if not isinstance(line, ExampleCall):
            continue
        if resolve(maker.registry, maker.spec, line) is not maker.spec:
            continue
        typed = arguments(maker.spec, line.arguments)
        before = example.lines[:index]
        if any(isinstance(value, Reference) for value in typed.values()):
            continue  # what it refers to is known when it runs, and the call is made before
        yield from maker.case(
            f"example {number} line {index + 1}",
            "example",
            typed,
            lambda client, _, before=before: _play(maker, client, before),  # type: ignore[misc]
        )


def _play(maker: _Maker, client: redis.Redis, lines: tuple[ExampleCall | ExampleWait, ...]) -> None:
    replies: dict[int, Any] = {}
    by_file = {operation.spec.file: operation for operation in maker.operations.values()}
    for number, line in enumerate(lines, 1):
        if isinstance(line, ExampleWait):
            time.sleep(line.microseconds / 1_000_000)
            continue
        operation = by_file[resolve(maker.registry, maker.spec, line).file]
        given = fill_in(arguments(operation.spec, line.arguments), replies)
        try:
            replies[number] = run(client, operation.call(given))
        except OutcomeUnknown:
            raise
        except CallError as error:
            if not line.expectation.error:
                raise
            replies[number] = error


def _shown(spec: Script, given: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    types = {arg.name: arg.type for arg in spec.args}
    rows = []
    for name, value in given.items():
        if isinstance(value, list):
            text = f"{len(value)} of them"
        elif isinstance(value, str | bytes) and len(value) > _SHOWN:
            text = f"{len(value)} bytes"
        else:
            text = value_text(types[name], value) if name in types else str(value)
        rows.append((name, text))
    return tuple(itertools.islice(rows, 64))
