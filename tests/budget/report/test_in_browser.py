"""The page in a real browser: nothing on its console, nothing cut off, readable in any light."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from redislua.budget.report import render
from tests.budget.report import browser, samples
from tests.budget.report.browser import Browser

LOOKS = [(1200, False), (1200, True), (360, False), (360, True)]

OUTSIDE = """
[...document.querySelectorAll("body *")]
  .filter(one => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .filter(one => !one.closest(".wide"))
  .map(one => `${one.tagName}.${one.className}`)
"""

FAINT = """
(() => {
  const parts = colour => colour.match(/[\\d.]+/g).map(Number);
  const share = value => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * share(r) + 0.7152 * share(g) + 0.0722 * share(b);
  const paper = one => {
    for (; one; one = one.parentElement) {
      const found = parts(getComputedStyle(one).backgroundColor);
      if (found.length < 4 || found[3] > 0) return light(found);
    }
  };
  const ratio = one => {
    const [a, b] = [light(parts(getComputedStyle(one).color)), paper(one)];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  };
  return [...document.querySelectorAll("main *, header *")]
    .filter(one => [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
    .filter(one => !one.closest("svg") && ratio(one) < 4.5)
    .map(one => `${one.tagName}.${one.className} ${ratio(one).toFixed(2)}`);
})()
"""


@pytest.fixture(scope="module")
def opened() -> Iterator[Browser]:
    program = browser.find()
    if program is None:
        pytest.skip(f"none of {', '.join(browser.PROGRAMS)} is on PATH")
    with Browser(program) as started:
        yield started


@pytest.fixture
def page(opened: Browser, tmp_path: Path) -> Browser:
    """The browser with the page freshly loaded."""
    path = tmp_path / "budget.html"
    path.write_text(render(samples.report()), encoding="utf-8")
    opened.complaints.clear()
    opened.look(1200)
    opened.open(path)
    return opened


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_a_screenshot_has_the_width_of_the_window(page, tmp_path, width, dark):
    page.look(width, dark=dark)
    page.screenshot(tmp_path / "page.png")

    seen, height = struct.unpack(">II", (tmp_path / "page.png").read_bytes()[16:24])
    assert seen == width  # a wider one would mean that the page is scrolled sideways
    assert height > 2_000
    assert page.run(OUTSIDE) == []
    assert page.complaints == []


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_stands_out_from_its_paper(page, dark):
    page.look(1200, dark=dark)

    assert page.run(FAINT) == []


def test_dark_is_dark(page):
    papers = []
    for dark in (False, True):
        page.look(1200, dark=dark)
        papers.append(page.run("getComputedStyle(document.body).backgroundColor"))

    assert papers == ["rgb(253, 253, 251)", "rgb(21, 21, 20)"]


def test_nothing_is_cut_off_when_all_is_unfolded_on_a_phone(page):
    page.look(360)
    page.run("document.querySelectorAll('details').forEach(one => one.open = true)")

    assert page.run("document.documentElement.scrollWidth") == 360


def test_the_index_is_sorted_by_keyboard(page):
    names = "[...document.querySelectorAll('table.index tbody th')].map(one => one.textContent)"

    page.run("document.querySelector('table.index thead button').focus()")
    page.press_enter()

    assert page.run(names) == sorted(page.run(names))
    assert page.run("document.querySelector('table.index thead th').ariaSort") == "ascending"
    page.press_enter()
    assert page.run(names) == sorted(page.run(names), reverse=True)
    assert page.complaints == []


def test_numbers_are_sorted_as_numbers_and_what_has_none_is_last(page):
    page.run("document.querySelectorAll('table.index thead button')[2].click()")  # headroom

    shown = page.run(
        "[...document.querySelectorAll('table.index tbody tr')]"
        ".map(row => row.querySelector('.headroom data')?.value ?? '')"
    )
    numbers = [float(value) for value in shown if value]
    assert numbers == sorted(numbers)
    assert shown[-1] == ""


def test_links_of_the_index_lead_to_the_scripts(page):
    page.run("document.querySelector('table.index tbody a').focus()")
    page.press_enter()

    assert page.run("document.querySelector(':target').id") == "queue.purge"


def test_everything_is_unfolded_for_the_printer(page):
    page.look(794, media="print")
    page.run("dispatchEvent(new Event('beforeprint'))")

    assert page.run("document.querySelectorAll('details:not([open])').length") == 0
    assert page.send("Page.printToPDF")["data"].startswith("JVBERi")  # %PDF
    assert page.complaints == []
