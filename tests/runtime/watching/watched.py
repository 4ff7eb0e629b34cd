"""Calls that are watched, and calls that were never made, for observers to be told of."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from redislua.runtime import Call, configure, run
from redislua.runtime.watching import Ended, Observer, Outcome
from tests.runtime.samples import call

T = TypeVar("T")


def made(name: str = "sample.script", *, keys: tuple[bytes, ...] = (b"{sample}",)) -> Call[Any]:
    """A call of a script of this name, whose source is the name's own."""
    plain = call(f"return {name!r}")
    return replace(plain, script=replace(plain.script, name=name), keys=keys)


def ended(
    milliseconds: float,
    *,
    of: Call[Any] | None = None,
    outcome: Outcome = "replied",
    error: BaseException | None = None,
) -> Ended:
    """A call that took so long."""
    return Ended(of or made(), milliseconds / 1_000, outcome, error)


def watched(client: Any, observer: Observer, call: Call[T]) -> T:
    """Run a call on a client that has this observer."""
    configure(client, observer=observer)
    try:
        return run(client, call)
    finally:
        configure(client, observer=None)


def at_once(*tasks: Callable[[], object]) -> None:
    """Run each task in a thread of its own, all at the same moment."""
    start = threading.Barrier(len(tasks))

    def run_one(task: Callable[[], object]) -> None:
        start.wait()
        task()

    threads = [threading.Thread(target=run_one, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
