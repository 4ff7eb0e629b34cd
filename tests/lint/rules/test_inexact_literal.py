"""RL328 on whole numbers that are none of Lua's."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import diagnostics, lines

RULE = "RL328"


@pytest.mark.parametrize(
    "number", ["9007199254740993", "9223372036854775807", "0x20000000000001", "1234567890123456789"]
)
def test_a_number_that_becomes_another_is_found(number: str) -> None:
    (found,) = diagnostics(f"return {number}", RULE)

    assert f"`{number}` becomes {float(int(number, 0)):.0f}" in found.message


@pytest.mark.parametrize(
    "number",
    ["9007199254740991", "9007199254740992", "9007199254740994", "1e30", "1e18", "3.14", "0xff"],
)
def test_a_number_that_stays_is_none(number: str) -> None:
    assert lines(f"return {number}", RULE) == []


def test_digits_in_a_text_stay() -> None:
    assert lines("return '9007199254740993'", RULE) == []
