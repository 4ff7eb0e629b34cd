"""The examples in the docstrings of patterns, run as they stand."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from typing import Any

import pytest

import redislua.patterns

FINDER = doctest.DocTestFinder(exclude_empty=True)


def with_examples() -> list[Any]:
    """The public modules of patterns that show how they are used."""
    names = [one.name for one in pkgutil.iter_modules(redislua.patterns.__path__)]
    modules = [
        importlib.import_module(f"redislua.patterns.{name}")
        for name in names
        if not name.startswith("_")
    ]
    return [module for module in modules if any(one.examples for one in FINDER.find(module))]


MODULES = with_examples()


@pytest.mark.client_side
@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_its_examples_run(module: Any, client: Any) -> None:
    found = [one for one in FINDER.find(module) if one.examples]
    wrong: list[str] = []
    for example in found:
        example.globs.update(vars(module), client=client)
        doctest.DocTestRunner().run(example, out=wrong.append)

    assert found
    assert wrong == []


def test_the_patterns_that_people_pick_up_show_how_they_are_used() -> None:
    shown = {module.__name__.rpartition(".")[2] for module in MODULES}

    assert {"cache", "rate_limiter", "lock", "semaphore", "leader", "idempotency"} <= shown
    assert {"delayed_queue", "record_store"} <= shown
