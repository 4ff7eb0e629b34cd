"""The page says what the JSON of the same report says, and loads nothing."""

from __future__ import annotations

import datetime
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from redislua.budget.model import Report
from redislua.budget.report import render
from tests.budget.report import samples

WHEN = datetime.datetime(2026, 1, 2, 5, 4, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))
VOID = {"meta", "link", "path", "rect"}  # the last two close themselves


class Page(HTMLParser):
    """What stands in the page: its links, and the numbers of each row of each table."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.index: dict[str, list[str]] = {}
        self.rows: dict[tuple[str, str], list[str]] = {}
        self._table = self._article = self._heading = ""
        self._is_heading = False
        self._values: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag not in VOID:
            self.open.append(tag)
        self.links += [given[name] for name in ("href", "src") if name in given]
        self.ids += [given["id"]] if "id" in given else []
        if tag == "article":
            self._article = given["id"]
        elif tag == "table":
            self._table = given["class"]
        elif tag == "tr":
            self._heading, self._values = "", []
        elif tag == "data":
            self._values.append(given["value"])
        self._is_heading = given.get("scope") == "row" or (self._is_heading and tag == "a")

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag
        if tag == "tr" and self._table == "index" and self._heading:
            self.index[self._heading] = self._values
        elif tag == "tr" and self._table == "exact" and self._heading:
            self.rows[self._article, self._heading] = self._values

    def handle_data(self, data: str) -> None:
        if self._is_heading and data.strip() and not self._heading:
            self._heading = data.strip()
            self._is_heading = False


def numbers(case: dict[str, Any]) -> list[float]:
    """What the JSON knows of a case, in the order of the page's columns."""
    cost, measured = case["cost"], case["measured"]
    found = [cost[name] for name in ("calls", "instructions", "reply_elements", "reply_bytes")]
    if measured is not None:
        timing = measured["timing"]
        found += [timing["count"], measured["rounds"]]
        found += [timing[name] for name in ("p50", "p99", "p999", "max")]
        found += [measured[f"judged_{name}"] for name in ("p50", "p999", "max")]
    return [number for number in found if number is not None]


def test_figures_of_each_case_equal_those_of_the_json():
    report = samples.report()

    page = Page(render(report))

    known = json.loads(report.to_json())
    expected = {
        (script["name"], case["case"]["name"]): numbers(case)
        for script in known["scripts"]
        for case in script["cases"]
    }
    assert {place: [*map(float, values)] for place, values in page.rows.items()} == expected


def test_figures_of_the_index_equal_those_of_the_json():
    report = samples.report()

    index = Page(render(report)).index

    for script in json.loads(report.to_json())["scripts"]:
        if script["name"] == "lock.extend":
            assert index["lock.extend"] == []
            continue
        timed = [case for case in script["cases"] if case["measured"]]
        worst = max(timed, key=lambda case: case["measured"]["judged_p999"])["measured"]
        costs = [case["cost"] for case in script["cases"]]
        expected = [
            1_000 / worst["judged_p999"],
            *(worst[f"judged_{name}"] for name in ("p50", "p999", "max")),
            max(cost["calls"] for cost in costs),
            script["declared"]["calls"],
            max(cost["instructions"] or 0 for cost in costs),
        ]
        assert [*map(float, index[script["name"]])] == expected


def test_what_is_read_is_the_exact_value_rounded():
    text = render(samples.report())

    for value, shown in re.findall(r'<data value="([^"]*)">([^<]*)</data>', text):
        plain = float(shown.replace("\u202f", ""))
        digits = len(shown.partition(".")[2])
        of_value = [round(float(value) / unit, digits) for unit in (1, 1_000)]
        assert plain in of_value


def test_scripts_that_fail_come_first_then_those_with_the_least_headroom():
    index = Page(render(samples.report())).index

    assert [*index] == [
        "queue.purge",
        "catalogue_of_operations.conditional_compare_and_delete_many",
        "limit.gcra",
        "lock.extend",
    ]


def test_the_page_loads_nothing_and_links_to_itself_alone():
    page = Page(render(samples.report()))

    outside = [link for link in page.links if link != "data:," and link[1:] not in page.ids]
    assert outside == []
    assert len(page.ids) == len(set(page.ids))
    assert "//" not in re.sub(r"^\s*//.*$", "", render(samples.report()), flags=re.MULTILINE)


def test_every_tag_is_closed():
    assert Page(render(samples.report())).open == []


def test_texts_are_escaped():
    text = render(samples.report())

    assert "Remove &lt;everything&gt; &amp; more." in text
    assert "<everything>" not in text


@pytest.mark.parametrize(
    ("report", "headline"),
    [
        (samples.report(), "1 of 3 scripts exceeds its budget; 1 not run"),
        (samples.report(samples.FAST, samples.LONG_NAME), "All 2 scripts within budget"),
        (samples.report(samples.FAST), "The one script within budget"),
        (samples.report(samples.SLOW), "1 of 1 script exceeds its budget"),
        (samples.report(samples.SKIPPED), "No script was run; 1 not run"),
    ],
)
def test_the_headline_says_how_it_ended(report: Report, headline: str):
    assert f"<title>Latency budget: {headline}</title>" in render(report)


def test_each_verdict_comes_with_its_reason():
    text = render(samples.report())

    assert "<b>deterministic</b> calls grow O(n) in limit, the header allows growth=log" in text
    assert "needs valkey 9.0; this is Redis 7.0.15" in text
    assert "times below the limit of 1 ms" in text


def test_it_says_where_and_when_and_against_what():
    text = render(samples.report(), WHEN)

    assert "Valkey 9.1.2" in text
    assert '<time datetime="2026-01-02T03:04:00+00:00">02 Jan 2026, 03:04 UTC</time>' in text
    assert "p99.9 ≤ 1\u202fms" in text


def test_the_same_report_gives_the_same_page():
    report = samples.report()

    assert render(report, WHEN) == render(Report.from_json(report.to_json()), WHEN)
