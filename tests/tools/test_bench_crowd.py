"""Operations among few keys and among many: what is called, and what is judged."""

import shutil

import pytest

from redislua.codegen.load import load_operations
from redislua.spec.registry import load
from tools.bench import goals
from tools.bench.crowd import Cost, crowd, figures, flat, prompt
from tools.bench.measured import Figure, Report
from tools.bench.runners import ROOT


def values(found: list[Figure]) -> dict[str, float | None]:
    """Return the numbers by name."""
    return {one.name: one.value for one in found}


def test_no_operation_that_is_not_to_grow_is_left_out():
    operations = load_operations(load(ROOT / "scripts"))
    wanted = dict(flat(operations))

    assert {"limit.gcra", "lock.acquire", "sequence.next"} <= wanted.keys()
    assert "limit.sliding_window" not in wanted  # grows with its limit
    assert all(prompt(operation) for operation in wanted.values())


def test_commands_are_those_of_the_calls_and_alike_among_more_keys(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)

    found = crowd(sizes=(10, 2_000), only=("limit.gcra", "sequence.next"), calls=5)

    assert values(found) == {
        "crowd commands": 1,
        "crowd commands median": 1,
        "crowd instructions": None,
    }


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_instructions_are_counted_and_alike_among_more_keys():
    found = values(crowd(sizes=(10, 2_000), only=("sequence.next",)))

    assert 0.8 < (found["crowd instructions"] or 0) < 1.2


def test_the_figure_is_that_of_the_operation_that_grows_most():
    costs = {
        "a.flat": (Cost(10, 1_000), Cost(10, 1_010)),
        "a.grows": (Cost(10, 1_000), Cost(15, 1_300)),
        "a.falls": (Cost(10, 1_000), Cost(10, 900)),
    }

    found = figures(costs, (10, 1_000_000))

    assert values(found) == {
        "crowd commands": 1.5,
        "crowd commands median": 1,
        "crowd instructions": 1.3,
        "crowd instructions median": 1.01,
    }
    assert "a.grows" in found[0].title
    lines = [line[1:] for line in goals.sheet(Report(figures=found)).rows]
    assert ["at most 1.2 x", "1.30 x", "no"] in lines
    assert ["at most 1.2 x", "1.50 x", "no"] in lines
