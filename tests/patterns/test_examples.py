"""The examples in the docstrings of patterns, run as they stand."""

from __future__ import annotations

import doctest
from typing import Any

import pytest

from redislua.patterns import cache, delayed_queue, idempotency, rate_limiter

MODULES = [cache, delayed_queue, idempotency, rate_limiter]


@pytest.mark.client_side
@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_its_examples_run(module: Any, client: Any) -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = [one for one in finder.find(module) if one.examples]
    wrong: list[str] = []
    for example in found:
        example.globs.update(vars(module), client=client)
        doctest.DocTestRunner().run(example, out=wrong.append)

    assert found
    assert wrong == []
