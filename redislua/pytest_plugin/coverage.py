"""``--redislua-cov``: which lines and branches of scripts a suite runs.

Nothing is changed in what the suite talks to. A second server follows `redis_server`, command
by command, as MONITOR tells them; scripts alone do not run there as they are, but in the
engine that sees lines and branches (`redislua.probe.engine`), on the same data. So it does not
matter which client made a call. What the engine does not have (``cjson``) is passed by; a
script that draws lots, or whose answer hangs on a millisecond, may go another way there.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import redislua
from redislua import server as servers
from redislua.errors import ConfigError, NoProject
from redislua.probe.coverage import Coverage, FileCoverage, cobertura, lcov, spans
from redislua.probe.engine import Engine, NotOffered, TooLong
from redislua.probe.engine.wire import Connection
from redislua.probe.monitor import Monitor, Seen
from redislua.pytest_plugin.trace import Cached, digest
from redislua.runtime.call import Call
from redislua.runtime.watching.whois import known_scripts
from redislua.server import Server
from redislua.spec.config import Config, find_config
from redislua.spec.registry import read_sources

FORMS = ("lcov", "cobertura")
_OUTPUT = "redislua_cov"
_EVERY = 0.02  # seconds
_CALLS = frozenset({"EVALSHA", "EVALSHA_RO", "EVAL", "EVAL_RO"})
_NOT_FOLLOWED = frozenset(  # they wait, or are about the connection or the server
    {
        "ACL",
        "AUTH",
        "BLMOVE",
        "BLMPOP",
        "BLPOP",
        "BRPOP",
        "BRPOPLPUSH",
        "BZMPOP",
        "BZPOPMAX",
        "BZPOPMIN",
        "CLIENT",
        "CLUSTER",
        "CONFIG",
        "DEBUG",
        "DISCARD",
        "EXEC",
        "FAILOVER",
        "HELLO",
        "INFO",
        "MONITOR",
        "MULTI",
        "PSUBSCRIBE",
        "PSYNC",
        "QUIT",
        "REPLICAOF",
        "RESET",
        "SELECT",
        "SHUTDOWN",
        "SLAVEOF",
        "SLOWLOG",
        "SSUBSCRIBE",
        "SUBSCRIBE",
        "SYNC",
        "UNWATCH",
        "WAIT",
        "WAITAOF",
        "WATCH",
        "XREAD",
        "XREADGROUP",
    }
)


@dataclass(frozen=True, slots=True)
class Written:
    """A file to write.

    Attributes:
        form: ``lcov`` or ``cobertura``.
        path: Where.
    """

    form: str
    path: Path


class Recorder:
    """Follows the suite's server, and says at the end what ran. A plugin of pytest."""

    def __init__(self, config: pytest.Config) -> None:
        self._coverage = Coverage()
        self._project = _project(config.rootpath)
        self._reports = [_report(value) for value in config.getoption("redislua_cov_report")]

    @contextlib.contextmanager
    def watching(self, server: Server) -> Iterator[None]:
        """Follow a server while the block runs.

        Raises:
            RedisLuaError: It could not be followed; the figures are not complete.
        """
        with servers.start(server.kind) as twin_server, Monitor(server.url) as monitor:
            following = _Following(monitor, _Twin(twin_server.url, self._coverage))
            try:
                yield
            finally:
                following.stop()

    # --- hooks ---

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Hand what a worker of pytest-xdist saw to the one that reports."""
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[_OUTPUT] = json.dumps([_packed(one) for one in self._coverage])

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Take what a worker saw; one that died has nothing to hand over."""
        if error is None:
            for row in json.loads(node.workeroutput.get(_OUTPUT, "[]")):
                _merge(self._coverage, row)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the figures, and write the files."""
        coverage, folder = _of_project(self._coverage, self._project)
        terminalreporter.section("coverage of scripts")
        for line in _table(coverage):
            terminalreporter.write_line(line)
        for report in self._reports:
            report.path.parent.mkdir(parents=True, exist_ok=True)
            report.path.write_text(_text(report.form, coverage, folder), encoding="utf-8")
            terminalreporter.write_line(f"wrote {report.path}")


class _Following:
    """A thread that hands what a server runs to the twin."""

    def __init__(self, monitor: Monitor, twin: _Twin) -> None:
        self._monitor = monitor
        self._twin = twin
        self._ended = threading.Event()
        self._problem: Exception | None = None
        self._thread = threading.Thread(target=self._follow, name="redislua-cov", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Follow to the end; raises what went wrong."""
        self._ended.set()
        self._thread.join()
        self._twin.close()
        if self._problem is not None:
            raise self._problem

    def _follow(self) -> None:
        try:
            is_last = False
            while not is_last:
                is_last = self._ended.wait(_EVERY)
                for seen in self._monitor.collect():
                    self._twin.follow(seen)
        except Exception as error:  # raised again by stop()
            self._problem = error


class _Twin:
    """The second server."""

    def __init__(self, url: str, coverage: Coverage) -> None:
        self._url = url.rpartition("/")[0] if url.startswith("redis") else url.partition("?")[0]
        self._is_socket = not url.startswith("redis")
        self._coverage = coverage
        self._cached = Cached.empty()
        self._open: dict[int, tuple[Connection, Engine]] = {}

    def close(self) -> None:
        for connection, engine in self._open.values():
            connection.close()
            engine.__exit__(None, None, None)

    def follow(self, seen: Seen) -> None:
        """Do what the first server did."""
        if seen.in_script or seen.name in _NOT_FOLLOWED:
            return
        self._cached.note(seen)
        connection, engine = self._on(seen.database)
        if seen.name not in _CALLS or not self._played(engine, seen):
            connection.send(seen.words)

    def _played(self, engine: Engine, seen: Seen) -> bool:
        """Run a call in the engine; False where that cannot be."""
        words = seen.words
        if len(words) < 3 or not words[2].isdigit():
            return False
        is_source = seen.name.startswith("EVAL") and "SHA" not in seen.name
        sha1 = digest(words[1]) if is_source else words[1].decode("ascii", "replace").lower()
        script = known_scripts().get(sha1)
        if script is None or not self._cached.has(sha1):
            return False
        count = int(words[2])
        call = Call(script, words[3 : 3 + count], words[3 + count :], _as_it_is)
        try:
            self._coverage.add(engine.run(call, watch="lines"))
        except NotOffered as error:
            self._coverage.file(script.file, script.source).why_not = str(error)
            return False
        except TooLong as error:
            self._coverage.file(script.file, script.source).why_not = str(error)
        return True

    def _on(self, database: int) -> tuple[Connection, Engine]:
        if database not in self._open:
            place = f"{self._url}?db={database}" if self._is_socket else f"{self._url}/{database}"
            self._open[database] = (Connection(place), Engine(place))
        return self._open[database]


def _as_it_is(reply: Any) -> Any:
    return reply


def _report(value: str) -> Written:
    form, _, path = value.partition(":")
    if form not in FORMS or not path:
        raise pytest.UsageError(
            f"--redislua-cov-report {value}: expected lcov:FILE or cobertura:FILE"
        )
    return Written(form, Path(path))


# --- merging ---------------------------------------------------------------------------------


def _packed(one: FileCoverage) -> dict[str, Any]:
    return {
        "file": one.file,
        "source": one.source.decode("latin-1"),
        "lines": list(one.lines.items()),
        "ways": [[number, way, count] for (number, way), count in one.ways.items()],
        "why_not": one.why_not,
    }


def _merge(coverage: Coverage, row: dict[str, Any]) -> None:
    one = coverage.file(row["file"], row["source"].encode("latin-1"))
    one.lines.update(dict(row["lines"]))
    one.ways.update({(number, way): count for number, way, count in row["ways"]})
    one.why_not = one.why_not or row["why_not"]


def _project(root: Path) -> Config | None:
    try:
        return find_config(root)
    except NoProject:
        return None
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from error


def _of_project(ran: Coverage, config: Config | None) -> tuple[Coverage, str]:
    """The scripts of the project, those included that did not run, and their folder.

    Without a project: all that ran.
    """
    if config is None:
        return ran, ""
    found = Coverage()
    by_source = {one.source: one for one in ran}
    for file, source in read_sources(config.scripts):
        found.file(file, source)
        if source in by_source:
            _merge(found, {**_packed(by_source[source]), "file": file})
    return found, config.scripts.relative_to(config.root).as_posix()


# --- what is said ----------------------------------------------------------------------------


def _text(form: str, coverage: Coverage, folder: str) -> str:
    if form == "lcov":
        return lcov(coverage, folder)
    now = int(time.time() * 1_000)
    return cobertura(coverage, folder, version=redislua.__version__, timestamp=now)


def _table(coverage: Coverage) -> Iterable[str]:
    files = [*coverage]
    if not files:
        yield "no script ran on redis_server"
        return
    width = max(len("script"), *(len(one.file) for one in files))
    yield f"{'script':<{width}}  {'lines':>9}  {'branches':>9}  missing lines"
    for one in files:
        if one.why_not:
            yield f"{one.file:<{width}}  {one.why_not}"
            continue
        lines, ways = f"{one.lines_run}/{len(one.lines)}", f"{one.ways_taken}/{len(one.ways)}"
        missing = spans(one.missing_lines, one.lines)
        yield f"{one.file:<{width}}  {lines:>9}  {ways:>9}  {missing}".rstrip()
    total = f"{100 * coverage.line_share:.0f} %", f"{100 * coverage.way_share:.0f} %"
    yield f"{'all':<{width}}  {total[0]:>9}  {total[1]:>9}"
