"""Which rules a run asks: codes, beginnings of codes and names, resolved."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from redislua.errors import ConfigError
from redislua.lint.rule import AnyRule
from redislua.lint.rules import all_rules
from redislua.lint.settings import Settings

__all__ = ["codes", "selected"]

EVERYTHING = "ALL"


def selected(settings: Settings) -> tuple[AnyRule, ...]:
    """The rules to run, sorted by code.

    A rule that is off by default is run only if its whole code or its name is selected.

    Raises:
        ConfigError: When a word names no rule.
    """
    chosen = {rule.code for rule in all_rules() if rule.is_default}
    if settings.select:
        exact = {word.upper() for word in settings.select} | set(settings.select)
        chosen = {
            rule.code
            for rule in all_rules()
            if rule.code in codes(settings.select)
            and (rule.is_default or rule.code in exact or rule.name in exact)
        }
    chosen -= codes(settings.ignore)
    for _, words in settings.per_file_ignores:
        codes(words)
    return tuple(rule for rule in all_rules() if rule.code in chosen)


def codes(words: Iterable[str]) -> set[str]:
    """The codes of all rules that the words name.

    Raises:
        ConfigError: When a word names none.
    """
    found: set[str] = set()
    for word in words:
        matches = {rule.code for rule in all_rules() if _names(word, rule)}
        if not matches:
            raise ConfigError(_unknown(word))
        found |= matches
    return found


def _names(word: str, rule: AnyRule) -> bool:
    upper = word.strip().upper()
    if upper == EVERYTHING or word.strip().lower() == rule.name:
        return True
    return upper.startswith("R") and rule.code.startswith(upper)


def _unknown(word: str) -> str:
    known = [name for rule in all_rules() for name in (rule.code, rule.name)]
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.75)
    hint = f"did you mean {near[0]}?" if near else "`redislua explain` lists all rules"
    return f"no lint rule is called {word!r}: {hint}"
