"""The calls of the examples, one by one, on whatever runs them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from redislua.errors import CallError
from redislua.probe.engine.run import NotOffered, TooLong
from redislua.probe.examples import Operation, fill_in
from redislua.runtime.call import Call
from redislua.spec.model import Script
from redislua.spec.notation import Example, ExampleCall, ExampleWait
from redislua.spec.registry import Registry, resolve
from redislua.spec.typing import arguments

__all__ = ["Step", "play"]


class Step(NamedTuple):
    """One call of an example, before it is run.

    Attributes:
        operation: What it calls.
        call: The call.
        line: Its line, as written.
    """

    operation: Operation
    call: Call[Any]
    line: ExampleCall


def play(
    registry: Registry,
    operations: Mapping[str, Operation],
    script: Script,
    example: Example,
    run: Callable[[Call[Any]], Any],
) -> Iterator[Step]:
    """Yield each call of an example, and run it when the next is asked for.

    Nothing is judged: a call that fails has no reply for later lines to refer to, and the
    example ends where one does, or where the engine cannot go on.

    Args:
        registry: All scripts.
        operations: By full name.
        script: The script whose example it is.
        example: The example.
        run: Runs a call and returns its typed reply, or raises a CallError.
    """
    by_file = {operation.spec.file: operation for operation in operations.values()}
    replies: dict[int, Any] = {}
    for number, line in enumerate(example.lines, 1):
        if isinstance(line, ExampleWait):
            time.sleep(line.microseconds / 1_000_000)
            continue
        operation = by_file[resolve(registry, script, line).file]
        try:
            given = fill_in(arguments(operation.spec, line.arguments), replies)
        except (KeyError, AttributeError):
            return
        call = operation.call(given)
        yield Step(operation, call, line)
        try:
            replies[number] = run(call)
        except CallError:
            continue
        except (TooLong, NotOffered):
            return
