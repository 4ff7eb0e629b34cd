"""The rules, found by being in this folder: one class in each module."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache

from redislua.lint.rule import AnyRule, RegistryRule, Rule

__all__ = ["all_rules", "find_rule"]


@cache
def all_rules() -> tuple[AnyRule, ...]:
    """One instance of every rule, sorted by code."""
    rules = [_rule(found.name) for found in pkgutil.iter_modules(__path__)]
    return tuple(sorted(rules, key=lambda rule: rule.code))


def _rule(module_name: str) -> AnyRule:
    module = importlib.import_module(f"{__name__}.{module_name}")
    classes = [
        member
        for member in vars(module).values()
        if inspect.isclass(member)
        and issubclass(member, Rule | RegistryRule)
        and member.__module__ == module.__name__
    ]
    if len(classes) != 1:
        raise AssertionError(f"{module.__name__} has {len(classes)} rules: expected one")
    rule: AnyRule = classes[0]()
    return rule


def find_rule(word: str) -> AnyRule | None:
    """The rule of that code or name, in any case."""
    wanted = word.strip().lower()
    return next((rule for rule in all_rules() if wanted in (rule.code.lower(), rule.name)), None)
