"""What a project may say of its budgets."""

from __future__ import annotations

import pytest

from redislua.budget.settings import LIMIT_US, Settings, read_limit, read_time
from redislua.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("", LIMIT_US),
        ("[tool.redislua]\n", LIMIT_US),
        ("[tool.redislua.budget]\n", LIMIT_US),
        ('[tool.redislua.budget]\nlimit = "2ms"\n', 2_000),
        ('[tool.redislua.budget]\nlimit = "0.5ms"\n', 500),
        ('[tool.redislua.budget]\nlimit = "750us"\n', 750),
        ('[tool.redislua.budget]\nlimit = "5ms"\n', 5_000),
    ],
)
def test_a_limit_is_read_in_microseconds(text, limit, tmp_path):
    path = tmp_path / "pyproject.toml"
    path.write_text(text)

    assert read_limit(path) == limit


@pytest.mark.parametrize("value", ["0us", "5.1ms", "1s", "1", "ms", "-1ms", 1, None, ""])
def test_a_limit_that_is_no_time_up_to_the_hard_line_is_refused(value):
    with pytest.raises(ConfigError, match=r"limit: .*expected a time up to 5 ms"):
        read_time("limit", value)


def test_an_unknown_key_is_refused(tmp_path):
    path = tmp_path / "pyproject.toml"
    path.write_text("[tool.redislua.budget]\nlimits = 1\n")

    with pytest.raises(ConfigError, match=r"\[tool.redislua.budget\]: expected a table with limit"):
        read_limit(path)


def test_quick_makes_fewer_calls_under_the_same_limit():
    assert Settings.quick(700).calls < Settings().calls
    assert Settings.quick(700).limit_us == 700
