"""A rule is not asked for a file that has nothing of what it lives on: it would find nothing."""

from __future__ import annotations

from functools import cache

import pytest

from redislua.lint.page import page
from redislua.lint.rule import Rule
from redislua.lint.rules import all_rules
from redislua.syntax.chunk import Chunk, parse
from tests.lint.corpus.labels import samples

CHOOSY = [rule for rule in all_rules() if isinstance(rule, Rule) and rule.needs]


@cache
def chunks() -> list[Chunk]:
    """The foreign scripts, and the examples of every rule."""
    blocks = [example for rule in all_rules() for example in page(rule).examples]
    sources = [source for block in blocks for source in block.sources.values()]
    return [parse(source) for source in (*(sample.source for sample in samples()), *sources)]


def found(rule: Rule, *, has_needs: bool) -> list[str]:
    return [
        finding.message
        for chunk in chunks()
        if has_needs is not rule.needs.isdisjoint(chunk.contents)
        for finding in rule.check(chunk)
    ]


@pytest.mark.parametrize("rule", CHOOSY, ids=lambda rule: rule.code)
def test_a_rule_finds_something_only_where_there_is_what_it_needs(rule: Rule) -> None:
    assert not found(rule, has_needs=False)
    assert found(rule, has_needs=True)


def test_contents_are_classes_commands_and_functions() -> None:
    chunk = parse(
        b"local f = table.insert f(a, ('x'):rep(2)) (a or b)() redis.call('config', 'GET', 'x')"
    )

    strings = {one for one in chunk.contents if isinstance(one, str)}
    assert strings == {"table.insert", ":rep", "redis.call", "CONFIG GET"}
    assert {one.__name__ for one in chunk.contents if isinstance(one, type)} >= {"Call", "Local"}
