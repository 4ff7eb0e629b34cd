"""Every family brings the tests that no generic one can replace: its model, and its threads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from redislua.spec.model import Script
from tests.catalogue.samples import registry

TESTS = Path(__file__).parents[1]
FAMILIES = sorted(registry().families)


def texts(family: str) -> str:
    """All that the family's tests say."""
    return "\n".join(path.read_text(encoding="utf-8") for path in (TESTS / family).glob("*.py"))


@pytest.mark.parametrize("script", registry().scripts, ids=lambda script: script.full_name)
def test_its_behaviour_is_tested(script: Script) -> None:
    names = rf"\b{script.family}\.{script.name}\(|\b{script.name}\(|\"{script.name}\""

    assert re.search(names, texts(script.family))


@pytest.mark.parametrize("family", FAMILIES)
def test_it_has_a_state_machine(family: str) -> None:
    assert "run_state_machine_as_test" in texts(family)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_history_of_callers_that_compete_is_checked(family: str) -> None:
    assert "tests.rig.linearizability import" in texts(family)
