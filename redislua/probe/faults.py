"""What a script leaves behind when one of its commands fails: nothing is taken back.

Two kinds of failure are tried around each call of the examples.

* *It can fail*: the trials of `redislua.probe.trials` (bad arguments, keys of another type,
  garbage in them) for real, and each command at a key whose type nothing in the call has
  looked at yet, or that reads a number, with the error it would have. Whatever was written
  before is a defect: a check belongs before it.
* *It can only be refused*: every other command, by an ACL that lacks it, or by a server
  that looks at its memory again. Then the same call is sent again, as ``@retry`` allows.
  ``safe``: it must end as if nothing had failed. ``conservative``: as that, or as if the
  call had been made twice. ``never``: nothing may have been written.

OOM, READONLY, MISCONF and NOREPLICAS come before the first line of a script with a
shebang, and not between two commands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import redis

from redislua.errors import RedisLuaError
from redislua.probe.engine import Engine, Fault, Run, Sent, TooLong, copy_of
from redislua.probe.examples import Operation
from redislua.probe.snapshot import Snapshot, snapshot
from redislua.probe.sweep import PATIENCE, Moment, moments, run_trial, trials
from redislua.probe.trials import Trial, bad_arguments, restore
from redislua.runtime.call import Call
from redislua.spec.model import Script
from redislua.spec.registry import Registry
from redislua.syntax.commands import LINES, Command, table

__all__ = ["Left", "find_left"]

WRONGTYPE = b"WRONGTYPE Operation against a key holding the wrong kind of value"
NO_NUMBER = b"ERR value is not an integer or out of range"
REFUSED = b"NOPERM this user has no permissions to run the command"

_TYPED = frozenset(
    {"string", "hash", "list", "set", "sorted-set", "stream", "geo", "hyperloglog", "bitmap"}
)
_ANY_TYPE = frozenset({"SET", "SETEX", "PSETEX", "MSET", "MGET"})
_REMOVES = frozenset({"DEL", "UNLINK"})
_NUMERIC = frozenset({"INCR", "INCRBY", "INCRBYFLOAT", "DECR", "DECRBY", "HINCRBY", "HINCRBYFLOAT"})
_LINE = re.compile(rb"user_script:(\d+)")
_SLACK_MS = 60_000
"""By how much an expiry may differ that was set by a span, in two runs one after the other."""


@dataclass(frozen=True, slots=True)
class Left:
    """Writes that stayed behind a failure.

    Attributes:
        script: The script.
        kind: ``fails``: it can happen. ``refused``: by an ACL, and a resend does not mend it.
        example: The line of the example around which it was found.
        why: What was wrong, in words.
        line: Where the script failed, in its file; 0 where that is not known.
        failed: The command that failed, or the error.
        writes: What was written before, in order.
        keys: The keys that are not what they were.
    """

    script: Script
    kind: Literal["fails", "refused"]
    example: str
    why: str
    line: int
    failed: str
    writes: tuple[Sent, ...]
    keys: tuple[bytes, ...]


def find_left(
    registry: Registry,
    operations: Mapping[str, Operation],
    url: str,
    scripts: Iterable[Script],
    on_script: Callable[[str], None] = lambda _: None,
) -> Iterator[Left]:
    """Fail each command of each call of the examples, and yield what is left behind.

    One that is found around several calls is yielded once.

    Args:
        registry: All scripts.
        operations: By full name.
        url: A private server. It is left empty.
        scripts: Whose examples to take; those that need a library which the engine does not
            have are passed over (`redislua.probe.engine.missing_libraries`).
        on_script: Told the name of each script before it is tried.
    """
    with Engine(url, limit=PATIENCE) as engine, redis.Redis.from_url(url) as client:
        for script in scripts:
            on_script(script.full_name)
            if copy_of(script.source).libraries:
                continue
            seen: set[tuple[object, ...]] = set()
            for left in _Search(registry, operations, engine, client, script).run():
                mark = (left.kind, left.line, *(sent.line for sent in left.writes))
                if mark not in seen:
                    seen.add(mark)
                    yield left
        client.flushall()


class _Search(NamedTuple):
    registry: Registry
    operations: Mapping[str, Operation]
    engine: Engine
    client: Any
    script: Script

    def run(self) -> Iterator[Left]:
        def plainly(call: Call[Any]) -> Any:
            return self.engine.run(call).typed()

        played = (self.registry, self.operations, self.client, self.script, plainly)
        known = {moment.call.args: moment.call for moment in moments(*played)}
        for moment in moments(*played):
            yield from self._of_trials(moment, known.values())
            yield from self._of_commands(moment)

    def _of_trials(self, moment: Moment, known: Iterable[Call[Any]]) -> Iterator[Left]:
        """Faults that are there: in the arguments and in the keys."""
        for trial in bad_arguments(self.script, moment.call):
            restore(self.client, moment.state)
            yield from self._tried(moment, trial)
        for trial in trials(self.script, moment, known, self.client):
            yield from self._tried(moment, trial)

    def _tried(self, moment: Moment, trial: Trial) -> Iterator[Left]:
        if trial.change is not None:
            trial.change(self.client)
        before = snapshot(self.client)
        try:
            run = run_trial(self.engine, self.client, trial._replace(change=None))
        except TooLong as error:
            yield self._left(moment, "fails", trial.what, error, before)
            return
        if run.error:
            left = self._left(moment, "fails", trial.what, run, before)
            if left.keys:
                yield left

    def _expired(self, before: Snapshot) -> set[bytes]:
        """The keys whose time is over by now: that they are gone is nobody's doing."""
        seconds, microseconds = self.client.time()
        now_ms = seconds * 1_000 + microseconds // 1_000
        return {key for key, entry in before.items() if (entry.expires_at or now_ms + 1) <= now_ms}

    def _of_commands(self, moment: Moment) -> Iterator[Left]:
        """Faults that are put in place of one command after the other."""
        seconds, microseconds = self.client.time()
        clock = seconds * 1_000_000 + microseconds
        restore(self.client, moment.state)
        whole = self.engine.run(moment.call, clock=clock)
        once = snapshot(self.client)
        if once == moment.state:
            return
        self.engine.run(moment.call, clock=clock)
        ends = {"safe": [once], "conservative": [once, snapshot(self.client)], "never": []}
        for at, error in _errors(whole.commands):
            restore(self.client, moment.state)
            run = self.engine.run(moment.call, clock=clock, fault=Fault(at, error))
            if not run.error:
                continue  # it caught the error, and went on
            kind: Literal["fails", "refused"] = "refused" if error is REFUSED else "fails"
            left = self._left(moment, kind, error.decode(), run, moment.state)
            if not left.keys:
                continue
            if kind == "refused":
                self.engine.run(moment.call, clock=clock)
                if any(_same(snapshot(self.client), end) for end in ends[self.script.retry]):
                    continue
            yield left

    def _left(
        self,
        moment: Moment,
        kind: Literal["fails", "refused"],
        why: str,
        run: Run | RedisLuaError,
        before: Snapshot,
    ) -> Left:
        after = snapshot(self.client)
        over = self._expired(before)
        keys = sorted(
            key
            for key in {*before, *after}
            if before.get(key) != after.get(key) and not (key in over and key not in after)
        )
        if not isinstance(run, Run):
            return Left(self.script, kind, moment.text, why, 0, str(run), (), tuple(keys))
        sent = run.commands[-1] if run.commands and run.commands[-1].error else None
        line = _LINE.search(run.error)
        return Left(
            script=self.script,
            kind=kind,
            example=moment.text,
            why=why,
            line=sent.line if sent else int(line[1]) if line else 0,
            failed=sent.text if sent else run.error.partition(b" script: ")[0].decode(),
            writes=tuple(one for one in run.commands if not one.error and _writes(one)),
            keys=tuple(keys),
        )


def _errors(commands: Iterable[Sent]) -> Iterator[tuple[int, bytes]]:
    """For each command, from 1, the error that it can have, or else the refusal."""
    looked_at: set[bytes] = set()
    gone: set[bytes] = set()
    for at, sent in enumerate(commands, 1):
        row = _row(sent)
        keys = _keys(row, sent)
        is_typed = row is not None and row.group in _TYPED and sent.name not in _ANY_TYPE
        if is_typed and keys - looked_at - gone:
            yield at, WRONGTYPE
        elif sent.name in _NUMERIC and keys - gone:
            yield at, NO_NUMBER
        else:
            yield at, REFUSED
        if sent.name in _REMOVES:
            gone |= keys
        elif is_typed or sent.name in _ANY_TYPE - {"MGET"}:
            looked_at |= keys


def _row(sent: Sent) -> Command | None:
    second = sent.words[1] if len(sent.words) > 1 else None
    rows = (table(line).get(sent.name, second) for line in reversed(LINES))
    return next((row for row in rows if row is not None), None)


def _keys(row: Command | None, sent: Sent) -> set[bytes]:
    if row is None:
        return set()
    return {sent.words[1 + at] for at in row.find_keys(sent.words[1:]).positions}


def _writes(sent: Sent) -> bool:
    row = _row(sent)
    return row is None or "write" in row.flags


def _same(one: Snapshot, other: Snapshot) -> bool:
    """Whether two datasets are equal, but for the time that passed between them."""
    return one.keys() == other.keys() and all(
        mine.kind == theirs.kind
        and mine.value == theirs.value
        and (mine.expires_at is None) == (theirs.expires_at is None)
        and abs((mine.expires_at or 0) - (theirs.expires_at or 0)) <= _SLACK_MS
        for mine, theirs in ((one[key], other[key]) for key in one)
    )
