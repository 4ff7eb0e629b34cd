"""Every family brings the tests that no generic one can replace: its model, and its threads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from redislua.spec.model import Script
from tests.catalogue.samples import registry

TESTS = Path(__file__).parents[1]
FAMILIES = sorted(registry().families)

NO_MACHINE = {
    "sequence": "one value that only grows: its model is run under a clock that jumps",
}
"""Families without a state machine, and why that is right."""

NO_HISTORY = {
    "cache": "leases and versions admit one winner, which its threads count",
}
"""Families without a history that is checked for an order, and why that is right."""


def texts(family: str) -> str:
    """All that the family's tests say."""
    return "\n".join(path.read_text(encoding="utf-8") for path in (TESTS / family).glob("*.py"))


@pytest.mark.parametrize("script", registry().scripts, ids=lambda script: script.full_name)
def test_its_behaviour_is_tested(script: Script) -> None:
    names = rf"\b{script.family}\.{script.name}\(|\b{script.name}\(|\"{script.name}\""

    assert re.search(names, texts(script.family))


@pytest.mark.parametrize("family", FAMILIES)
def test_it_has_a_state_machine_or_a_reason(family: str) -> None:
    has = "RuleBasedStateMachine" in texts(family)

    assert has != (family in NO_MACHINE)


@pytest.mark.parametrize("family", FAMILIES)
def test_callers_that_compete_are_checked_or_there_is_a_reason(family: str) -> None:
    has = "linearizability" in texts(family)

    assert has != (family in NO_HISTORY)


def test_reasons_are_of_families_that_are_there() -> None:
    assert NO_MACHINE.keys() | NO_HISTORY.keys() <= set(FAMILIES)
