"""The registry of rules: every rule is complete, and its page says the truth."""

from __future__ import annotations

import re

import pytest

from redislua.lint.diagnostic import Severity
from redislua.lint.engine import lint_sources
from redislua.lint.page import Example, index, page
from redislua.lint.rule import AnyRule
from redislua.lint.rules import all_rules, find_rule
from redislua.lint.settings import Settings

RULES = all_rules()


def codes(rule: AnyRule, example: Example) -> set[str]:
    """What all rules find in an example; a rule that is off is asked on its own page."""
    settings = Settings(targets=example.targets)
    found = lint_sources(example.sources, settings)
    if not rule.is_default:
        found += lint_sources(example.sources, Settings((rule.code,), targets=example.targets))
    return {one.code for one in found}


def test_rules_are_sorted_and_no_code_or_name_is_used_twice():
    assert [rule.code for rule in RULES] == sorted({rule.code for rule in RULES})
    assert len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_is_complete(rule):
    text = page(rule)

    assert re.fullmatch(r"RL\d{3}", rule.code)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule.name)
    assert isinstance(rule.severity, Severity)
    assert text.summary.endswith(".")
    assert not re.search(r"\n{3}", text.markdown)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rules_file_is_called_like_it(rule):
    module = type(rule).__module__.rpartition(".")[2]

    assert module == rule.name.replace("-", "_")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_the_bad_examples_fire_the_rule_and_no_other(rule):
    for example in page(rule).examples:
        if not example.is_good:
            assert codes(rule, example) == {rule.code}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_the_good_examples_fire_no_rule(rule):
    for example in page(rule).examples:
        if example.is_good:
            assert codes(rule, example) == set()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_offers_fixes_if_and_only_if_it_says_so(rule):
    every = Settings(select=("ALL", rule.code))
    bad = [one for one in page(rule).examples if not one.is_good]
    found = [finding for one in bad for finding in lint_sources(one.sources, every)]

    assert any(finding.fix for finding in found if finding.code == rule.code) is rule.fixable


def test_rules_are_found_by_code_and_name_in_any_case():
    assert find_rule("rl001") is find_rule("Syntax-Error") is RULES[0]
    assert find_rule("RL00") is None


def test_the_index_has_a_row_for_each_rule():
    rows = index(RULES).splitlines()

    assert len(rows) == len(RULES) + 2
    assert rows[2].startswith("| RL001 | syntax-error | error |")
    assert {row.count(" | ") for row in rows[2:]} == {4}


# --- the conventions of a page ---------------------------------------------------------------

GOOD_PAGE = """One sentence.

    ## Why is this bad?
    Because.

    ## Example
    ```lua redis>=7.4
    -- file: a/one.v1.lua
    return 1
    -- file: a/two.v1.lua
    return 2
    ```

    Use instead:
    ```lua
    return 3
    ```

    ## Limits
    None.
    """


def made(text: str) -> AnyRule:
    """A rule with this page."""
    members = {"__doc__": text, "code": "RL999", "name": "made-up", "severity": Severity.INFO}
    rule: AnyRule = type("MadeUp", (AnyRule,), members)()
    return rule


def test_an_example_may_hold_several_scripts_and_name_its_targets():
    bad, good = page(made(GOOD_PAGE)).examples

    assert bad.sources == {"a/one.v1.lua": b"return 1\n", "a/two.v1.lua": b"return 2\n"}
    assert (bad.targets, bad.is_good) == (("redis>=7.4",), False)
    assert (good.sources, good.targets, good.is_good) == (
        {"example.lua": b"return 3\n"},
        (),
        True,
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("One sentence.", ""),
        ("One sentence.", "Two\n    lines."),
        ("## Limits", "## Limit"),
        ("## Why is this bad?", "Why?"),
        ("Use instead:", "Or:"),
        ("None.\n", "\n"),
    ],
)
def test_a_page_that_does_not_follow_the_conventions_is_refused(old, new):
    assert old in GOOD_PAGE
    with pytest.raises(ValueError, match="RL999"):
        page(made(GOOD_PAGE.replace(old, new)))
