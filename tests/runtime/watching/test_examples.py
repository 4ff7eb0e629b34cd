"""The example in each docstring runs, on a server, as it stands."""

from __future__ import annotations

import doctest
import importlib
from typing import Any

import pytest

from redislua.bindings import limit
from redislua.runtime import configure, run, watching

MODULES = ("protocol", "breaker", "latency", "whois", "opentelemetry", "prometheus")


def examples() -> list[Any]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = []
    for name in MODULES:
        module = importlib.import_module(f"redislua.runtime.watching.{name}")
        found += [
            pytest.param(one, id=one.name.rpartition("watching.")[2])
            for one in finder.find(module)
            if one.examples
        ]
    return found


@pytest.mark.parametrize("example", examples())
def test_it_runs(client: Any, example: doctest.DocTest) -> None:
    example.globs.update({name: getattr(watching, name) for name in watching.__all__})
    example.globs.update(
        client=client,
        configure=configure,
        run=run,
        gcra=limit.gcra(subject="example", limit=100, period=1_000_000, burst=10),
    )

    wrong: list[str] = []
    doctest.DocTestRunner().run(example, out=wrong.append, clear_globs=False)

    configure(client, observer=None)
    assert wrong == []
