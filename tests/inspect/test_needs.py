"""The decision table is complete and speaks of what is there."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter

import pytest

from redislua.inspect.needs import (
    NEEDS,
    POLICIES,
    keys_without_expiry,
    need_of,
    served,
)
from redislua.spec.model import Script
from redislua.spec.registry import load
from tests.cli.shell import ROOT

CATALOGUE = load(ROOT / "scripts")


def test_every_operation_is_in_one_row() -> None:
    counted = Counter(name for need in NEEDS for name in need.scripts)

    assert {name for name, count in counted.items() if count > 1} == set()
    missing = {script.full_name for script in CATALOGUE.scripts} - set(counted)
    assert missing == set(), f"give {missing} a row in NEEDS"


def test_every_row_of_a_family_that_is_there_speaks_of_operations_that_are_there() -> None:
    names = {script.full_name for script in CATALOGUE.scripts}

    for need in served(CATALOGUE):
        assert need.scripts
        assert set(need.scripts) <= names
        assert need.loss


@pytest.mark.parametrize("script", CATALOGUE.scripts, ids=lambda script: script.full_name)
def test_a_header_and_the_table_agree_on_eviction(script: Script) -> None:
    """Whose header asks for a server that does not evict must not be evicted by the table."""
    need = need_of(script)

    assert need is not None
    text = " ".join(script.description.split())
    if re.search(r"on a server that does not evict", text):
        assert not need.may_be_evicted


def test_scripts_of_a_project_have_no_row() -> None:
    own = dataclasses.replace(CATALOGUE.scripts[0], family="tickets")

    assert need_of(own) is None


def test_keys_that_never_expire_are_those_that_headers_declare_so() -> None:
    spared = keys_without_expiry(CATALOGUE.scripts)
    expiring = {key.pattern.text for one in CATALOGUE.scripts for key in one.keys if key.expires}

    assert "cache:{<key>}:document" in spared
    assert "limit:{<subject>}:gcra" in expiring
    assert "limit:{<subject>}:gcra" not in spared


def test_the_policies_of_every_server_are_explained() -> None:
    text = " ".join(policy.name for policy in POLICIES)

    for policy in ("noeviction", "allkeys-lru", "allkeys-lfu", "volatile-ttl", "allkeys-random"):
        assert policy in text
