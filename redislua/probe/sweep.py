"""Every example on the engine, and around each of its calls the trials: what they run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import redis

from redislua.probe.coverage import Coverage
from redislua.probe.engine import Engine, Run, TooLong, copy_of
from redislua.probe.engine.play import play
from redislua.probe.examples import Operation
from redislua.probe.snapshot import Snapshot, snapshot
from redislua.probe.trials import Trial, bad_arguments, damaged, other_clocks, restore, too_long
from redislua.runtime.call import Call
from redislua.spec.model import Script
from redislua.spec.registry import Registry

__all__ = ["Moment", "Swept", "moments", "run_trial", "sweep", "trials"]

PATIENCE = 2_000_000
"""Instructions for a call of an example or a trial: more than 5 ms of a server take."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found.

    Attributes:
        examples: What the examples alone run.
        all: What they run with the trials.
        problems: Calls that did not end, in words.
    """

    examples: Coverage
    all: Coverage
    problems: list[str]


class Moment(NamedTuple):
    """A call of a script's example, about to be run.

    Attributes:
        call: The call.
        text: Its line, as written.
        state: The dataset at this moment.
    """

    call: Call[Any]
    text: str
    state: Snapshot


def sweep(
    registry: Registry,
    operations: Mapping[str, Operation],
    url: str,
    scripts: Iterable[Script],
    on_script: Callable[[str], None] = lambda _: None,
) -> Swept:
    """Run the examples of some scripts on the engine, and the trials around their calls.

    Args:
        registry: All scripts.
        operations: By full name.
        url: A private server. It is left empty.
        scripts: Whose examples to run; other scripts that they call are not reported.
        on_script: Told the name of each script before it is swept.
    """
    swept = Swept(Coverage(), Coverage(), [])
    with Engine(url, limit=PATIENCE) as engine, redis.Redis.from_url(url) as client:
        for script in scripts:
            on_script(script.full_name)
            _sweep(_Ground(registry, operations, engine, client), script, swept)
        client.flushall()
    return swept


def moments(
    registry: Registry,
    operations: Mapping[str, Operation],
    client: Any,
    script: Script,
    run: Callable[[Call[Any]], Any],
) -> Iterator[Moment]:
    """Yield each of a script's own calls in its examples, at the state that it meets.

    What is done to the dataset meanwhile is undone before the call is run and the example
    goes on.

    Args:
        registry: All scripts.
        operations: By full name.
        client: A redis-py client of the dataset, which each example finds empty.
        script: Whose examples to play.
        run: Runs a call and returns its typed reply, or raises a CallError.
    """
    for example in script.examples:
        client.flushall()
        for step in play(registry, operations, script, example, run):
            if step.operation.spec.file == script.file:
                state = snapshot(client)
                yield Moment(step.call, step.line.text, state)
                restore(client, state)


def trials(
    script: Script, moment: Moment, known: Iterable[Call[Any]], client: Any
) -> Iterator[Trial]:
    """All trials at one moment but those of bad arguments; see `redislua.probe.trials`.

    The dataset is that of the moment before each of them.
    """
    others = {other.args: replace(moment.call, args=other.args) for other in known}
    found = [Trial("the arguments of another call", call) for call in others.values()]
    found += too_long(script, moment.call)
    found += damaged(script, moment.call, moment.state, client)
    found += other_clocks(moment.call)
    for trial in found:
        restore(client, moment.state)
        yield trial


def run_trial(engine: Engine, client: Any, trial: Trial, **options: Any) -> Run:
    """Run a trial on the dataset as it is, with the options of `Engine.run`."""
    if trial.change is not None:
        trial.change(client)
    clock = None
    if trial.shift:
        seconds, microseconds = client.time()
        clock = seconds * 1_000_000 + microseconds + trial.shift
    return engine.run(trial.call, clock=clock, **options)


class _Ground(NamedTuple):
    registry: Registry
    operations: Mapping[str, Operation]
    engine: Engine
    client: Any


def _sweep(ground: _Ground, script: Script, swept: Swept) -> None:
    """Sweep one script, and add what it ran."""
    engine, client = ground.engine, ground.client
    libraries = copy_of(script.source).libraries
    for coverage in (swept.examples, swept.all):
        one = coverage.file(script.file, script.source)
        one.why_not = f"not measured: it uses {', '.join(libraries)}" if libraries else ""
    if libraries:
        return

    def example(call: Call[Any]) -> Any:
        try:
            run = engine.run(call, watch="lines")
        except TooLong as error:
            swept.problems.append(str(error))
            raise
        if call.script.file == script.file:
            swept.examples.add(run)
            swept.all.add(run)
        return run.typed()

    def tried(trial: Trial, text: str) -> None:
        try:
            swept.all.add(run_trial(engine, client, trial, watch="lines"))
        except TooLong as error:
            swept.problems.append(f"{error} ({text}; {trial.what})")

    def again(call: Call[Any]) -> Any:
        return engine.run(call).typed()

    played = ground.registry, ground.operations, client, script
    known = [moment.call for moment in moments(*played, example)]
    for call in {call.args: call for call in known}.values():
        for trial in bad_arguments(script, call):
            client.flushall()
            tried(trial, "on an empty database")
    for moment in moments(*played, again):
        for trial in trials(script, moment, known, client):
            tried(trial, moment.text)
