"""What a subject that fails may be told, with a clock of its own in milliseconds."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["State", "check", "fail"]


class State(NamedTuple):
    """The failures of one subject.

    Attributes:
        fails: How many.
        last: When the last one was.
        until: Until when it is locked.
        token: Of the last one.
    """

    fails: int = 0
    last: int = 0
    until: int = 0
    token: str = ""


def check(state: State, now: int) -> tuple[int, int]:
    """Failures, and for how long it is locked; 0 when it is not."""
    left = max(state.until - now, 0) if now >= state.last else 0  # else the clock was set back
    return state.fails, left


def fail(
    state: State,
    now: int,
    base: int,
    most: int,
    free: int,
    token: str,
    *,
    is_attempt: bool = False,
) -> tuple[State, tuple[int, int]]:
    """The next state, and what `check` says then; an attempt on what is locked is refused."""
    if state.fails and state.token == token:
        return state, check(state, now)
    if is_attempt and check(state, now)[1]:
        return state, check(state, now)
    fails = state.fails + 1
    wait = min(base * 2 ** (fails - free - 1), most) if fails > free else 0
    wait = max(wait, check(state, now)[1])
    after = State(fails, now, now + wait, token)
    return after, (fails, wait)
