"""Every known mistake has its test, which says its number in its name."""

from __future__ import annotations

import re
from pathlib import Path

MISTAKES = frozenset(range(1, 36))

ELSEWHERE = {
    31: "inspect/test_slots.py",
}
"""Mistakes that no operation can make, with the test of what answers them."""

TESTS = Path(__file__).parents[1]


def shown() -> set[int]:
    """The numbers that tests of this folder have in their names."""
    texts = [path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py")]
    return {int(number) for text in texts for number in re.findall(r"def test_p(\d+)_", text)}


def test_every_mistake_is_shown() -> None:
    assert shown() | ELSEWHERE.keys() == MISTAKES


def test_those_that_are_elsewhere_are_there() -> None:
    for number, file in ELSEWHERE.items():
        assert re.search(rf"\bP{number}\b", (TESTS / file).read_text(encoding="utf-8"))
