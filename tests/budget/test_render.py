"""Reports for machines and pages: JUnit and Markdown."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

from redislua.budget.model import Reason
from redislua.budget.render import HEADINGS, junit, markdown, row
from tests.budget.samples import case, report, script

FULL = report(
    script(case("n=10", 3, slow=True)),
    script(case("n=10", 9), reasons=(Reason("deterministic", "9 | commands <>&"),), name="a.b"),
    script(skipped="needs redis 8.0", name="a.c"),
)


def test_junit_has_a_test_for_each_script():
    suite = Xml.fromstring(junit(FULL))  # noqa: S314  # our own text

    assert suite.attrib == {
        "name": "redislua budget", "tests": "3", "failures": "1", "skipped": "1"
    }  # fmt: skip
    first, second, third = suite
    assert (first.get("name"), first.get("file")) == ("limit.gcra", "limit/gcra.v1.lua")
    assert len(first) == 0
    assert first.get("time") == "0.000900"
    assert second[0].tag == "failure"
    assert second[0].get("message") == "9 | commands <>&"
    assert second[0].text == "deterministic: 9 | commands <>&"
    assert third[0].tag == "skipped"
    assert third[0].get("message") == "needs redis 8.0"


def test_markdown_has_a_row_for_each_script_and_says_why_one_fails():
    lines = markdown(FULL).splitlines()

    assert lines[0] == "### Latency budget: failed"
    assert lines[2] == "Valkey 9.1.2; p99.9 up to 1 ms, no call over 5 ms."
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 2 + 3
    assert len({line.replace("\\|", "").count("|") for line in table}) == 1
    assert table[2].startswith("| limit.gcra | n=10 | 3 of 3 | 100 | 0.004 ms | 0.9 ms |")
    assert lines[-1] == "- **a.b**, deterministic: 9 \\| commands <>&"


def test_a_row_has_a_cell_for_each_heading_whatever_was_measured():
    assert {len(row(FULL, each)) for each in FULL.scripts} == {len(HEADINGS)}
