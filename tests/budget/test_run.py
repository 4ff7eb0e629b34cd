"""Scripts on a bench: figures that never change, and slow scripts found at each depth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import redis

from redislua.budget import bench
from redislua.budget.baseline import Baseline
from redislua.budget.bench import Bench
from redislua.budget.cases import plan
from redislua.budget.model import Report, ScriptReport
from redislua.budget.run import Budgets
from redislua.budget.settings import Settings
from redislua.budget.sidecar import find_sidecar
from redislua.codegen.load import load_operations
from redislua.lint.engine import lint_paths
from redislua.lint.settings import Settings as LintSettings
from redislua.probe.snapshot import snapshot
from redislua.server import Server
from redislua.spec.registry import load
from tests.budget.samples import LOOP, project
from tests.catalogue.samples import operations, registry

COUNTS = Settings(calls=1, seconds=0, others=0)
FEW = Settings(calls=60, seconds=0.2, others=1)


def run(
    root: Path, kind: str, settings: Settings = FEW, baseline: Baseline | None = None
) -> Report:
    scripts = load(root)
    steps: list[tuple[str, str]] = []
    found: list[ScriptReport] = []
    budgets = Budgets(
        scripts,
        load_operations(scripts),
        kind,
        settings,
        baseline,
        lambda *step: steps.append(step),
    )
    report = budgets.run(scripts.names, found.append)
    assert tuple(found) == report.scripts
    assert {name for name, _ in steps} == set(scripts.names)
    return report


def texts(script: ScriptReport, depth: str) -> str:
    return "\n".join(reason.text for reason in script.reasons if reason.depth == depth)


def test_a_loop_over_a_whole_set_is_found_at_each_depth(tmp_path, server):
    root = project(tmp_path, LOOP) / "scripts"
    linted: list[str] = []
    lint_paths(
        [str(root)],
        LintSettings(select=("RL5",)),
        lambda _, found: linted.extend(f"{one.code} {one.message}" for one in found),
    )

    [script] = run(root, server.kind).scripts

    assert (
        "RL502 the loop runs once for each element that SMEMBERS finds, and nothing bounds that"
        in linted
    )
    assert "n=10000: 10001 commands in one call, the header allows calls<=2" in texts(
        script, "deterministic"
    )
    assert "calls grow O(n) (11 at n=10, 101 at n=100" in texts(script, "deterministic")
    assert "n=10000: " in texts(script, "measured")
    assert script.verdict == "fail"
    assert script.commands[0] == "SMEMBERS set:{a}:members"
    assert script.commands[-1] == "… 9961 more"


def test_a_reply_without_a_bound_is_found(tmp_path):
    body = "return redis.call('SMEMBERS', members)\n"
    root = project(tmp_path, body, budget="calls<=1 growth=1") / "scripts"

    [script] = run(root, "embedded", COUNTS).scripts

    assert "reply elements grow O(n) (10 at n=10" in texts(script, "deterministic")
    assert "calls grow" not in texts(script, "deterministic")


def test_a_script_that_keeps_its_budget_passes(tmp_path):
    root = project(tmp_path, "return redis.call('SCARD', members)\n") / "scripts"

    [script] = run(root, "embedded").scripts

    assert script.reasons == ()
    assert script.worst is not None
    assert script.worst.measured is not None
    assert script.worst.measured.timing.count >= 50
    assert script.worst.measured.calibration.count >= 10


def test_a_change_of_cost_fails_against_the_committed_figures(tmp_path):
    root = project(tmp_path, "return redis.call('SCARD', members)\n", budget="calls<=9 growth=1")
    place = root / "scripts" / "tags" / "walk.v1.lua"
    first = run(root / "scripts", "embedded", COUNTS)
    committed = Baseline({}).updated(first.scripts, {"tags/walk.v1.lua"})
    place.write_text(place.read_text() + "\n-- the same\n")
    same = run(root / "scripts", "embedded", COUNTS, committed)
    place.write_text(place.read_text().replace("\nreturn", "\nredis.call('TYPE', members) return"))

    [script] = run(root / "scripts", "embedded", COUNTS, committed).scripts

    assert same.passed
    assert "n=10: 2 calls, 1 in budget.jsonl (+100 %)" in texts(script, "deterministic")


def test_a_script_that_never_ends_costs_its_server_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "PATIENCE", 0.5)
    root = project(tmp_path, "while redis.call('SCARD', members) > 50 do end return 0\n")
    other = root / "scripts" / "zoo" / "fine.v1.lua"
    other.parent.mkdir()
    text = (root / "scripts" / "tags" / "walk.v1.lua").read_text().split("local members")[0]
    other.write_text(
        text.replace("walk name=a", "fine name=a").replace("set:{", "zoo:{")
        + "local members = KEYS[1]\n\nreturn redis.call('SCARD', members)\n"
    )

    held, fine = run(root / "scripts", "embedded", COUNTS).scripts

    assert [reason.depth for reason in held.reasons] == ["measured"]
    assert "n=100: no reply after" in held.reasons[0].text
    assert "the script holds the server" in held.reasons[0].text
    assert fine.passed
    assert fine.cases


def test_a_script_of_another_server_is_skipped(tmp_path):
    root = project(tmp_path, "return redis.call('SCARD', members)\n") / "scripts"
    place = root / "tags" / "walk.v1.lua"
    place.write_text(
        place.read_text().replace("-- @example", "-- @requires redis>=99.0\n-- @example")
    )

    [script] = run(root, "embedded", COUNTS).scripts

    assert script.skipped.startswith("needs redis 99.0; this is Valkey ")
    assert script.cases == ()


@pytest.mark.parametrize("name", ["limit.sliding_window", "cache.fill", "cache.invalidate"])
def test_the_state_is_put_back_after_each_call(name, server, client):
    operation = operations()[name]
    sidecar = find_sidecar(registry(), operation.spec)
    planned = plan(registry(), operations(), operation, sidecar)[0]
    with Bench(server.kind) as place:
        place.stage(planned)
        before = _values(place)
        counted = place.count(planned)
        round_ = place.measure(planned, counted, 8, 1.0)
        place.restore()

        assert _values(place) == before
        assert len(round_.samples) == 8
        assert len(round_.calibration) == 2


def _values(place: Bench) -> dict[bytes, object]:
    """Every key's value, whatever the order of a hash's fields."""
    with redis.Redis.from_url(place.url) as client:
        return {
            key: client.hgetall(key) if entry.kind == "hash" else entry.value
            for key, entry in snapshot(client).items()
        }


def test_what_every_server_says_of_a_call_that_does_thousands_of_commands(tmp_path, server: Server):
    """Their own entries in SLOWLOG do not push out that of the script."""
    root = project(tmp_path, LOOP) / "scripts"
    scripts = load(root)
    loaded = load_operations(scripts)
    planned = plan(scripts, loaded, loaded["tags.walk"], None)[3]
    planned = replace(planned, case=replace(planned.case, name="all"))
    with Bench(server.kind) as place:
        place.stage(planned)
        counted = place.count(planned)
        round_ = place.measure(planned, counted, 50, 0.0)

    assert counted.calls == 10_001
    assert len(round_.samples) == 50
