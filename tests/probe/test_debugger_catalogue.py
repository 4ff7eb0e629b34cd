"""The debugger changes nothing: every example of the catalogue answers under it as it should."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from redislua.codegen.load import Operation, load_operations
from redislua.errors import ScriptError
from redislua.probe.debugger import Debugger, Stop, outcome, source_lines, walk
from redislua.probe.examples import fill_in, judge
from redislua.runtime import Call
from redislua.server import Server, start
from redislua.spec.notation import ExampleCall, ExampleWait
from redislua.spec.registry import load, resolve
from redislua.spec.typing import arguments
from tests.cli.shell import ROOT

REGISTRY = load(ROOT / "scripts")


@pytest.fixture(scope="module")
def operations() -> dict[str, Operation]:
    return {one.spec.file: one for one in load_operations(REGISTRY).values()}


@pytest.fixture(scope="module")
def alone(server: Server) -> Iterator[Server]:
    if server.kind == "url":
        pytest.skip("the debugger blocks its server")
    with start(server.kind) as opened:
        yield opened


def debugged(url: str, call: Call[Any]) -> Any:
    """Run a call under the debugger, and return its typed reply."""
    source = source_lines(call)
    with Debugger(url, call) as session:
        for event in walk(session):
            if isinstance(event, Stop):
                text = source[event.number - 1].strip()
                assert text, f"line {event.number} is empty"
                assert not text.startswith("--"), text
    assert session.end is not None
    return outcome(call, session.end)


@pytest.mark.parametrize("name", REGISTRY.names)
def test_every_example_answers_under_the_debugger_as_it_should(alone, operations, name):
    script = REGISTRY.find(name)
    assert script is not None
    for example in script.examples:
        for left in reversed(range(10)):  # an example that counts milliseconds may come too late
            try:
                play(alone.url, operations, script, example)
            except AssertionError:
                if not left:
                    raise
            else:
                break


def play(url: str, operations: Any, script: Any, example: Any) -> None:
    """Run the lines of an example on an empty server, each call under the debugger."""
    with redis.Redis.from_url(url) as client:
        client.flushall()
    replies: dict[int, Any] = {}
    for number, line in enumerate(example.lines, 1):
        if isinstance(line, ExampleWait):
            time.sleep(line.microseconds / 1_000_000)
            continue
        assert isinstance(line, ExampleCall)
        operation = operations[resolve(REGISTRY, script, line).file]
        given = fill_in(arguments(operation.spec, line.arguments), replies)
        if line.expectation.error:
            with pytest.raises(ScriptError) as raised:
                debugged(url, operation.call(given))
            assert type(raised.value).__name__ == f"{line.expectation.error}Error", line.text
            continue
        reply = debugged(url, operation.call(given))
        variant = operation.variant_name(reply)
        assert not judge(operation.spec, line.expectation, variant, reply, replies), line.text
        replies[number] = reply
