"""Runs `@example`s on a server: each call confined to what its header declares."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import redis

from redislua.errors import CallError, InvalidArgument, ScriptError, ServerTooOld
from redislua.probe.confine import Confined, UndeclaredAccess
from redislua.probe.describe import reply_text, row_text
from redislua.runtime import Call
from redislua.spec.model import Script
from redislua.spec.notation import (
    Condition,
    Example,
    ExampleCall,
    ExampleWait,
    Expectation,
    Reference,
)
from redislua.spec.registry import Registry, resolve
from redislua.spec.typing import arguments, rows, scalar


class Operation(Protocol):
    """One script, ready to be called (`redislua.codegen.load.Operation`)."""

    @property
    def spec(self) -> Script:
        """Its header."""

    def call(self, arguments: Mapping[str, Any]) -> Call[Any]:
        """Build a call."""

    def variant_name(self, reply: Any) -> str:
        """The header's name of a reply's variant."""


@dataclass(frozen=True, slots=True)
class LineResult:
    """What became of one line.

    Attributes:
        text: The line as written.
        actual: What came back, in the notation of the examples.
        problem: Why that is not what the line expects, or ``""``.
    """

    text: str
    actual: str
    problem: str


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """What became of one example.

    Attributes:
        script: The script that declares it.
        title: Its title.
        line: Where its title stands in the file.
        lines: Its lines, up to the first that failed.
        skipped: Why it cannot run on this server, or ``""``.
    """

    script: Script
    title: str
    line: int
    lines: tuple[LineResult, ...]
    skipped: str = ""

    @property
    def passed(self) -> bool:
        """True when every line answered what it expects."""
        return not any(line.problem for line in self.lines)


def run_examples(
    registry: Registry,
    operations: Mapping[str, Operation],
    url: str,
    scripts: Iterable[Script],
) -> Iterator[ExampleResult]:
    """Run the examples of some scripts, one after the other, each on an empty database.

    Everything on the server is deleted, again and again: it must be a private one.

    Args:
        registry: All scripts; an example may call any of them.
        operations: By full name.
        url: The server.
        scripts: Whose examples to run.
    """
    with redis.Redis.from_url(url) as owner, Confined(url) as confined:
        player = _Player(registry, operations, confined)
        for script in scripts:
            for example in script.examples:
                owner.flushall()
                skipped = ""
                lines: tuple[LineResult, ...] = ()
                try:
                    lines = tuple(player.play(script, example))
                except ServerTooOld as error:
                    skipped = str(error)
                yield ExampleResult(script, example.title, example.position.line, lines, skipped)


class _Player:
    """Plays one example at a time."""

    def __init__(
        self, registry: Registry, operations: Mapping[str, Operation], confined: Confined
    ) -> None:
        self._registry = registry
        self._operations = operations
        self._by_file = {operation.spec.file: operation for operation in operations.values()}
        self._confined = confined

    def play(self, script: Script, example: Example) -> Iterator[LineResult]:
        replies: dict[int, Any] = {}
        for number, line in enumerate(example.lines, 1):
            if isinstance(line, ExampleWait):
                time.sleep(line.microseconds / 1_000_000)
                yield LineResult(line.text, "", "")
                continue
            result, reply = self._play(script, line, replies)
            yield result
            if result.problem:
                return
            replies[number] = reply

    def _play(
        self, script: Script, line: ExampleCall, replies: Mapping[int, Any]
    ) -> tuple[LineResult, Any]:
        operation = self._by_file[resolve(self._registry, script, line).file]
        try:
            given = fill_in(arguments(operation.spec, line.arguments), replies)
            reply = self._confined.run(operation.call(given))
        except ServerTooOld:
            raise
        except (CallError, InvalidArgument, UndeclaredAccess) as error:
            return _judge_error(line, error), None
        variant = operation.variant_name(reply)
        actual = reply_text(operation.spec, variant, reply)
        problem = judge(operation.spec, line.expectation, variant, reply, replies)
        return LineResult(line.text, actual, problem), reply


def fill_in(typed: Mapping[str, Any], replies: Mapping[int, Any]) -> dict[str, Any]:
    """Replace references by the fields of earlier replies."""
    return {
        name: getattr(replies[value.line], value.field) if isinstance(value, Reference) else value
        for name, value in typed.items()
    }


def _judge_error(line: ExampleCall, error: Exception) -> LineResult:
    name = type(error).__name__
    if isinstance(error, ScriptError) and name == f"{line.expectation.error}Error":
        return LineResult(line.text, f"error {line.expectation.error}", "")
    return LineResult(line.text, f"{name}: {error}", "the call failed")


def judge(
    spec: Script, expectation: Expectation, variant: str, reply: Any, replies: Mapping[int, Any]
) -> str:
    """Compare a reply with what is expected: why it differs, or ``""``."""
    if expectation.error:
        return f"expected error {expectation.error}"
    if variant != expectation.variant:
        return f"expected {expectation.variant}"
    for condition in expectation.conditions:
        problem = _judge_condition(spec, variant, condition, reply, replies)
        if problem:
            return problem
    return ""


def _judge_condition(
    spec: Script, variant: str, condition: Condition, reply: Any, replies: Mapping[int, Any]
) -> str:
    found = spec.variant(variant)
    if found is not None and found.group is not None and found.group.name == condition.field:
        expected = rows(found.group, condition.value)
        columns = found.group.columns
        actual = [
            tuple(getattr(row, column.name) for column in columns)
            for row in getattr(reply, condition.field)
        ]
        shown = " ".join(row_text(columns, row) for row in getattr(reply, condition.field))
        return "" if actual == expected else f"expected other rows than [{shown}]"
    if spec.bare is not None:
        of, actual_value = spec.bare, reply
    else:
        fields = found.fields if found else ()
        of = next(field.type for field in fields if field.name == condition.field)
        actual_value = getattr(reply, condition.field)
    if isinstance(condition.value, Reference):
        wanted = getattr(replies[condition.value.line], condition.value.field)
    else:
        wanted = scalar(of, condition.value)
    if _holds(condition.operator, actual_value, wanted):
        return ""
    return f"expected {condition.field or 'a value'} {condition.operator} {wanted}"


def _holds(operator: str, actual: Any, wanted: Any) -> bool:
    if operator == "=":
        return bool(actual == wanted)
    if actual is None or wanted is None:
        return False
    return bool(actual <= wanted if operator == "<=" else actual >= wanted)
