"""What a record answers, without a clock: its expiry is the hours that it was last given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

__all__ = ["ABSENT", "State", "increment", "patch", "put"]

GREATEST = 2**53 - 1
MOST = 64

Answer = tuple[object, ...]


class State(NamedTuple):
    """A record, or none.

    Attributes:
        fields: Its fields, by name; empty without a record.
        hours: How long it was said to live.
    """

    fields: tuple[tuple[str, bytes], ...] = ()
    hours: int = 0

    @property
    def values(self) -> dict[str, bytes]:
        """The fields."""
        return dict(self.fields)


ABSENT = State()


def _state(fields: Mapping[str, bytes], hours: int) -> State:
    return State(tuple(sorted(fields.items())), hours) if fields else ABSENT


def put(state: State, fields: Mapping[str, bytes], mode: str, hours: int) -> tuple[State, Answer]:
    """The next state, and ``("stored", replaced)``, ``("exists",)`` or ``("missing",)``."""
    if mode == "present" and not state.fields:
        return state, ("missing",)
    if mode == "absent" and state.fields:
        return state, ("stored", False) if state.values == dict(fields) else ("exists",)
    return _state(fields, hours), ("stored", bool(state.fields))


def patch(
    state: State,
    sets: Mapping[str, bytes],
    deletes: Iterable[str],
    hours: int,
    *,
    longer: bool,
    most: int,
) -> tuple[State, Answer]:
    """The next state, and ``("patched", fields)``, ``("too many", fields)`` or ``("missing",)``.

    0 hours leave the expiry as it is.
    """
    if not state.fields:
        return state, ("missing",)
    fields = {**state.values, **sets}
    for field in deletes:
        fields.pop(field, None)
    if len(fields) > most and len(fields) > len(state.fields):
        return state, ("too many", len(fields))
    left = state.hours if not hours else max(hours, state.hours) if longer else hours
    return _state(fields, left), ("patched", len(fields))


def increment(
    state: State,
    field: str,
    amount: int,
    floor: int | None,
    cap: int | None,
    create_hours: int,
) -> tuple[State, Answer]:
    """The next state, and ``("added", value)`` or why not, the value being what is there."""
    if not state.fields and not create_hours:
        return state, ("missing",)
    text = state.values.get(field, b"0")
    try:
        value = int(text)
    except ValueError:
        return state, ("not an integer",)
    after = value + amount
    if amount > 0 and after > (GREATEST if cap is None else cap):
        return state, ("capped", value)
    if amount < 0 and after < (-GREATEST if floor is None else floor):
        return state, ("floored", value)
    fields = state.values | {field: b"%d" % after}
    return _state(fields, state.hours if state.fields else create_hours), ("added", after)
