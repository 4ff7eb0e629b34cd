"""The scripts of `record` against their model."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import redis
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from redislua.bindings import record
from redislua.runtime import run
from tests.record import model
from tests.record.calls import HOUR, KEY, get, increment, patch, put, remove, seen

names = st.sampled_from(["a", "n", "c%d"])
values = st.sampled_from([b"", b"7", b"-2", b"\x00\xff", b"9007199254740991"])
fields = st.dictionaries(names, values, min_size=1)
hours = st.integers(1, 9)
maybe_hours = st.integers(0, 9)
bounds = st.none() | st.integers(-3, 9)
times = st.integers(1, 2)


def answer(reply: Any) -> model.Answer:
    match reply:
        case record.PutStored(replaced):
            return ("stored", replaced)
        case record.PutExists():
            return ("exists",)
        case record.PatchPatched(count):
            return ("patched", count)
        case record.PatchTooMany(count):
            return ("too many", count)
        case record.IncrementAdded(value):
            return ("added", value)
        case record.IncrementCapped(value):
            return ("capped", value)
        case record.IncrementFloored(value):
            return ("floored", value)
    assert isinstance(reply, record.PutMissing | record.PatchMissing | record.IncrementMissing)
    return ("missing",)


def span(given: int) -> timedelta | None:
    return given * HOUR if given else None


class Machine(RuleBasedStateMachine):
    """One record; `put` and `patch` may be sent twice."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__()
        client.delete(KEY)
        self.client = client
        self.state = model.ABSENT

    @rule(
        given=fields, mode=st.sampled_from(["any", "absent", "present"]), hours=hours, times=times
    )
    def put(self, given: dict[str, bytes], mode: Any, hours: int, times: int) -> None:
        call = put(given, mode, hours * HOUR)
        for _ in range(times):
            self.state, expected = model.put(self.state, given, mode, hours)
            assert answer(run(self.client, call)) == expected

    @rule(
        sets=fields | st.just({}),
        deletes=st.sets(names),
        hours=maybe_hours,
        longer=st.booleans(),
        most=st.integers(1, 3),
        times=times,
    )
    def patch(
        self,
        sets: dict[str, bytes],
        deletes: set[str],
        hours: int,
        longer: bool,
        most: int,
        times: int,
    ) -> None:
        gone = sorted(deletes - set(sets))
        call = patch(sets, gone, span(hours), "longer" if longer else "always", most)
        for _ in range(times):
            self.state, expected = model.patch(
                self.state, sets, gone, hours, longer=longer, most=most
            )
            assert answer(run(self.client, call)) == expected

    @rule(
        field=names,
        amount=st.integers(-5, 5) | st.sampled_from([-(2**53) + 1, 2**53 - 1]),
        floor=bounds,
        cap=bounds,
        hours=maybe_hours,
    )
    def increment(
        self, field: str, amount: int, floor: int | None, cap: int | None, hours: int
    ) -> None:
        if floor is not None and cap is not None:
            floor, cap = min(floor, cap), max(floor, cap)
        self.state, expected = model.increment(self.state, field, amount, floor, cap, hours)

        try:
            found = answer(run(self.client, increment(field, amount, floor, cap, span(hours))))
        except record.NotIntegerError:
            found = ("not an integer",)

        assert found == expected

    @rule()
    def remove(self) -> None:
        was = bool(self.state.fields)
        self.state = model.ABSENT

        assert isinstance(run(self.client, remove()), record.RemoveRemoved) == was

    @rule(wanted=st.lists(names, min_size=1, unique=True))
    def some(self, wanted: list[str]) -> None:
        found = seen(run(self.client, get(*wanted)))
        if not self.state.fields:
            assert found is None
        else:
            stored = self.state.values
            assert found == {name: stored[name] for name in wanted if name in stored}

    @invariant()
    def what_is_read_is_what_was_stored_and_it_expires_when_it_should(self) -> None:
        assert (seen(run(self.client, get())) or {}) == self.state.values
        left = self.client.pttl(KEY) / 3_600_000
        if self.state.fields:
            assert self.state.hours - 0.5 < left <= self.state.hours
        else:
            assert left < 0


def test_the_family_behaves_as_its_model(client: redis.Redis) -> None:
    run_state_machine_as_test(
        lambda: Machine(client),  # type: ignore[arg-type]  # a factory will do, its page says
        settings=settings(max_examples=60, stateful_step_count=30, deadline=None),
    )
