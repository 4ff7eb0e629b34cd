"""The README's table of systems: complete, and each row speaks of what is there and is tested."""

from __future__ import annotations

import importlib
import pkgutil
import re
from dataclasses import dataclass
from typing import Any

import click
import pytest

import redislua.patterns
from redislua.cli.verbs import group
from redislua.spec.registry import load
from tests.cli.shell import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
SYSTEMS = 33


@dataclass(frozen=True)
class Row:
    number: str
    system: str
    things: tuple[str, ...]
    pages: tuple[str, ...]
    tests: tuple[str, ...]


def rows() -> list[Row]:
    table = README.split("## What it replaces")[1].split("\n## ")[0]
    found = []
    for line in table.splitlines():
        if re.match(r"\| S\d+ \|", line):
            number, system, here, tests = (cell.strip() for cell in line.strip("| ").split(" | "))
            found.append(
                Row(
                    number,
                    system,
                    tuple(re.findall(r"`([^`]+)`", here)),
                    tuple(re.findall(r"\]\(#([^)]+)\)", here)),
                    tuple(re.findall(r"\]\(([^)#]+)\)", tests)),
                )
            )
    return found


ROWS = rows()
SCRIPTS = {script.full_name for script in load(ROOT / "scripts").scripts}


def classes() -> dict[str, Any]:
    """The public classes and functions of patterns, by name."""
    found: dict[str, Any] = {}
    for one in pkgutil.iter_modules(redislua.patterns.__path__):
        if not one.name.startswith("_"):
            module = importlib.import_module(f"redislua.patterns.{one.name}")
            found.update({name: getattr(module, name) for name in module.__all__})
    return found


def is_there(thing: str) -> bool:
    """Whether a script, a verb with its options, or a class with its method exists."""
    if thing.startswith("redislua "):
        verb, *options = thing.split()[1:]
        command = group.get_command(click.Context(group), verb)
        known = {name for one in command.params for name in one.opts} if command else set()
        return command is not None and set(options) <= known
    if thing in SCRIPTS:
        return True
    name, _, method = thing.partition(".")
    found = classes().get(name)
    return found is not None and (not method or callable(getattr(found, method, None)))


def anchors() -> set[str]:
    titles = re.findall(r"^#+ (.+)$", README, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_system_has_one_row() -> None:
    assert [row.number for row in ROWS] == [f"S{number}" for number in range(1, SYSTEMS + 1)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.number)
def test_what_serves_a_system_is_there_and_its_tests_speak_of_it(row: Row) -> None:
    assert row.things or row.pages
    assert [thing for thing in row.things if not is_there(thing)] == []
    assert set(row.pages) <= anchors()
    assert row.tests
    texts = [(ROOT / test).read_text(encoding="utf-8") for test in row.tests]
    assert all("def test_" in text for text in texts)
    words = {re.split(r"[ .]", thing)[-1].lstrip("-") for thing in row.things}
    assert not words or any(word in text for word in words for text in texts), words


def test_the_test_sees_what_is_not_there() -> None:
    for thing in ("redislua nothing", "redislua doctor --nothing", "limit.nothing", "Cache.nil"):
        assert not is_there(thing)
    assert is_there("redislua doctor --explain")
