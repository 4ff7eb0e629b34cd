"""What a debounced burst may answer, with a clock of its own in milliseconds."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["NOTHING", "State", "push", "take"]

NOTHING = ("nothing",)

Answer = tuple[object, ...]


class State(NamedTuple):
    """What is pending, and what was taken last.

    Attributes:
        events: How many the burst has; 0 without one.
        first: When it began.
        last: When its last event came.
        fire: When it is due.
        value: Of its last event.
        token: Of its last event.
        taken: Token, count and value of the burst that was taken last, or None.
    """

    events: int = 0
    first: int = 0
    last: int = 0
    fire: int = 0
    value: bytes = b""
    token: str = ""
    taken: tuple[str, int, bytes] | None = None


def push(
    state: State, now: int, quiet: int, max_wait: int, value: bytes, token: str
) -> tuple[State, tuple[int, int]]:
    """The next state, and ``(count, milliseconds until it is due)``."""
    back = max(state.last - now, 0) if state.events else 0
    if state.events and state.token == token:
        return state, (state.events, max(state.fire - back - now, 0))
    first = state.first - back if state.events else now
    fire = max(min(now + quiet, first + max_wait), now)
    after = State(state.events + 1, first, now, fire, value, token, state.taken)
    return after, (after.events, fire - now)


def take(state: State, now: int, token: str) -> tuple[State, Answer]:
    """The next state, and ``("fired", count, value)``, ``("not yet", ms)`` or `NOTHING`."""
    if state.taken is not None and state.taken[0] == token:
        return state, ("fired", *state.taken[1:])
    if not state.events:
        return state, NOTHING
    left = state.fire - max(now, state.last)
    if left > 0:
        return state, ("not yet", left)
    found = (token, state.events, state.value)
    return State(taken=found), ("fired", state.events, state.value)
