"""Decide whether a recorded history could have come from one atomic object.

A history is linearizable when every operation can be given one moment between its call
and its return such that, run one after the other at these moments, the operations give
the results that were seen. The search is that of Wing and Gong with the memory that
Lowe added ("Testing for linearizability", 2017): a set of done operations that was
reached once in a state need not be tried again in that state.

An operation whose outcome is unknown may take its moment at any time after its call, or
never. Four things keep the search small, and none of them changes its verdict:

* such an operation is left out where it would change nothing: it may come later, or never;
* of several that ask the same, the one called first goes first;
* an operation that by its result changed nothing, a read, is taken as soon as it fits;
* a state from which a result that is still to come can never come is left at once.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Literal, NamedTuple, TypeAlias, TypeVar

__all__ = ["REFUSED", "UNKNOWN", "Model", "Operation", "Undecided", "Verdict", "check"]

MOST_STATES = 500_000
"""States after which a search is given up: a few seconds."""


class _Mark(enum.Enum):
    REFUSED = "refused"
    UNKNOWN = "unknown"


REFUSED: Final = _Mark.REFUSED
"""What a model answers when its object cannot give that result in that state."""

UNKNOWN: Final = _Mark.UNKNOWN
"""The result of an operation that may have taken effect, or not."""

State = TypeVar("State", bound=Hashable)
Refusal: TypeAlias = Literal[_Mark.REFUSED]


class Undecided(AssertionError):
    """The search was given up."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as its caller saw it.

    Attributes:
        asked: What was asked of the object; hashable.
        called: A moment before it can have taken effect.
        returned: A moment by which it has, on the same clock; infinite when its outcome is
            unknown.
        result: What the object answered, or `UNKNOWN`.
    """

    asked: Hashable
    called: float
    returned: float = math.inf
    result: Any = UNKNOWN

    def __str__(self) -> str:
        result = "?" if self.result is UNKNOWN else repr(self.result)
        return f"[{self.called}, {self.returned}] {self.asked} -> {result}"


def _never(*_: Any) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Model(Generic[State]):
    """An atomic object.

    Attributes:
        initial: Its first state.
        step: From a state, what is asked and the result (`UNKNOWN` fits in every state) to
            the next state, or `REFUSED`. A pure function.
        observes: Whether what was asked, by its result, changed nothing in whatever state it
            gave that result.
        missed: Whether an object in that state will never again give that result.
    """

    initial: State
    step: Callable[[State, Any, Any], State | Refusal]
    observes: Callable[[Any, Any], bool] = _never
    missed: Callable[[State, Any, Any], bool] = _never


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a search found.

    Attributes:
        linearizable: The answer.
        states: How many states it visited.
        stuck: For people: where the longest attempt ended; ``""`` when linearizable.
    """

    linearizable: bool
    states: int
    stuck: str


class _Node(NamedTuple):
    """The operations done so far and the state after them.

    Of the operations with a result, in order of their calls, all before ``low`` are done and
    those of the bits of ``ahead`` from there on; of the others, the bits of ``maybes``.
    """

    low: int
    ahead: int
    maybes: int
    state: Hashable


def check(
    model: Model[Any], history: Sequence[Operation], *, most_states: int = MOST_STATES
) -> Verdict:
    """Decide whether a history is linearizable.

    Args:
        model: The object.
        history: The operations, in any order.
        most_states: When to give up.

    Raises:
        Undecided: It visited so many states and found no answer.
    """
    search = _Search(model, history)
    first = deepest = _Node(0, 0, 0, model.initial)
    stack, seen = [first], {first}
    while stack:
        node = stack.pop()
        if search.is_complete(node):
            return Verdict(linearizable=True, states=len(seen), stuck="")
        deepest = max(deepest, node, key=_depth)
        if len(seen) > most_states:
            raise Undecided(f"{len(seen)} states; {search.explain(deepest)}")
        fresh = [after for after in search.moves(node) if after not in seen]
        seen.update(fresh)
        stack += reversed(fresh)  # the likeliest is tried first
    return Verdict(linearizable=False, states=len(seen), stuck=search.explain(deepest))


def _depth(node: _Node) -> int:
    return node.low + node.ahead.bit_count()


class _Search:
    """What can come next, for one model and one history."""

    def __init__(self, model: Model[Any], history: Sequence[Operation]) -> None:
        ordered = sorted(history, key=lambda operation: operation.called)
        self._model = model
        self._certain = [one for one in ordered if one.result is not UNKNOWN]
        self._maybes = [one for one in ordered if one.result is UNKNOWN]
        self._twins = list(_twins(self._maybes))

    def is_complete(self, node: _Node) -> bool:
        """Every operation that gave a result is done."""
        return node.low == len(self._certain)

    def moves(self, node: _Node) -> list[_Node]:
        """The nodes after one further operation, the likeliest first."""
        window, bound = self._window(node)
        if any(self._is_missed(node.state, self._certain[index]) for index in window):
            return []
        found = []
        # Whoever returned first probably took effect first.
        for index in sorted(window, key=lambda one: self._certain[one].returned):
            operation = self._certain[index]
            after = self._model.step(node.state, operation.asked, operation.result)
            if after is REFUSED:
                continue
            move = _done(node, index, after)
            if self._model.observes(operation.asked, operation.result):
                return [move]
            found.append(move)
        return found + self._maybe_moves(node, bound)

    def _window(self, node: _Node) -> tuple[list[int], float]:
        """Operations that none of those not done precedes, and the first return among them."""
        window, bound = [], math.inf
        for index in range(node.low, len(self._certain)):
            if node.ahead >> (index - node.low) & 1:
                continue
            operation = self._certain[index]
            if operation.called > bound:
                break
            window.append(index)
            bound = min(bound, operation.returned)
        return window, bound

    def _is_missed(self, state: Any, operation: Operation) -> bool:
        return self._model.missed(state, operation.asked, operation.result)

    def _maybe_moves(self, node: _Node, bound: float) -> list[_Node]:
        found = []
        for index in self._open_maybes(node, bound):
            twin = self._twins[index]
            if twin is not None and not node.maybes >> twin & 1:
                continue
            after = self._model.step(node.state, self._maybes[index].asked, UNKNOWN)
            if after is REFUSED or after == node.state or self._leads_nowhere(node, after):
                continue
            found.append(node._replace(maybes=node.maybes | 1 << index, state=after))
        # Most take effect soon after their call, or never.
        return found[::-1]

    def _open_maybes(self, node: _Node, bound: float) -> Iterator[int]:
        for index, operation in enumerate(self._maybes):
            if operation.called > bound:
                return
            if not node.maybes >> index & 1:
                yield index

    def _leads_nowhere(self, node: _Node, state: Any) -> bool:
        """Whether some operation, however late, can no longer give its result."""
        return any(
            self._is_missed(state, self._certain[index])
            for index in range(node.low, len(self._certain))
            if not node.ahead >> (index - node.low) & 1
        )

    def explain(self, node: _Node) -> str:
        """Say which operations an attempt could not place."""
        window, bound = self._window(node)
        lines = [f"after {_depth(node)} operations, in state {node.state!r}, none of these fits:"]
        lines += [f"  {self._certain[index]}" for index in window]
        lines += [f"  {self._maybes[index]}" for index in self._open_maybes(node, bound)]
        return "\n".join(lines)


def _done(node: _Node, index: int, state: Hashable) -> _Node:
    low, ahead = node.low, node.ahead | 1 << (index - node.low)
    while ahead & 1:
        low, ahead = low + 1, ahead >> 1
    return _Node(low, ahead, node.maybes, state)


def _twins(maybes: Sequence[Operation]) -> Iterator[int | None]:
    """For each operation the last before it that asks the same."""
    last: dict[Hashable, int] = {}
    for index, operation in enumerate(maybes):
        yield last.get(operation.asked)
        last[operation.asked] = index
