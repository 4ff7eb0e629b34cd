"""``redislua explain``: the pages of the rules."""

from __future__ import annotations

import pytest

from redislua.lint.page import page
from redislua.lint.rules import all_rules, find_rule
from tests.cli.shell import redislua


def test_without_a_rule_all_are_listed():
    done = redislua("explain")

    assert done.returncode == 0
    for rule in all_rules():
        assert f"{rule.code}  {rule.name}" in done.stdout


@pytest.mark.parametrize("word", ["RL901", "unused-suppression", "rl901"])
def test_a_rule_is_found_by_code_and_name_and_shown_as_it_is_written(word):
    done = redislua("explain", word)
    rule = find_rule("RL901")
    assert rule is not None

    assert done.returncode == 0
    assert done.stdout == page(rule).markdown


def test_a_terminal_gets_it_rendered():
    done = redislua("explain", "RL001", FORCE_COLOR="1", TERM="xterm-256color")

    assert "```" not in done.stdout
    assert "## " not in done.stdout
    assert "\x1b[" in done.stdout
    assert "Why is this bad?" in done.stdout


def test_a_word_that_is_no_rule_exits_2_with_what_was_meant():
    done = redislua("explain", "sintax-error")

    assert done.returncode == 2
    assert "did you mean syntax-error?" in done.stderr
