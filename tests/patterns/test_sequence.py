"""`Sequence` and `AsyncSequence`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from redislua.errors import InvalidArgument
from redislua.patterns._plan import Plan
from redislua.patterns._sequence import SequencePlans
from redislua.patterns.sequence import AsyncSequence, Sequence
from tests.patterns.stage import Stage


@pytest.fixture
def make(stage: Stage, client: Any) -> Callable[..., Any]:
    """``make(block=…)`` is a sequence of the surface's kind on an empty server."""
    return lambda **options: stage.make(Sequence, AsyncSequence, "orders", **options)


def calls(client: Any) -> int:
    nodes = client.primaries() if hasattr(client, "primaries") else [client]
    found = (node.info("commandstats").get("cmdstat_evalsha", {}) for node in nodes)
    return sum(int(one.get("calls", 0)) for one in found)


def test_numbers_of_several_processes_are_all_different(stage: Stage, make: Any) -> None:
    sequences = [make(block=7), make(), make(block=100)]

    found = stage.together(*[one.next for one in sequences for _ in range(40)])

    assert len(set(found)) == 120


def test_each_number_is_greater_than_those_before(stage: Stage, make: Any, client: Any) -> None:
    """Also when the key was lost in between."""
    sequence = make()
    found = []
    for at in range(20):
        found.append(stage.call(sequence.next))
        if at == 10:
            client.delete("sequence:{orders}:last")

    assert found == sorted(set(found))


def test_a_block_costs_one_call(stage: Stage, make: Any, client: Any) -> None:
    sequence = make(block=50)
    stage.call(sequence.next)
    before = calls(client)

    numbers = [stage.call(sequence.next) for _ in range(49)]

    assert numbers == list(range(numbers[0], numbers[0] + 49))
    assert calls(client) == before
    stage.call(sequence.next)
    assert calls(client) == before + 1


def test_those_who_come_at_once_wait_for_one_block(stage: Stage, make: Any, client: Any) -> None:
    sequence = make(block=50)
    stage.call(sequence.next)
    before = calls(client)

    found = stage.together(*[sequence.next] * 149)

    assert len(set(found)) == 149
    assert calls(client) == before + 2


def test_numbers_of_one_process_grow_whoever_asks(stage: Stage, client: Any) -> None:
    """A block that comes late must not bring back numbers below those that were given out."""
    plans = SequencePlans("orders", block=3, keep=timedelta(days=1), namespace="")
    driver, last = stage.driver(), [0]
    wrong: list[tuple[int, int]] = []

    def ask() -> Plan[None]:
        for _ in range(30):
            before = last[0]
            number = yield from plans.next()
            if number < before:
                wrong.append((before, number))
            last[0] = max(last[0], number)

    stage.together(*[lambda: driver.run(ask())] * 8)

    assert wrong == []
    assert last[0] > 0


def test_blocks_do_not_overlap(stage: Stage, make: Any) -> None:
    sequence = make()

    found = stage.together(*[partial(sequence.take, 100)] * 10)

    assert all(len(block) == 100 for block in found)
    assert len({number for block in found for number in block}) == 1_000


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"block": 0}, "block"),
        ({"block": 1_001}, "block"),
        ({"keep": timedelta(0)}, "keep"),
        ({"namespace": "a b"}, "namespace"),
    ],
)
def test_terms_that_cannot_be_kept_are_refused_when_it_is_made(
    make: Any, options: Any, named: str
) -> None:
    with pytest.raises(InvalidArgument, match=named):
        make(**options)
