"""``redislua explain``."""

from __future__ import annotations

import difflib

import click
from rich.markdown import Markdown
from rich.table import Table

from redislua.cli.console import exits, stdout
from redislua.errors import ConfigError
from redislua.lint.page import page
from redislua.lint.rule import AnyRule
from redislua.lint.rules import all_rules, find_rule


@click.command("explain")
@click.argument("rules", nargs=-1, metavar="[RULE]...")
@exits
def command(rules: tuple[str, ...]) -> int:
    """Show what a lint rule finds, why that is bad, and what to do instead.

    A RULE is a code or a name; without any, all rules are listed.

    \b
    Examples:
      redislua explain
      redislua explain RL001 unused-suppression
    """
    console = stdout()
    if not rules:
        console.print(_list(), soft_wrap=False)
        return 0
    for number, rule in enumerate([_find(word) for word in rules]):
        text = page(rule).markdown
        if number:
            console.print()
        if console.is_terminal:
            console.print(Markdown(text), soft_wrap=False)
        else:
            console.print(text, end="", markup=False, emoji=False)
    return 0


def _list() -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("code", "name", "severity"):
        table.add_column(heading, no_wrap=True)
    table.add_column("finds")
    for rule in all_rules():
        severity = rule.severity.value if rule.is_default else f"{rule.severity}, off"
        table.add_row(rule.code, rule.name, severity, page(rule).summary)
    return table


def _find(word: str) -> AnyRule:
    rule = find_rule(word)
    if rule is None:
        known = [name for rule in all_rules() for name in (rule.code, rule.name)]
        near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else "`redislua explain` lists all rules"
        raise ConfigError(f"no lint rule is called {word!r}: {hint}")
    return rule
