"""The committed figures: what they say of a change, and how they are kept."""

from __future__ import annotations

import json

import pytest

from redislua.budget.baseline import Baseline
from redislua.errors import ConfigError
from tests.budget.samples import case, script

FILE = "limit/gcra.v1.lua"


def baseline(*cases) -> Baseline:
    return Baseline({}).updated([script(*cases)], {FILE})


@pytest.mark.parametrize(
    ("before", "now", "reasons"),
    [
        (100, 100, []),
        (100, 120, []),
        (100, 121, ["n=10: 121 instructions, 100 in budget.jsonl (+21 %)"]),
        (1, 2, ["n=10: 2 instructions, 1 in budget.jsonl (+100 %)"]),
        (0, 1, []),
        (None, 500, []),
        (500, None, []),
    ],
)
def test_a_fifth_more_is_too_much(before, now, reasons):
    old = baseline(case("n=10", 3, instructions=before))

    found, _ = old.judge(script(case("n=10", 3, instructions=now)))

    assert [reason.text.split(";")[0] for reason in found] == reasons
    assert all(reason.depth == "deterministic" for reason in found)
    assert all("`redislua budget --update`" in reason.text for reason in found)


def test_cheaper_figures_and_unknown_cases_are_noted_and_pass():
    old = baseline(case("n=10", 10))

    reasons, notes = old.judge(script(case("n=10", 3), case("n=100", 3)))

    assert reasons == []
    assert notes == [
        "1 cases are not in budget.jsonl: `redislua budget --update`",
        "1 figures are over 20 % lower than in budget.jsonl",
    ]


def test_the_text_is_one_sorted_line_a_case_and_reads_back(tmp_path):
    kept = baseline(case("zero", 1), case("n=1000", 3), case("n=10", 3), case("n=100", 3))
    path = tmp_path / "budget.jsonl"
    path.write_text(kept.text())

    assert Baseline.read(path) == kept
    assert [json.loads(line)["case"] for line in kept.text().splitlines()] == [
        "n=10",
        "n=100",
        "n=1000",
        "zero",
    ]
    assert kept.text().splitlines()[0] == (
        '{"script": "limit/gcra.v1.lua", "case": "n=10", "calls": 3, "instructions": 100, '
        '"reply_elements": 2}'
    )


def test_an_update_replaces_what_was_run_and_drops_scripts_that_are_gone():
    old = baseline(case("n=10", 3), case("old", 3))
    other = script(case("worst", 1), name="cache.read")
    old = old.updated([other], {FILE, other.file})

    again = old.updated([script(case("n=10", 5))], {FILE, other.file})
    without = again.updated([], {FILE})
    skipped = again.updated([script(skipped="too old")], {FILE, other.file})

    assert set(again.rows) == {(FILE, "n=10"), (other.file, "worst")}
    assert again.rows[FILE, "n=10"]["calls"] == 5
    assert set(without.rows) == {(FILE, "n=10")}
    assert skipped == again


def test_a_file_that_is_not_there_is_empty_and_a_broken_line_has_its_place(tmp_path):
    path = tmp_path / "budget.jsonl"
    assert Baseline.read(path) == Baseline({})
    path.write_text(baseline(case("n=10", 3)).text() + '{"script": "a"}\n')

    with pytest.raises(ConfigError, match=r"budget\.jsonl:2: not a line of a baseline"):
        Baseline.read(path)
