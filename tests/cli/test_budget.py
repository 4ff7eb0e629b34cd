"""``redislua budget``: its table, its reports, its exit codes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from click.testing import CliRunner, Result

from redislua.budget.baseline import NAME, Baseline
from redislua.budget.model import Report
from redislua.cli.budget_ import command
from tests.budget.samples import LOOP, project
from tests.cli.shell import ROOT

GOOD = "return redis.call('SCARD', members)\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    return tmp_path


def budget(*words: str) -> Result:
    return CliRunner().invoke(command, ["--quick", *words])


def test_a_script_within_its_budget_passes(place):
    project(place, GOOD)

    done = budget()

    assert done.exit_code == 0
    assert re.search(r"tags\.walk +\S.* +1 of 2 +\d+ .* pass", done.stdout)
    assert "1 script, 0 failed; p99.9 up to 1 ms, no call over 5 ms" in done.stdout


def test_a_slow_script_fails_and_says_why(place):
    project(place, LOOP)

    done = budget("tags.walk")

    assert done.exit_code == 1
    assert (
        "FAIL tags/walk.v1.lua: deterministic: n=10000: 10001 commands in one call" in done.stdout
    )
    assert "FAIL tags/walk.v1.lua: measured: n=10000: " in done.stdout
    assert "1 failed" in done.stdout


def test_the_figures_are_recorded_and_then_compared(place):
    project(place, GOOD, budget="calls<=5 growth=1")
    path = place / "scripts" / "budget.jsonl"
    script = place / "scripts" / "tags" / "walk.v1.lua"

    unknown = budget()
    written = budget("--update")
    first = path.read_text()
    same = budget()
    script.write_text(
        script.read_text().replace("\nreturn", "\nredis.call('TYPE', members) return")
    )
    dearer = budget()
    accepted = budget("--update")

    assert "cases are not in budget.jsonl: `redislua budget --update`" in unknown.stdout
    assert "wrote scripts/budget.jsonl" in written.stderr
    assert [json.loads(line)["case"] for line in first.splitlines()][:2] == ["n=10", "n=100"]
    assert (unknown.exit_code, written.exit_code, same.exit_code) == (0, 0, 0)
    assert "budget.jsonl" not in same.stdout
    assert dearer.exit_code == 1
    assert "n=10: 2 calls, 1 in budget.jsonl (+100 %)" in dearer.stdout
    assert accepted.exit_code == 0
    assert path.read_text() != first


def test_json_is_the_whole_report_and_nothing_else(place):
    project(place, GOOD)

    done = budget("--json", "-")

    report = Report.from_json(done.stdout)
    assert [script.name for script in report.scripts] == ["tags.walk"]
    assert report.limit_us == 1_000
    assert report.passed


def test_reports_are_written_beside_the_table(place):
    project(place, LOOP)

    done = budget("--json", "a.json", "--junit", "a.xml", "--markdown", "a.md")

    assert done.exit_code == 1
    assert "FAIL" in done.stdout
    report = Report.from_json((place / "a.json").read_text())
    suite = Xml.fromstring((place / "a.xml").read_text())  # noqa: S314  # our own text
    assert suite.get("failures") == "1"
    assert report.scripts[0].reasons[0].text in (place / "a.md").read_text()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--json", "-", "--junit", "-"), "only one report can go to stdout"),
        (("no.such",), "no script or family is called 'no.such'"),
        (("--server", "nothing"), "unknown kind of server 'nothing'"),
    ],
)
def test_what_cannot_run_is_one_line_and_exit_code_2(words, text, place):
    project(place, GOOD)

    done = budget(*words)

    assert done.exit_code == 2
    assert text in done.stderr
    assert "Traceback" not in done.output


def test_a_sidecar_that_fails_is_named(place):
    project(place, GOOD)
    (place / "scripts" / "tags" / "walk.v1.worst.lua").write_text("return redis.call('NO')\n")

    done = budget()

    assert done.exit_code == 2
    assert "tags/walk.v1.worst.lua: at n=1: " in done.stderr


def test_outside_a_project_the_catalogue_is_run_and_nothing_can_be_recorded(place):
    done = budget("limit.gcra")
    update = budget("--update")

    assert done.exit_code == 0
    assert "redislua's own catalogue" in done.stderr
    assert "limit.gcra" in done.stdout
    assert update.exit_code == 2
    assert "--update needs a project to write to" in update.stderr


@pytest.mark.ends
def test_the_catalogue_keeps_its_budgets_and_is_counted_as_committed(monkeypatch, server):
    """On every server, and at every load of the machine."""
    monkeypatch.chdir(ROOT)

    report = catalogue_on(server.kind)

    committed = Baseline.read(ROOT / "scripts" / NAME)
    counted = Baseline({}).updated(report.scripts, {script.file for script in report.scripts})
    assert counted == committed, "`redislua budget --update` writes them anew"
    assert report.server == server.version
    slow = []
    for script in report.scripts:
        assert [one.text for one in script.reasons if one.depth == "deterministic"] == []
        assert script.notes == ()
        # What a caller names one by one is done one by one; nothing else grows.
        is_named = script.declared.growth == "linear"
        assert {growth.order for growth in script.growth} <= (
            {"1", "log", "linear"} if is_named else {"1"}
        )
        assert all(case.cost.instructions is not None for case in script.cases)
        assert script.commands
        if not script.passed:
            slow.append(script.name)
    # With other tests beside it, what is measured too slow once is measured again.
    for _ in range(2):
        if slow:
            again = catalogue_on(server.kind, *slow)
            slow = [script.name for script in again.scripts if not script.passed]
    assert slow == []


def catalogue_on(kind: str, *names: str) -> Report:
    done = CliRunner().invoke(command, ["--quick", "--json", "-", "--server", kind, *names])
    assert done.exit_code in (0, 1), done.stderr
    return Report.from_json(done.stdout)
