"""The checker itself: by hand, on simulated objects, and against all permutations."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rig.linearizability import REFUSED, UNKNOWN, Model, Operation, Undecided, check


def _register(state: int, asked: Any, result: Any) -> Any:
    """``("read",)`` gives the value, ``("write", n)`` None, ``("cas", a, b)`` whether it was a."""
    verb, *operands = asked
    if verb == "read":
        return state if result in (UNKNOWN, state) else REFUSED
    if verb == "write":
        return operands[0] if result in (UNKNOWN, None) else REFUSED
    swapped = state == operands[0]
    if result not in (UNKNOWN, swapped):
        return REFUSED
    return operands[1] if swapped else state


def _counter(state: int, asked: Any, result: Any) -> Any:
    return state + 1 if result in (UNKNOWN, state + 1) else REFUSED


REGISTER = Model(0, _register, lambda asked, result: asked[0] == "read" or result is False)
COUNTER = Model(0, _counter, missed=lambda state, _, result: result <= state)

READ = ("read",)
INCR = ("incr",)


def write(value: int) -> tuple[str, int]:
    """Ask for a value to be written."""
    return ("write", value)


def cas(old: int, new: int) -> tuple[str, int, int]:
    """Ask for a value to be replaced."""
    return ("cas", old, new)


LINEARIZABLE = {
    "nothing": (REGISTER, []),
    "one after the other": (REGISTER, [(write(1), 0, 1, None), (READ, 2, 3, 1)]),
    "a read beside a write sees the old value": (
        REGISTER,
        [(write(1), 0, 9, None), (READ, 2, 3, 0), (READ, 4, 5, 1)],
    ),
    "the second of two calls came first": (COUNTER, [(INCR, 0, 9, 2), (INCR, 1, 8, 1)]),
    "one of two swaps": (
        REGISTER,
        [(cas(0, 1), 0, 9, False), (cas(0, 2), 1, 8, True), (READ, 10, 11, 2)],
    ),
    "an unknown one took effect": (COUNTER, [(INCR, 0), (INCR, 1, 2, 2)]),
    "an unknown one did not": (COUNTER, [(INCR, 0), (INCR, 1, 2, 1), (INCR, 3, 4, 2)]),
    "an unknown one took effect late": (
        REGISTER,
        [(write(7), 0), (READ, 1, 2, 0), (READ, 3, 4, 7)],
    ),
    "two unknown ones of three": (
        COUNTER,
        [(INCR, 0), (INCR, 1), (INCR, 2), (INCR, 3, 4, 1), (INCR, 5, 6, 4)],
    ),
}

WRONG = {
    "a stale read": (REGISTER, [(write(1), 0, 1, None), (READ, 2, 3, 0)]),
    "a value that nobody wrote": (REGISTER, [(READ, 0, 1, 5)]),
    "two readers disagree about the order": (
        REGISTER,
        [(write(1), 0, 20, None), (READ, 1, 2, 1), (READ, 3, 4, 0)],
    ),
    "the order of calls is reversed": (COUNTER, [(INCR, 0, 1, 2), (INCR, 2, 3, 1)]),
    "counted twice": (COUNTER, [(INCR, 0, 1, 1), (INCR, 2, 3, 3)]),
    "two swaps of one value": (REGISTER, [(cas(0, 1), 0, 9, True), (cas(0, 2), 1, 8, True)]),
    "denied, and done": (REGISTER, [(cas(0, 1), 0, 1, False), (READ, 2, 3, 1)]),
    "an unknown one took effect before its call": (COUNTER, [(INCR, 0, 1, 2), (INCR, 2)]),
    "an unknown one took effect twice": (COUNTER, [(INCR, 0), (INCR, 1, 2, 3)]),
    "an unknown one was undone": (
        REGISTER,
        [(write(7), 0), (READ, 1, 2, 7), (READ, 3, 4, 0)],
    ),
}


@pytest.mark.parametrize(("model", "rows"), LINEARIZABLE.values(), ids=LINEARIZABLE)
def test_what_an_atomic_object_can_answer_is_accepted(model: Model[Any], rows: Any) -> None:
    verdict = check(model, [Operation(*row) for row in rows])

    assert verdict.linearizable
    assert verdict.stuck == ""


@pytest.mark.parametrize(("model", "rows"), WRONG.values(), ids=WRONG)
def test_what_no_atomic_object_can_answer_is_refused(model: Model[Any], rows: Any) -> None:
    verdict = check(model, [Operation(*row) for row in rows])

    assert not verdict.linearizable
    assert "none of these fits" in verdict.stuck


def test_a_refusal_names_the_operations_that_do_not_fit() -> None:
    history = [Operation(INCR, 0, 1, 1), Operation(INCR, 2, 3, 3), Operation(INCR, 4, 5, 4)]

    assert check(COUNTER, history).stuck == (
        "after 1 operations, in state 1, none of these fits:\n  [2, 3] ('incr',) -> 3"
    )


def test_a_search_that_grows_too_large_says_so_instead_of_answering() -> None:
    history = [Operation(write(value), value, 100, None) for value in range(12)]
    history.append(Operation(READ, 101, 102, -1))

    with pytest.raises(Undecided, match="states"):
        check(REGISTER, history, most_states=500)


def test_many_unknown_operations_that_ask_the_same_cost_little() -> None:
    unknown = [Operation(INCR, tick) for tick in range(60)]
    known = [Operation(INCR, 100 + 2 * n, 101 + 2 * n, 2 * n + 1) for n in range(60)]

    assert check(COUNTER, unknown + known).linearizable
    too_many = check(COUNTER, unknown[:58] + known)
    assert not too_many.linearizable
    assert too_many.states < 10_000


# --- on simulated objects ---------------------------------------------------------------------

ASKED = {
    "counter": (COUNTER, st.just(INCR)),
    "register": (
        REGISTER,
        st.one_of(
            st.just(READ),
            st.builds(write, st.integers(0, 2)),
            st.builds(cas, st.integers(0, 2), st.integers(0, 2)),
        ),
    ),
}
RESULTS: dict[str, st.SearchStrategy[Any]] = {
    "counter": st.integers(1, 6),
    "register": st.sampled_from([0, 1, 2, None, True, False]),
}


def _answer(model: Model[Any], state: Any, asked: Any) -> tuple[Any, Any]:
    """What a working object answers, and its next state."""
    if asked[0] in ("incr", "write"):
        result: Any = state + 1 if asked == INCR else None
    else:
        result = state if asked == READ else state == asked[1]
    return result, model.step(state, asked, result)


@st.composite
def simulated(draw: st.DrawFn, kind: str, most: int) -> list[Operation]:
    """A history of an atomic object: each operation takes effect at a moment in its interval."""
    model, asked_of = ASKED[kind]
    state, history = model.initial, []
    for moment in range(draw(st.integers(0, most))):
        asked = draw(asked_of)
        # Tenths keep calls and returns off the moments; the parts after them, off each other.
        called = 10 * moment - draw(st.integers(0, 25)) - 0.1 - moment / 1000
        returned = 10 * moment + draw(st.integers(0, 25)) + 0.1 + moment / 1000
        fate = draw(st.sampled_from(["known", "known", "known", "lost", "undone"]))
        if fate == "undone":
            history.append(Operation(asked, called))
            continue
        result, state = _answer(model, state, asked)
        known = fate == "known"
        history.append(
            Operation(asked, called, returned, result) if known else Operation(asked, called)
        )
    return draw(st.permutations(history))


def by_brute_force(model: Model[Any], history: Sequence[Operation]) -> bool:
    """Try every order of every choice of the unknown operations."""
    certain = [one for one in history if one.result is not UNKNOWN]
    maybes = [one for one in history if one.result is UNKNOWN]
    for chosen in range(1 << len(maybes)):
        done = certain + [one for index, one in enumerate(maybes) if chosen >> index & 1]
        if any(_is_legal(model, order) for order in permutations(done)):
            return True
    return False


def _is_legal(model: Model[Any], order: Sequence[Operation]) -> bool:
    state, latest = model.initial, -math.inf
    for operation in order:
        # Whoever stands behind an operation must not have returned before its call.
        if operation.returned < latest:
            return False
        latest = max(latest, operation.called)
        state = model.step(state, operation.asked, operation.result)
        if state is REFUSED:
            return False
    return True


def _altered(draw: st.DrawFn, kind: str, history: list[Operation]) -> Iterator[Operation]:
    """The history with one of its replies replaced by any other."""
    known = [index for index, one in enumerate(history) if one.result is not UNKNOWN]
    chosen = draw(st.sampled_from(known)) if known else None
    for index, operation in enumerate(history):
        if index == chosen:
            yield replace(operation, result=draw(RESULTS[kind]))
        else:
            yield operation


@st.composite
def altered(draw: st.DrawFn, kind: str) -> list[Operation]:
    """A small history of which nobody knows whether it is linearizable."""
    return list(_altered(draw, kind, draw(simulated(kind, 6))))


@pytest.mark.parametrize("kind", ASKED)
@settings(max_examples=200, deadline=None)
@given(draw=st.data())
def test_every_history_of_a_simulated_object_is_accepted(kind: str, draw: st.DataObject) -> None:
    history = draw.draw(simulated(kind, 40))

    assert check(ASKED[kind][0], history).linearizable


@pytest.mark.parametrize("kind", ASKED)
@settings(max_examples=400, deadline=None)
@given(draw=st.data())
def test_the_verdict_is_that_of_all_permutations(kind: str, draw: st.DataObject) -> None:
    model, history = ASKED[kind][0], draw.draw(altered(kind))

    assert check(model, history).linearizable == by_brute_force(model, history)
