"""What a call did line by line: the debugger's events as steps, folded for reading."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from redislua.probe.debugger import (
    LIMIT,
    Command,
    Debugger,
    End,
    Event,
    Said,
    StillRunning,
    Stop,
    source_lines,
    walk,
)
from redislua.runtime.call import Call

_LONGEST_LOOP = 60
"""Lines of a loop's round that folding looks for."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line that ran.

    Attributes:
        number: The line, from 1.
        text: Its source.
        commands: What it called, in order.
        said: What it said with ``redis.debug``, and Lua's own errors.
    """

    number: int
    text: str
    commands: tuple[Command, ...] = ()
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """What a call did.

    Attributes:
        steps: The lines, in the order in which they ran.
        end: How it ended; None when it was aborted after too many lines.
    """

    steps: tuple[Step, ...]
    end: End | None

    @property
    def commands(self) -> list[Command]:
        """All commands of the call, in order."""
        return [command for step in self.steps for command in step.commands]

    def timed(self, microseconds: Iterable[float | None]) -> Trace:
        """The same trace with the time of each command, given in order."""
        times = iter(microseconds)
        steps = (
            replace(step, commands=tuple(replace(one, us=next(times)) for one in step.commands))
            for step in self.steps
        )
        return replace(self, steps=tuple(steps))


def trace(
    url: str,
    call: Call[Any],
    *,
    forked: bool = False,
    limit: int = LIMIT,
    on_line: Callable[[int], None] = lambda _: None,
) -> Trace:
    """Run a call under the debugger, and return what it did.

    Args:
        url: The server.
        call: What to run.
        forked: Leave the server's data unchanged (`redislua.probe.debugger`).
        limit: Lines after which the script is aborted.
        on_line: Told how many lines have run, after each.

    Raises:
        ServerUnavailable: The server has no debugger, or cannot be reached.
        DebuggerError: The session was lost.
    """
    recorder = _Recorder(source_lines(call))
    with Debugger(url, call, forked=forked) as session:
        try:
            for event in walk(session, limit):
                recorder.take(event)
                on_line(recorder.lines)
        except StillRunning:
            return Trace(recorder.steps(), None)
        return Trace(recorder.steps(), session.end)


class _Recorder:
    """Makes steps of events."""

    def __init__(self, source: Sequence[str]) -> None:
        self._source = source
        self._done: list[Step] = []
        self._number = 0
        self._commands: list[Command] = []
        self._said: list[str] = []

    @property
    def lines(self) -> int:
        return len(self._done)

    def take(self, event: Event) -> None:
        if isinstance(event, Command):
            self._commands.append(event)
        elif isinstance(event, Said):
            self._said.append(f"{event.kind}: {event.text}" if event.kind else event.text)
        elif isinstance(event, Stop):
            self._close()
            self._number = event.number

    def steps(self) -> tuple[Step, ...]:
        self._close()
        return tuple(self._done)

    def _close(self) -> None:
        if self._number:
            text = self._source[self._number - 1]
            self._done.append(Step(self._number, text, tuple(self._commands), tuple(self._said)))
        self._number, self._commands, self._said = 0, [], []


@dataclass(frozen=True, slots=True)
class Row:
    """A line as it is shown: with all its runs that were folded into one.

    Attributes:
        steps: Its runs; at least one.
    """

    steps: tuple[Step, ...]

    @property
    def times(self) -> int:
        """How often it ran."""
        return len(self.steps)

    @property
    def commands(self) -> list[tuple[Command, ...]]:
        """What the line called: one entry for each command name, with all its calls."""
        by_name: dict[str, list[Command]] = {}
        for step in self.steps:
            for command in step.commands:
                by_name.setdefault(command.name, []).append(command)
        return [tuple(calls) for calls in by_name.values()]

    @property
    def us(self) -> float | None:
        """Microseconds of all commands in all runs; None where none was measured."""
        calls = [one.us for step in self.steps for one in step.commands if one.us is not None]
        return sum(calls) if calls else None


def unfolded(steps: Sequence[Step]) -> list[Row]:
    """Every line as it ran."""
    return [Row((step,)) for step in steps]


def folded(steps: Sequence[Step]) -> list[Row]:
    """The lines of loops once, with the number of their runs, inner loops first.

    A loop whose rounds take different lines is folded only where they repeat.
    """
    nodes: list[_Node] = list(steps)
    length = 1
    while length <= _LONGEST_LOOP and 2 * length <= len(nodes):
        before = len(nodes)
        nodes = _fold(nodes, length)
        # With an inner loop as one node, the loop around it is short.
        length = 1 if len(nodes) < before else length + 1
    return list(_rows([nodes]))


@dataclass(frozen=True, slots=True)
class _Loop:
    """The rounds of a loop, alike in their lines. One round, where it ran often elsewhere."""

    rounds: tuple[tuple[_Node, ...], ...]


_Node: TypeAlias = Step | _Loop


def _rows(rounds: Sequence[Sequence[_Node]]) -> Iterator[Row]:
    """Lay rounds of one shape over one another."""
    for column in zip(*rounds, strict=True):
        steps = tuple(node for node in column if isinstance(node, Step))
        if steps:
            yield Row(steps)
        else:
            inner = (node.rounds for node in column if isinstance(node, _Loop))
            yield from _rows([each for several in inner for each in several])


def _fold(nodes: list[_Node], length: int) -> list[_Node]:
    """Fold what repeats with one length of a round.

    The same lines elsewhere become a loop of one round, so that a loop around them is
    seen to repeat whatever the number of their rounds.
    """
    shapes = [_shape(node) for node in nodes]
    bodies = _repeating(shapes, length)
    if not bodies:
        return nodes
    done: list[_Node] = []
    at = 0
    while at < len(nodes):
        body = tuple(shapes[at : at + length])
        if body not in bodies:
            done.append(nodes[at])
            at += 1
            continue
        rounds = []
        while tuple(shapes[at : at + length]) == body:
            rounds.append(tuple(nodes[at : at + length]))
            at += length
        done.append(_Loop(tuple(rounds)))
    return done


def _repeating(shapes: list[Hashable], length: int) -> set[tuple[Hashable, ...]]:
    """The rounds that stand twice in a row somewhere, in the phase that comes first."""
    found: set[tuple[Hashable, ...]] = set()
    at = 0
    while at + 2 * length <= len(shapes):
        if (
            shapes[at] == shapes[at + length]  # first, since it rarely is
            and shapes[at : at + length] == shapes[at + length : at + 2 * length]
        ):
            found.add(tuple(shapes[at : at + length]))
            at += 2 * length
        else:
            at += 1
    return found


def _shape(node: _Node) -> Hashable:
    """What two nodes have in common that count as the same: their lines, not their values."""
    if isinstance(node, Step):
        return node.number
    return tuple(_shape(inner) for inner in node.rounds[0])
