"""What ``trace`` and ``debug`` look at: one call, on a server, in a state that was asked for."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import click
import redis

from redislua.cli import project
from redislua.codegen.load import Operation, load_operations
from redislua.errors import CallError, ConfigError, ExampleError, HeaderError
from redislua.probe.examples import fill_in
from redislua.runtime import Call, run
from redislua.server import start
from redislua.server.version import of_server
from redislua.spec.cursor import Cursor, Meter
from redislua.spec.example import scan_example_line
from redislua.spec.model import Script
from redislua.spec.notation import ExampleCall, ExampleWait
from redislua.spec.registry import Registry, resolve
from redislua.spec.typing import Misfit, arguments, from_shell

Verb = TypeVar("Verb", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a call is to be made.

    Attributes:
        kind: Which server to start (`redislua.server.start`).
        url: A running server instead, or None.
        namespace: Put before every key.
        setup: Calls to make first.
    """

    kind: str
    url: str | None
    namespace: str
    setup: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """A call that is about to be made.

    Attributes:
        operation: The script.
        call: The call.
        url: The server.
        version: Product and version, ``Valkey 9.1.2``.
        is_ours: The server is ours alone, and gone afterwards.
    """

    operation: Operation
    call: Call[Any]
    url: str
    version: str
    is_ours: bool


def setup_option(verb: Verb) -> Verb:
    """Add ``--setup CALL``: calls that go before, as the examples of headers write them."""
    return click.option(
        "--setup",
        multiple=True,
        metavar="CALL",
        help="A call to make first, 'limit.gcra subject=u limit=5 period=1s burst=5', or "
        "'wait 20ms'; repeatable. $1.token is a field of the first one's reply.",
    )(verb)


@contextlib.contextmanager
def scene(name: str, words: tuple[str, ...], on: Setting) -> Iterator[Scene]:
    """Find the script, start the server, and bring it into its state.

    Raises:
        ConfigError: Something that was given does not fit.
        ExampleError: A call does not fit the script it names.
    """
    scripts, _ = project.find(name)
    operations = load_operations(scripts)
    operation = operations[name]
    call = operation.call({**from_shell(operation.spec, words), "namespace": on.namespace})
    if on.url is not None:
        if on.setup:
            raise ConfigError("--setup writes: not on the server of --url, which is left as it is")
        yield Scene(operation, call, on.url, _version(on.url), is_ours=False)
        return
    lines = [_scan(text) for text in on.setup]
    with start(on.kind) as server:
        with redis.Redis.from_url(server.url) as client:
            _prepare(client, _Stage(scripts, operations, operation.spec, on.namespace), lines)
        yield Scene(operation, call, server.url, server.version, is_ours=True)


def _version(url: str) -> str:
    try:
        with redis.Redis.from_url(url) as client:
            return of_server(client)
    except (ValueError, redis.RedisError) as error:
        raise ConfigError(f"--url: {error}") from error


def _scan(text: str) -> ExampleCall | ExampleWait:
    """Read one line of an example, whose expectation may be missing and does not count."""
    with contextlib.suppress(HeaderError):  # most have none: then read again with one
        return scan_example_line(_cursor(text))
    try:
        return replace(scan_example_line(_cursor(f"{text} -> Any")), text=text)
    except HeaderError as error:
        raise ExampleError(
            f"--setup {text!r}: {error.problem}: expected {error.expected}"
        ) from None


def _cursor(text: str) -> Cursor:
    return Cursor("--setup", 1, text, 0, Meter())


@dataclass(frozen=True, slots=True)
class _Stage:
    registry: Registry
    operations: Mapping[str, Operation]
    script: Script
    namespace: str

    def call(self, line: ExampleCall, replies: Mapping[int, Any]) -> Call[Any]:
        called = resolve(self.registry, self.script, line)
        operation = next(one for one in self.operations.values() if one.spec.file == called.file)
        given = fill_in(arguments(operation.spec, line.arguments), replies)
        return operation.call({**given, "namespace": self.namespace})


def _prepare(client: redis.Redis, stage: _Stage, lines: list[ExampleCall | ExampleWait]) -> None:
    replies: dict[int, Any] = {}
    for number, line in enumerate(lines, 1):
        if isinstance(line, ExampleWait):
            time.sleep(line.microseconds / 1_000_000)
            continue
        try:
            replies[number] = run(client, stage.call(line, replies))
        except (Misfit, CallError) as error:
            raise ExampleError(f"--setup {line.text!r}: {error}") from error
        except (KeyError, AttributeError) as error:
            raise ExampleError(f"--setup {line.text!r}: no earlier reply has {error}") from error
