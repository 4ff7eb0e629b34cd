"""Worst cases beside the scripts: each fills the server, and its script then does its work."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from redislua.budget.cases import Planned, plan
from redislua.budget.sidecar import find_sidecar
from redislua.lint.engine import lint_paths
from redislua.lint.settings import Settings
from redislua.runtime import run
from redislua.spec.model import Script
from tests.catalogue.samples import ROOT, operations, registry

SIDECARS = sorted((ROOT / "scripts").glob("*/*.worst.lua"))
SCRIPTS = registry().scripts
GROWING = [script for script in SCRIPTS if script.budget.over is not None]


def worst(script: Script) -> list[Planned]:
    """Its cases at all sizes, and those of further calls that its sidecar names."""
    operation = operations()[script.full_name]
    planned = plan(registry(), operations(), operation, find_sidecar(registry(), script))
    return [one for one in planned if one.case.kind == "size" or one.case.name.startswith("call ")]


def used(client: redis.Redis, planned: Planned) -> int:
    """Bytes of all keys of the call, once its state is there."""
    client.flushall()
    planned.prepare(client)
    return sum(client.memory_usage(key, samples=0) or 0 for key in planned.call.keys)


def test_every_script_has_a_worst_case_and_every_worst_case_a_script():
    files = {f"{path.parent.name}/{path.name.replace('.worst.lua', '.lua')}" for path in SIDECARS}

    assert files == {script.file for script in SCRIPTS}


@pytest.mark.parametrize(
    ("script", "planned"),
    [
        pytest.param(script, one, id=f"{script.full_name}-{one.case.name}")
        for script in SCRIPTS
        for one in worst(script)
    ],
)
def test_a_worst_case_fills_the_keys_and_the_script_does_its_work_on_them(script, planned, client):
    before = used(client, planned)
    reply = run(client, planned.call)

    assert before > 0
    assert operations()[script.full_name].variant_name(reply)
    for key, name in script.keys_of(planned.call.keys):
        if key.expires and client.exists(name):
            assert client.ttl(name) >= 0


@pytest.mark.parametrize("script", GROWING, ids=lambda script: script.full_name)
def test_more_is_worse(script, client):
    sizes = [one for one in worst(script) if one.case.kind == "size"]

    taken = [used(client, one) for one in sizes]

    assert len(sizes) >= 4
    assert taken == sorted(taken)
    assert taken[0] < taken[-1]


def test_no_script_of_the_catalogue_lacks_its_worst_case():
    found: list[Any] = []

    lint_paths(
        [str(ROOT / "scripts")],
        Settings(select=("RL807",)),
        lambda _, diagnostics: found.extend(diagnostics),
    )

    assert found == []
