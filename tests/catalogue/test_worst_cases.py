"""Worst cases beside the scripts: each fills the server, and its script then does its work."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import redis

from redislua.lint.engine import lint_paths
from redislua.lint.settings import Settings
from redislua.runtime import Call, run
from redislua.spec.model import Script
from tests.catalogue.samples import ROOT, registry, valid_call

SIDECARS = sorted((ROOT / "scripts").glob("*/*.worst.lua"))
SCRIPTS = {script.file: script for script in registry().scripts}


def script_of(sidecar: Path) -> Script:
    return SCRIPTS[f"{sidecar.parent.name}/{sidecar.name.replace('.worst.lua', '.lua')}"]


def most(script: Script) -> int:
    """The greatest size: the range of what the budget's growth is measured over."""
    over = script.budget.over
    if over == "keys":
        spread = next(key for key in script.keys if key.variadic)
        assert spread.count is not None
        return int(spread.count.high or 1)
    args = {arg.name: arg.bounds[1] for arg in script.args}
    groups = {group.name: group.range.high or 1 for group in script.groups if group.range}
    return int({**args, **groups}[str(over)])


def of_size(script: Script, size: int) -> Call[Any]:
    """A valid call whose own argument is the size, where that is a scalar."""
    call = valid_call(script)
    names = [arg.name for arg in script.args]
    if script.budget.over not in names:
        return call
    args = list(call.args)
    args[names.index(str(script.budget.over))] = str(size).encode()
    return dataclasses.replace(call, args=tuple(args))


def fill(client: redis.Redis, sidecar: Path, call: Call[Any], size: int) -> None:
    client.eval(sidecar.read_text("utf-8"), len(call.keys), *call.keys, size, *call.args)


@pytest.mark.parametrize("sidecar", SIDECARS, ids=lambda path: path.name)
def test_a_worst_case_belongs_to_a_script_that_says_how_it_grows(sidecar):
    script = script_of(sidecar)

    assert script.budget.growth != "1"
    assert script.budget.over is not None


@pytest.mark.parametrize("size", ["least", "most"])
@pytest.mark.parametrize("sidecar", SIDECARS, ids=lambda path: path.name)
def test_a_worst_case_fills_the_keys_and_the_script_runs_on_it(sidecar, size, client):
    script = script_of(sidecar)
    number = 1 if size == "least" else most(script)
    call = of_size(script, number)

    fill(client, sidecar, call, number)
    before = sum(client.memory_usage(key) or 0 for key in call.keys)
    run(client, call)

    assert before > 0
    assert all(client.ttl(key) != -1 for key in call.keys if client.exists(key))


@pytest.mark.parametrize("sidecar", SIDECARS, ids=lambda path: path.name)
def test_more_is_worse(sidecar, client):
    script = script_of(sidecar)

    used = []
    for number in (1, most(script)):
        client.flushall()
        call = of_size(script, number)
        fill(client, sidecar, call, number)
        used.append(sum(client.memory_usage(key, samples=0) or 0 for key in call.keys))

    assert used[1] > used[0]


def test_no_script_of_the_catalogue_lacks_its_worst_case():
    found: list[Any] = []

    lint_paths(
        [str(ROOT / "scripts")],
        Settings(select=("RL807",)),
        lambda _, diagnostics: found.extend(diagnostics),
    )

    assert found == []
