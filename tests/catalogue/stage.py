"""The examples of a header as trials: their calls one by one, and what they leave behind."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import redis

from redislua.codegen.load import Operation
from redislua.errors import CallError
from redislua.probe.examples import fill_in, judge
from redislua.runtime import Call, run
from redislua.spec.model import MAX_SAFE_INTEGER, Script
from redislua.spec.notation import Example, ExampleCall, ExampleWait, Expectation, Reference
from redislua.spec.registry import Registry, resolve
from redislua.spec.typing import arguments

SLACK = 1.0
"""Seconds by which two runs of an example may differ: far less than what a call adds by itself."""

BRIEF = 0.1
"""Seconds: a key that has no more to live may be gone in one run and not yet in the other."""

ATTEMPTS = 5
"""What an example with short times does on a busy machine it does not do every time."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of an example, ready to be called.

    Attributes:
        operation: The script that it calls.
        call: The call; run twice, it is a resend.
        own: Whether the script is the one whose example it is.
        expectation: What it must answer.
        replies: Of the lines before, for `problem`.
    """

    operation: Operation
    call: Call[Any]
    own: bool
    expectation: Expectation
    replies: Mapping[int, Any]

    @property
    def script(self) -> Script:
        """The header of the script that it calls."""
        return self.operation.spec

    def problem(self, ended: Any) -> str:
        """Why a reply, or the error that the call ended in, is not the expected one, or ``""``."""
        if isinstance(ended, Exception):
            name = type(ended).__name__
            return "" if name == f"{self.expectation.error}Error" else f"{name}: {ended}"
        variant = self.operation.variant_name(ended)
        return judge(self.script, self.expectation, variant, ended, self.replies)


@dataclass(frozen=True, slots=True)
class Stage:
    """A catalogue whose examples are played.

    Attributes:
        registry: The headers.
        operations: By full name.
    """

    registry: Registry
    operations: Mapping[str, Operation]

    def steps(self, script: Script, example: Example) -> Iterator[Step]:
        """The calls of an example in order; to each step is sent how it ended.

        Tokens that the example leaves out are the same each time that it is played. A line that
        refers to the reply of one that ended in an error is the end.
        """
        by_file = {operation.spec.file: operation for operation in self.operations.values()}
        replies: dict[int, Any] = {}
        for number, line in enumerate(example.lines, 1):
            if isinstance(line, ExampleWait):
                time.sleep(line.microseconds / 1_000_000)
                continue
            operation = by_file[resolve(self.registry, script, line).file]
            given = _given(operation.spec, line, number)
            if any(_refers(value, replies) for value in given.values()):
                return
            call = operation.call(fill_in(given, replies))
            own = operation.spec.file == script.file
            ended = yield Step(operation, call, own, line.expectation, dict(replies))
            if not isinstance(ended, Exception):
                replies[number] = ended

    def play(self, script: Script, example: Example, answer: Callable[[Step], Any]) -> None:
        """Play an example: ``answer`` runs a step, and returns how it ended."""
        steps: Any = self.steps(script, example)
        try:
            step = next(steps)
            while True:
                step = steps.send(answer(step))
        except StopIteration:
            pass


def _given(spec: Script, line: ExampleCall, number: int) -> dict[str, Any]:
    tokens = {arg.name: f"token-{number}" for arg in spec.args if arg.type.kind == "token"}
    return tokens | arguments(spec, line.arguments)


def _refers(value: Any, replies: Mapping[int, Any]) -> bool:
    return isinstance(value, Reference) and value.line not in replies


def ending(call: Call[Any], through: Callable[[Call[Any]], Any]) -> Any:
    """The reply of a call, or the error that it ended in."""
    try:
        return through(call)
    except CallError as error:
        return error


def ended_on(client: Any, step: Step) -> Any:
    """Run a step on a client as it is, and see that it answers what the example says."""
    ended = ending(step.call, lambda call: run(client, call))
    assert not step.problem(ended), step.problem(ended)
    return ended


# --- what a call left ------------------------------------------------------------------------

Told: TypeAlias = tuple[bytes, tuple[float, ...]]
"""A text without its instants, and these: seconds from the beginning of the run."""

Picture: TypeAlias = dict[bytes, tuple[Told, ...]]

_INSTANT = re.compile(rb"(?<!\d)(?:1[5-9]\d{11}(?:\d{3})?|7[0-3]\d{14})(?!\d)")
"""Milliseconds or microseconds since 1970, or the latter taken from the greatest exact number."""


def picture(nodes: Iterable[redis.Redis], began: float) -> Picture:
    """What all keys hold, without the names that two runs at two times cannot share.

    Args:
        nodes: Clients that give bytes.
        began: When the run began: Unix time in seconds.
    """
    found: Picture = {}
    for node in nodes:
        client: Any = node
        for key in client.keys("*"):
            kind = client.type(key)
            expiry = client.pttl(key)
            if kind == b"none" or expiry == -2:
                continue  # it ran out since its name was read
            parts = [kind, *_READ[kind](client, key)] if kind in _READ else [kind]
            left: Told = (b"expires", (expiry / 1_000,)) if expiry >= 0 else (b"stays", ())
            found[key] = (*(_told(part, began) for part in parts), left)
    return found


def _scored(client: Any, key: bytes) -> list[bytes]:
    # By member: whether two of one millisecond come in one order or the other is chance.
    pairs = client.zrange(key, 0, -1, withscores=True)
    pairs.sort(key=lambda pair: _INSTANT.sub(b"", pair[0]))
    return [part for member, score in pairs for part in (member, b"%.17g" % score)]


_READ: dict[bytes, Callable[[Any, bytes], list[bytes]]] = {
    b"string": lambda client, key: [client.get(key) or b""],
    b"hash": lambda client, key: [
        part for pair in sorted(client.hgetall(key).items()) for part in pair
    ],
    b"list": lambda client, key: client.lrange(key, 0, -1),
    b"set": lambda client, key: sorted(client.smembers(key)),
    b"zset": _scored,
}


def _told(text: bytes, began: float) -> Told:
    instants = tuple(_seconds(found) - began for found in _INSTANT.findall(text))
    return _INSTANT.sub(b"<instant>", text), instants


def _seconds(text: bytes) -> float:
    if text.startswith(b"7"):
        return (MAX_SAFE_INTEGER - int(text)) / 1e6
    return int(text) / (1e3 if len(text) == 13 else 1e6)


def alike(some: Sequence[Picture], others: Sequence[Picture], share: float = 0.0) -> bool:
    """Tell whether two runs left the same, but for the moment at which each was made.

    What has no more than `BRIEF` to live in one of them is compared in neither.

    Args:
        some: What there was after each call, of as many calls as both runs made.
        others: The same of the other run.
        share: Part of the greatest number among them by which numbers may differ: for amounts
            that grow with time.
    """
    pairs = [_lasting(*pair) for pair in zip(some, others, strict=False)]
    told = [part for _, other in pairs for parts in other.values() for part in parts]
    most = share * max((int(text) for text, _ in told if text.isdigit()), default=0)
    return all(
        one.keys() == other.keys()
        and all(len(one[key]) == len(other[key]) for key in one)
        and all(
            _alike(*both, most) for key in one for both in zip(one[key], other[key], strict=True)
        )
        for one, other in pairs
    )


def _lasting(one: Picture, other: Picture) -> tuple[Picture, Picture]:
    brief = {
        key
        for picture in (one, other)
        for key, (*_, (what, spans)) in picture.items()
        if what == b"expires" and spans[0] <= BRIEF
    }
    lasting_one, lasting_other = (
        {key: parts for key, parts in picture.items() if key not in brief}
        for picture in (one, other)
    )
    return lasting_one, lasting_other


def _alike(one: Told, other: Told, most: float) -> bool:
    if one[0].isdigit() and other[0].isdigit():
        return abs(int(one[0]) - int(other[0])) <= most
    return one[0] == other[0] and all(
        abs(mine - its) <= SLACK for mine, its in zip(one[1], other[1], strict=True)
    )
