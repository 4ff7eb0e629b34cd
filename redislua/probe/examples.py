"""Runs `@example`s on a server: each call confined to what its header declares."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import redis

from redislua import server
from redislua.errors import (
    CallError,
    InvalidArgument,
    OutcomeUnknown,
    ScriptError,
    ServerTooOld,
)
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

IMPATIENT = {"busy-reply-threshold": "1000"}
"""Milliseconds after which the server says BUSY instead of nothing."""

HELD = 1.0
"""Seconds without an answer to PING after which a script is taken to hold the server."""


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
    kind: str,
    scripts: Iterable[Script],
) -> Generator[ExampleResult, None, None]:
    """Run the examples of some scripts, one after the other, each on an empty database.

    Args:
        registry: All scripts; an example may call any of them.
        operations: By full name.
        kind: Which server to start (`redislua.server.start`). One that a script holds for
            good is replaced by another.
        scripts: Whose examples to run.
    """
    with contextlib.ExitStack() as stack:
        player: _Player | None = None
        for script in scripts:
            for example in script.examples:
                if player is None:
                    player = stack.enter_context(_Player.on(registry, operations, kind))
                result = player.run(script, example)
                if player.held:
                    stack.close()
                    player = None
                yield result


class _Player:
    """Plays one example at a time on a server of its own.

    Attributes:
        held: A script did not give the server back.
    """

    def __init__(
        self,
        registry: Registry,
        operations: Mapping[str, Operation],
        url: str,
        owner: redis.Redis,
        confined: Confined,
    ) -> None:
        self._registry = registry
        self._by_file = {operation.spec.file: operation for operation in operations.values()}
        self._url = url
        self._owner: Any = owner
        self._confined = confined
        self.held = False

    @classmethod
    @contextlib.contextmanager
    def on(
        cls, registry: Registry, operations: Mapping[str, Operation], kind: str
    ) -> Iterator[_Player]:
        """Start a server and play on it."""
        with server.start(kind, config=IMPATIENT) as running, contextlib.ExitStack() as stack:
            owner = stack.enter_context(redis.Redis.from_url(running.url))
            confined = stack.enter_context(Confined(running.url))
            player = cls(registry, operations, running.url, owner, confined)
            yield player
            if player.held:
                # Its user cannot be deleted any more, and goes with the server.
                stack.pop_all()

    def _is_held(self) -> bool:
        with redis.Redis.from_url(self._url, socket_timeout=HELD, retry=None) as client:
            try:
                client.ping()
            except (redis.ConnectionError, redis.TimeoutError, redis.ResponseError):
                return True
        return False

    def run(self, script: Script, example: Example) -> ExampleResult:
        """Play one example on an empty database."""
        skipped = ""
        lines: tuple[LineResult, ...] = ()
        try:
            self._owner.flushall()
            lines = tuple(self.play(script, example))
        except ServerTooOld as error:
            skipped = str(error)
        result = ExampleResult(script, example.title, example.position.line, lines, skipped)
        self.held = not result.passed and self._is_held()
        return result

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
            call = operation.call(given)
            reply = self._confined.run(call)
        except ServerTooOld:
            raise
        except OutcomeUnknown as error:
            text = f"{type(error).__name__}: {error}"
            return LineResult(line.text, text, "the script did not finish in time"), None
        except (CallError, InvalidArgument, UndeclaredAccess) as error:
            return _judge_error(line, error), None
        variant = operation.variant_name(reply)
        actual = reply_text(operation.spec, variant, reply)
        problem = judge(operation.spec, line.expectation, variant, reply, replies)
        problem = problem or self._broken_promise(operation.spec, call)
        return LineResult(line.text, actual, problem), reply

    def _broken_promise(self, spec: Script, call: Call[Any]) -> str:
        """Compare the keys that a call left behind with what its header says of them."""
        for key, name in spec.keys_of(call.keys):
            shown = repr(name)[1:]
            found = self._owner.type(name).decode()
            if found == "none":
                continue
            if found != key.redis_type:
                return f"key {shown} is a {found} and not a {key.redis_type}"
            if key.expires and not spec.read_only and self._owner.pttl(name) == -1:
                return f"key {shown} is left without the expiry that its @key declares"
            state = spec.state_of(key.name)
            carried = self._owner.hget(name, "v") if state else None
            if state and carried != b"%d" % state.number and self._owner.exists(name):
                return f"key {shown} does not carry {state.number} in field v, as {state} says"
        return ""


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
