"""The example in each docstring runs, on a server, as it stands."""

from __future__ import annotations

import doctest
import importlib
from typing import Any

import pytest

from redislua.bindings import limit
from redislua.runtime import watching
from redislua.runtime.watching import Observer
from tests.runtime.watching.watched import watched

MODULES = ("protocol", "breaker", "latency", "whois", "opentelemetry", "prometheus")


class Drivers:
    """``configure`` and ``run`` as the examples use them."""

    def __init__(self) -> None:
        self.observers: dict[Any, Observer] = {}

    def configure(self, client: Any, *, observer: Observer) -> None:
        self.observers[client] = observer

    def run(self, client: Any, call: Any) -> Any:
        return watched(client, self.observers[client], call)


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
    drivers = Drivers()
    example.globs.update({name: getattr(watching, name) for name in watching.__all__})
    example.globs.update(
        client=client,
        configure=drivers.configure,
        run=drivers.run,
        gcra=limit.gcra(subject="example", limit=100, period=1_000_000, burst=10),
    )

    wrong: list[str] = []
    doctest.DocTestRunner().run(example, out=wrong.append, clear_globs=False)

    assert wrong == []
