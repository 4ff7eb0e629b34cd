"""What ran, merged; and the files that other tools read, against their own rules."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from redislua.codegen.load import load_operations
from redislua.probe.coverage import Coverage, cobertura, lcov, spans
from redislua.probe.engine import Engine
from redislua.probe.sweep import Swept, sweep
from redislua.spec.registry import load
from tests.catalogue.samples import operations, registry
from tests.probe.engine.samples import script_call
from tests.probe.scripts import FIRST, write_script

TEXT = """\
#!lua
local n = 0
for i = 1, ARGV[1] do
  if i > 1 and ARGV[2] then
    n = n + 1
  else
    n = n - 1
  end
end
if n > 100 then
  return 'many'
end
return n
"""

# coverage-04.dtd: the children of an element, as a pattern of their names, and its attributes.
RATES = {"line-rate", "branch-rate", "complexity"}
DTD: dict[str, tuple[str, set[str], set[str]]] = {
    "coverage": (
        r"(sources )?packages ",
        RATES
        | {"lines-covered", "lines-valid", "branches-covered", "branches-valid"}
        | {"version", "timestamp"},
        set(),
    ),
    "sources": (r"(source )*", set(), set()),
    "source": (r"", set(), set()),
    "packages": (r"(package )*", set(), set()),
    "package": (r"classes ", RATES | {"name"}, set()),
    "classes": (r"(class )*", set(), set()),
    "class": (r"methods lines ", RATES | {"name", "filename"}, set()),
    "methods": (r"(method )*", set(), set()),
    "lines": (r"(line )*", set(), set()),
    "line": (r"(conditions )*", {"number", "hits"}, {"branch", "condition-coverage"}),
    "conditions": (r"(condition )*", set(), set()),
    "condition": (r"", {"number", "type", "coverage"}, set()),
}

RECORD = re.compile(
    r"TN:\nSF:\S+\n"
    r"(BRDA:[1-9]\d*,\d+,[01],(-|\d+)\n)*BRF:\d+\nBRH:\d+\n"
    r"(DA:[1-9]\d*,\d+\n)+LF:\d+\nLH:\d+\nend_of_record\n"
)


@pytest.fixture
def engine(server, client):
    with Engine(server.url) as opened:
        yield opened


@pytest.fixture
def covered(engine: Engine) -> Coverage:
    coverage = Coverage()
    coverage.add(engine.run(script_call(TEXT, [], [b"1"]), watch="lines"))
    coverage.add(engine.run(script_call(TEXT, [], [b"2"]), watch="lines"))
    return coverage


def test_runs_add_up(covered):
    (one,) = covered

    assert (one.lines_run, len(one.lines)) == (6, 8)
    assert one.lines[7] == 3
    assert one.missing_lines == [5, 11]
    assert [(fork.line, fork.word, way) for fork, way in one.missing_ways] == [
        (4, "if", True),
        (10, "if", True),
    ]
    assert covered.line_share == 6 / 8
    assert covered.way_share == 6 / 8


def test_nothing_is_whole():
    assert Coverage().line_share == 1
    assert Coverage().way_share == 1


@pytest.mark.parametrize(
    ("missing", "known", "text"),
    [
        ([], [1, 2], ""),
        ([2], [1, 2, 3], "2"),
        ([2, 3, 7], [1, 2, 3, 5, 7], "2-3, 7"),
        ([2, 9], [2, 9, 12], "2-9"),
    ],
)
def test_missing_lines_are_shown_as_ranges(missing, known, text):
    assert spans(missing, known) == text


def test_lcov_keeps_to_its_grammar_and_its_sums(covered):
    text = lcov(covered, "scripts")

    assert RECORD.fullmatch(text)
    assert "SF:scripts/test/it.v1.lua\n" in text
    count = {
        key: int(value) for key, value in re.findall(r"^(BR[FH]|L[FH]):(\d+)$", text, re.MULTILINE)
    }
    lines = re.findall(r"^DA:\d+,(\d+)$", text, re.MULTILINE)
    ways = re.findall(r"^BRDA:\d+,\d+,[01],(.*)$", text, re.MULTILINE)
    assert count == {"BRF": len(ways), "BRH": 6, "LF": len(lines), "LH": 6}
    assert sum(hits != "0" for hits in lines) == 6
    assert sum(taken not in ("0", "-") for taken in ways) == 6


def test_a_branch_on_a_line_that_never_ran_is_a_dash():
    coverage = Coverage()
    coverage.file("a/b.v1.lua", TEXT.encode())

    taken = re.findall(r"^BRDA:\d+,\d+,[01],(.*)$", lcov(coverage), re.MULTILINE)

    assert set(taken) == {"-"}


def assert_follows_the_dtd(element: ElementTree.Element) -> None:
    children, required, optional = DTD[element.tag]
    assert re.fullmatch(children, "".join(f"{child.tag} " for child in element)), element.tag
    assert required <= set(element.keys()) <= required | optional, element.tag
    for name, value in element.items():
        if name in ("line-rate", "branch-rate"):
            assert 0 <= float(value) <= 1
        elif name == "branch":
            assert value in ("true", "false")
        elif name == "condition-coverage":
            assert re.fullmatch(r"\d+% \(\d+/\d+\)", value)
    for child in element:
        assert_follows_the_dtd(child)


def test_cobertura_keeps_to_its_dtd_and_its_sums(covered):
    text = cobertura(covered, "scripts", version="1.2.3", timestamp=1700000000000)

    assert text.startswith('<?xml version="1.0" ?>\n<!DOCTYPE coverage SYSTEM ')
    root = ElementTree.fromstring(text)  # noqa: S314 - our own text
    assert_follows_the_dtd(root)
    assert root.get("lines-valid") == str(len(root.findall(".//line")))
    assert root.get("lines-covered") == "6"
    assert (root.get("branches-valid"), root.get("branches-covered")) == ("8", "6")
    conditions: list[Any] = [line.get("condition-coverage") for line in root.iter("line")]
    assert [one for one in conditions if one] == ["100% (2/2)", "75% (3/4)", "50% (1/2)"]
    (found,) = root.iter("class")
    assert found.get("filename") == "scripts/test/it.v1.lua"


def swept(folder: Path, url: str) -> Swept:
    scripts = load(folder)
    return sweep(scripts, load_operations(scripts), url, scripts.scripts)


def test_trials_run_what_no_example_can(tmp_path, server, client):
    """A bad argument, a key of another shape, a clock that went back."""
    body = (
        "if not count then\n  return redis.error_reply('RLUA_BAD_ARGUMENT count')\nend\n"
        "local time = tonumber(redis.call('TIME')[1])\n"
        "local last = redis.call('HGET', two, 't')\n"
        "if last and not tonumber(last) then\n  return redis.error_reply('RLUA_BAD_ARGUMENT two')\n"
        "elseif last and tonumber(last) > time then\n  return {'Done'}\nend\n"
        "redis.call('HSET', two, 't', string.format('%.0f', time))\nreturn {'Done'}\n"
    )
    example = "NAME id=1 count=2 -> Done\n--   NAME id=1 count=3 -> Done"

    found = swept(write_script(tmp_path, body, example=example), server.url)

    (alone,), (whole,) = found.examples, found.all
    assert alone.missing_lines == [FIRST + 2, FIRST + 7, FIRST + 9]  # the example has a line more
    assert whole.missing_lines == []
    assert whole.missing_ways == []
    assert client.dbsize() == 0


def test_a_call_that_never_ends_is_a_problem_and_the_others_go_on(tmp_path, server, client):
    write_script(tmp_path, "while true do end\n", name="hang")
    write_script(tmp_path, "return {'Done'}\n")

    found = swept(tmp_path, server.url)

    assert "still running after" in found.problems[0]
    assert [one.lines_run for one in found.all] == [0, 3]


def test_a_script_that_cannot_be_measured_says_why(tmp_path, server, client):
    write_script(tmp_path, "return {cjson.decode('[\"Done\"]')[1]}\n")

    found = swept(tmp_path, server.url)

    assert [one.why_not for one in found.all] == ["not measured: it uses cjson"]
    assert found.all.measured == []


@pytest.mark.client_side
def test_the_catalogue_runs_whole(server, client):
    """Every line, and at least 95 % of the branches; what is missing is named."""
    scripts = registry().scripts
    found = sweep(registry(), operations(), server.url, scripts)

    assert found.problems == []
    assert {one.file: one.missing_lines for one in found.all if one.missing_lines} == {}
    assert found.all.way_share >= 0.95
    assert len(found.all.measured) == len(scripts)
