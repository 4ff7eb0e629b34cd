"""``@pytest.mark.latency_budget``: what is allowed, what was measured, and the verdict."""

from __future__ import annotations

import contextlib
import difflib
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import pytest
import redis

from redislua.budget.bench import CALIBRATION, CALIBRATION_US, Round
from redislua.budget.judge import (
    is_too_slow,
    measured_of,
    milliseconds,
    reasons_of_times,
    wants_another,
)
from redislua.budget.model import Case, CaseReport, Cost, Measured
from redislua.budget.settings import HARD_US, LIMIT_US, read_limit, read_time
from redislua.errors import ConfigError
from redislua.pytest_plugin.calls import CallLog, LoggedCall
from redislua.runtime.call import Script
from redislua.runtime.watching.whois import known_scripts
from redislua.server import Server
from redislua.spec.header import parse

_CALIBRATION_SHA1 = hashlib.sha1(CALIBRATION, usedforsecurity=False).hexdigest()
_WARM = 3
_CALIBRATIONS = 25  # before the test, and as many after it
_MANY = 200
"""From so many calls on, the slowest are left out as far as a disturbed calibration explains
them. Of fewer each may be a case of its own: none is left out, and a test that seems too slow
runs again."""
_NO_PROBES = (1,)
_SHOWN = 5  # calls
_LINES = 6  # commands of a call
_WORDS = 70  # characters of a command


@dataclass(slots=True)
class Budget:
    """One mark, and what was measured for it.

    Attributes:
        script: Full name, ``limit.gcra``.
        limit_us: What p99.9 is held against.
        calls: How many commands one call may run; None for what the header says.
        seen: The calls of the last run.
        rounds: The times of all runs.
    """

    script: str
    limit_us: int
    calls: int | None
    seen: list[LoggedCall] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)

    @classmethod
    def of(cls, config: pytest.Config, mark: pytest.Mark) -> Self:
        """Read a mark.

        Raises:
            ConfigError: It is not as it should be; the text says how.
        """
        where = "latency_budget"
        unknown = set(mark.kwargs) - {"limit", "calls"}
        if len(mark.args) != 1 or not isinstance(mark.args[0], str) or unknown:
            raise ConfigError(
                f"{where}: expected a script, and limit= and calls= if need be, as in "
                f'latency_budget("limit.gcra", limit="1ms", calls=3)'
            )
        limit, calls = mark.kwargs.get("limit"), mark.kwargs.get("calls")
        if calls is not None and (type(calls) is not int or calls < 0):
            raise ConfigError(f"{where}: calls={calls!r}: expected a number of commands")
        if limit is None:
            path = config.rootpath / "pyproject.toml"
            limit_us = read_limit(path) if path.is_file() else LIMIT_US
        else:
            limit_us = read_time(f"{where}: limit", limit)
        return cls(mark.args[0], limit_us, calls)

    @property
    def measured(self) -> Measured:
        """All rounds, judged."""
        return measured_of(self.rounds)

    @property
    def is_too_slow(self) -> bool:
        """Whether the times of all runs are beyond the limit."""
        return bool(self.rounds) and is_too_slow(self.measured, self.limit_us, HARD_US)

    @property
    def wants_another(self) -> bool:
        """Whether that may be the machine's doing."""
        return self.is_too_slow and wants_another(self.measured, self.limit_us, HARD_US)


@dataclass(slots=True)
class Watch:
    """The budgets of one test, over all its runs.

    Attributes:
        budgets: One for each mark.
        judges_time: False where something that slows the server down is switched on.
        server: Where calls are measured: `redis_server`.
        lost: Commands that went by unseen.
        wants_another: The last run was too slow, and another one may tell why.
    """

    budgets: list[Budget]
    judges_time: bool
    server: Server | None = None
    lost: int = 0
    wants_another: bool = False

    @classmethod
    def of(cls, config: pytest.Config, marks: Sequence[pytest.Mark]) -> Self:
        """Read the marks of a test; one that cannot be read fails it."""
        slowed = config.getoption("redislua_cov") or config.getoption("redislua_cov_report")
        try:
            return cls([Budget.of(config, mark) for mark in marks], judges_time=not slowed)
        except ConfigError as error:
            pytest.fail(str(error), pytrace=False)

    @contextlib.contextmanager
    def measuring(self) -> Iterator[None]:
        """Collect the calls that are made in the block, and what calibrates their times."""
        if self.server is None:
            raise AssertionError("the fixture has not run")
        self.wants_another = False
        with redis.Redis.from_url(self.server.url) as client, CallLog(self.server) as log:
            self._load(client)
            _calibrate(client, _WARM)
            log.calls()
            _calibrate(client, _CALIBRATIONS)
            calibration = _times(log.calls())
            log.lost = 0
            yield
            seen = log.calls()
            self.lost = log.lost
            _calibrate(client, _CALIBRATIONS)
            calibration += _times(log.calls())
        for budget in self.budgets:
            shas = {script.sha1 for script in _scripts(budget.script)}
            budget.seen = [call for call in seen if call.sha1 in shas]
            if budget.seen:
                samples = tuple(call.microseconds for call in budget.seen)
                probes = tuple(calibration) if len(samples) >= _MANY else _NO_PROBES
                budget.rounds.append(Round(samples, tuple(calibration), probes))

    def _load(self, client: redis.Redis) -> None:
        """Load the scripts, so that EVALSHA of one that is not there is not taken for a call."""
        with client.pipeline(transaction=False) as pipe:
            for budget in self.budgets:
                for script in _scripts(budget.script):
                    pipe.script_load(script.source)
            # What this server cannot compile, the test will be told when it calls.
            pipe.execute(raise_on_error=False)

    def judge(self) -> str:
        """Return why the test fails, or ``""``; with `wants_another`, nothing is said yet."""
        found = [text for text in map(self._counts, self.budgets) if text]
        if not found and self.judges_time:
            self.wants_another = any(budget.wants_another for budget in self.budgets)
            if not self.wants_another:
                found = [text for text in map(self._times, self.budgets) if text]
        return "\n\n".join(found)

    def _counts(self, budget: Budget) -> str:
        if self.lost:
            return (
                f"{budget.script}: {self.lost} commands of the test went by unseen: "
                "it makes more than can be watched"
            )
        if not budget.seen:
            return _never_called(budget.script)
        allowed = _allowed(budget)
        most = max(len(call.commands) for call in budget.seen)
        if most <= allowed:
            return ""
        return self._table(budget, f"a call runs {most} commands, allowed are {allowed}", by_count)

    def _times(self, budget: Budget) -> str:
        if not budget.is_too_slow:
            return ""
        count = len(budget.seen)
        case = Case(f"{count} call{'s' if count > 1 else ''}", "example", None, ())
        report = CaseReport(case, "", Cost(0, (), None, 0, 0), budget.measured)
        (reason,) = reasons_of_times([report], budget.limit_us, HARD_US)
        return self._table(budget, reason.text, by_time)

    def _table(self, budget: Budget, reason: str, order: Any) -> str:
        calls = sorted(budget.seen, key=order, reverse=True)[:_SHOWN]
        lines = [
            f"{_scripts(budget.script)[0]} is over its budget: {reason}",
            f"budget: {_told(budget)}",
            "",
            f"{'server time':>13}  commands",
        ]
        for call in calls:
            lines += _rows(call)
        left = len(budget.seen) - len(calls)
        lines += [f"… and {left} more calls"] if left else []
        return "\n".join([*lines, "", self._conditions(budget)])

    def _conditions(self, budget: Budget) -> str:
        measured, server = budget.measured, self.server
        runs = f"{measured.rounds} run{'s' if measured.rounds > 1 else ''}"
        return (
            f"{server.version if server else ''}, {runs}; the calibration script took "
            f"{milliseconds(measured.calibration.p50)} here, {milliseconds(CALIBRATION_US)} at rest"
        )


def by_time(call: LoggedCall) -> int:
    """Slowest first, reversed."""
    return call.microseconds


def by_count(call: LoggedCall) -> tuple[int, int]:
    """Most commands first, reversed."""
    return len(call.commands), call.microseconds


def _rows(call: LoggedCall) -> Iterator[str]:
    """The time and the commands of a call; the same command in a row is one line."""
    runs: list[tuple[str, int]] = []
    for words in call.commands:
        text = b" ".join(words).decode("utf-8", "backslashreplace")
        text = "".join(each if each.isprintable() else "·" for each in text)
        text = f"{text[: _WORDS - 1]}…" if len(text) > _WORDS else text
        if runs and runs[-1][0] == text:
            runs[-1] = (text, runs[-1][1] + 1)
        else:
            runs.append((text, 1))
    yield f"{milliseconds(call.microseconds):>13}  {len(call.commands)}"
    for text, times in runs[:_LINES]:
        yield f"{'':>13}    {text}{f'  x {times}' if times > 1 else ''}"
    if len(runs) > _LINES:
        yield f"{'':>13}    … {len(runs) - _LINES} more"


def _scripts(name: str) -> list[Script]:
    """The scripts of a name that are imported."""
    return [script for script in known_scripts().values() if name in (script.name, str(script))]


def _never_called(name: str) -> str:
    if _scripts(name):
        return f"{name}: the test made no call of it on redis_server"
    known = sorted({script.name for script in known_scripts().values()})
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else "is its module imported?"
    return f"no script is called {name!r}: {hint}"


def _allowed(budget: Budget) -> int:
    """The mark's number of commands, or else the header's."""
    if budget.calls is not None:
        return budget.calls
    return max(_declared(script) for script in _scripts(budget.script))


def _told(budget: Budget) -> str:
    times = f"limit {milliseconds(budget.limit_us)} (p99.9), none over {milliseconds(HARD_US)}"
    return f"{times}, {_allowed(budget)} commands a call"


def _declared(script: Script) -> int:
    family, _, rest = script.file.partition("/")
    name, _, tail = rest.partition(".v")
    major = int(tail.removesuffix(".lua"))
    spec = parse(script.file, script.source, family=family, name=name, major=major)
    return spec.budget.calls


def _calibrate(client: redis.Redis, times: int) -> None:
    with client.pipeline(transaction=False) as pipe:
        pipe.script_load(CALIBRATION)
        queue: Any = pipe.execute_command
        for _ in range(times):
            queue("EVALSHA", _CALIBRATION_SHA1, 0)
        pipe.execute()


def _times(calls: Sequence[LoggedCall]) -> list[int]:
    return [call.microseconds for call in calls if call.sha1 == _CALIBRATION_SHA1]
