"""Forms of output: what each says, and that what reads it accepts it."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from jsonschema import Draft4Validator

from redislua.lint.diagnostic import Diagnostic, Edit, Fix, Region, Severity
from redislua.lint.engine import lint_source
from redislua.lint.files import Trouble
from redislua.lint.reporters import DOCUMENTS, FORMATS, STREAMING, Report, module
from tests.lint.samples import BROKEN, Shouting, linter

SCHEMA = Path(__file__).parent / "schemas" / "sarif-schema-2.1.0.json"

ODD = Diagnostic(
    code="RL001",
    rule="syntax-error",
    severity=Severity.WARNING,
    message='50% of "this" <is> odd: a, b\nand & more',
    help="do, what: 100%",
    file="a b,c:d/é%.lua",
    line=2,
    column=3,
    end_line=4,
    end_column=1,
    text="\tlocal x = 1",
    caret=2,
    fix=Fix("Change it", (Edit(5, 7, b"\xffnew"), Edit(9, 9, b"<&>"))),
    fix_regions=(Region(2, 3, 2, 5), Region(2, 7, 2, 7)),
)


def report() -> Report:
    """A file with a fix, one without findings, one with odd ones, and a trouble."""
    source = "local a = 'é LOUD'\nlocal b = 'LOUD'\nlocal a = 'é LOUD'\n".encode()
    loud = linter(Shouting()).file(source, "lua/loud.lua").diagnostics
    files = {"lua/loud.lua": loud, "clean.lua": [], ODD.file: [ODD]}
    return Report(files, (Trouble("gone.lua", "there is no such file or folder"),))


def lines(form: str, *diagnostics: Diagnostic) -> list[str]:
    return [line for one in diagnostics for line in module(form).lines(one)]


def test_every_form_has_a_module_of_its_own():
    assert set(FORMATS) == {"full", "concise", "json", "github", "gitlab", "junit", "sarif"}
    for form in STREAMING:
        assert callable(module(form).lines)
    for form in DOCUMENTS:
        assert callable(module(form).document)


def test_full_shows_the_line_a_caret_and_what_to_do():
    (found,) = lint_source(BROKEN, path="a.lua")

    assert lines("full", found) == [
        "a.lua:1:11: error[RL001] syntax-error: unexpected symbol near '='",
        "  1 | local x = = 1",
        "    |           ^",
        "",
    ]


def test_full_keeps_the_caret_under_a_tab():
    assert lines("full", ODD)[-4:] == [
        "    | \t ^^^^^^^^^^",
        "  help: do, what: 100%",
        "  fix: Change it (--fix)",
        "",
    ]


def test_concise_is_one_line():
    (found,) = lint_source(BROKEN, path="a.lua")

    assert lines("concise", found) == ["a.lua:1:11: RL001 error: unexpected symbol near '='"]


def test_github_escapes_as_workflow_commands_ask_for():
    (found,) = lint_source(BROKEN, path="a.lua")

    assert lines("github", found) == [
        "::error title=RL001 syntax-error,file=a.lua,line=1,endLine=1,col=11,endColumn=12::"
        + found.message
    ]
    (odd,) = lines("github", ODD)
    assert odd.startswith(
        "::warning title=RL001 syntax-error,file=a b%2Cc%3Ad/é%25.lua,line=2,endLine=4::50%25 of"
    )
    assert odd.endswith("%0Ahelp: do, what: 100%25")


def test_json_tells_everything():
    rows = json.loads(module("json").document(report()))

    assert [row["file"] for row in rows] == ["lua/loud.lua"] * 3 + [ODD.file]
    assert rows[0] == {
        "code": "RL001",
        "rule": "syntax-error",
        "severity": "warning",
        "message": "LOUD is loud",
        "help": "whisper",
        "file": "lua/loud.lua",
        "line": 1,
        "column": 14,
        "end_line": 1,
        "end_column": 18,
        "fix": {
            "message": "Lower it",
            "edits": [
                {
                    "line": 1,
                    "column": 14,
                    "end_line": 1,
                    "end_column": 18,
                    "start": 14,
                    "end": 18,
                    "text": "loud",
                }
            ],
        },
    }


def test_gitlab_fingerprints_differ_and_stay_when_lines_move():
    rows = json.loads(module("gitlab").document(report()))
    source = b"\n\n\nlocal b = 'LOUD'\n"
    moved = linter(Shouting()).file(source, "lua/loud.lua").diagnostics
    (row,) = json.loads(module("gitlab").document(Report({"lua/loud.lua": moved})))

    assert len({one["fingerprint"] for one in rows}) == len(rows) == 4
    assert row["fingerprint"] == rows[1]["fingerprint"]
    assert row["location"]["positions"]["begin"] == {"line": 4, "column": 12}
    assert {one["severity"] for one in rows} == {"minor"}
    assert rows[0]["check_name"] == "RL001"


def test_junit_is_xml_and_counts_right():
    root = ElementTree.fromstring(module("junit").document(report()))  # noqa: S314 - our own
    cases = root.findall("./testsuite/testcase")

    assert root.tag == "testsuites"
    assert root.attrib == {
        "name": "redislua lint",
        "tests": "6",
        "failures": "4",
        "errors": "1",
    }
    assert len(cases) == 6
    assert len(root.findall("./testsuite/testcase/failure")) == 4
    assert len(root.findall("./testsuite/testcase/error")) == 1
    for suite in root.findall("./testsuite"):
        assert int(suite.attrib["tests"]) == len(suite.findall("testcase"))
        assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure"))
    failure = cases[0].find("failure")
    assert failure is not None
    assert "'é LOUD'" in (failure.text or "")
    odd = root.findall("./testsuite/testcase/failure")[-1]
    assert odd.attrib["message"].startswith('50% of "this" <is> odd: a, b')


def test_junit_of_no_files_is_xml_too():
    root = ElementTree.fromstring(module("junit").document(Report({})))  # noqa: S314 - our own

    assert root.attrib["tests"] == "0"


@pytest.mark.parametrize("made", [report(), Report({}), Report({"a.lua": []})])
def test_sarif_fits_the_schema_of_the_standard(made):
    log = json.loads(module("sarif").document(made))
    schema = json.loads(SCHEMA.read_text())

    problems = list(Draft4Validator(schema).iter_errors(log))

    assert problems == []


def test_the_schema_refuses_what_is_wrong():
    log = json.loads(module("sarif").document(report()))
    log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0

    assert not Draft4Validator(json.loads(SCHEMA.read_text())).is_valid(log)


def test_sarif_says_what_the_columns_count_and_where_paths_begin():
    (run,) = json.loads(module("sarif").document(report()))["runs"]
    first, odd = run["results"][0], run["results"][-1]

    assert run["columnKind"] == "unicodeCodePoints"
    assert "SRCROOT" in run["originalUriBaseIds"]
    location = first["locations"][0]["physicalLocation"]
    assert location["artifactLocation"] == {"uri": "lua/loud.lua", "uriBaseId": "SRCROOT"}
    assert location["region"] == {
        "startLine": 1,
        "startColumn": 14,
        "endLine": 1,
        "endColumn": 18,
    }
    assert first["level"] == "warning"
    assert odd["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == (
        "a%20b%2Cc%3Ad/%C3%A9%25.lua"
    )
    (change,) = first["fixes"][0]["artifactChanges"]
    (replacement,) = change["replacements"]
    assert replacement["insertedContent"] == {"text": "loud"}
    assert replacement["deletedRegion"] == location["region"]
    assert not run["invocations"][0]["executionSuccessful"]
    (told,) = run["invocations"][0]["toolExecutionNotifications"]
    assert told["message"]["text"] == "gone.lua: there is no such file or folder"


def test_sarif_carries_the_page_of_every_rule_that_found_something():
    (run,) = json.loads(module("sarif").document(report()))["runs"]
    rules = run["tool"]["driver"]["rules"]

    assert [rule["id"] for rule in rules] == sorted({one["ruleId"] for one in run["results"]})
    assert rules
    for rule in rules:
        assert "Why is this bad?" in rule["help"]["markdown"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert len(result["partialFingerprints"]["redisluaLine/v1"]) == 32


@pytest.mark.parametrize("form", DOCUMENTS)
def test_documents_are_the_same_each_time(form):
    assert module(form).document(report()) == module(form).document(report())


@pytest.mark.parametrize("form", FORMATS)
def test_no_form_lets_a_control_character_through_where_it_harms(form):
    class Quoting(Shouting):
        def check(self, chunk):
            yield self.at((0, len(chunk.source) - 5), "near \x00\x1b[2J\ufffe", help="not \x00")

    source = b"return '\x1b'"
    found = linter(Quoting()).file(source, "a.lua").diagnostics
    made = Report({"a.lua": found})
    text = "\n".join(lines(form, *found)) if form in STREAMING else module(form).document(made)

    assert "near ??[2J?" in text
    assert "\x00" not in text
    assert "\x1b" not in text
