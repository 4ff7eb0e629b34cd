"""The pytest plugin: servers for a suite, and latency budgets for what it calls.

It is loaded in every run of pytest where redislua is installed, so it imports nothing but
pytest: everything else is imported in the hook or fixture that needs it.

::

    @pytest.mark.latency_budget("limit.gcra", limit="1ms", calls=3)
    def test_a_caller_is_limited(redis_client):
        limit.Limit(redis_client).gcra(subject="user:42", limit=100, period=1, burst=20)
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import redis

    from redislua.pytest_plugin.trace import LuaTrace
    from redislua.server import Cluster, Server

MARKER = "latency_budget"

_WATCH = pytest.StashKey[Any]()
_RECORDER = pytest.StashKey[Any]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of redislua."""
    group = parser.getgroup("redislua", "scripts in Redis and Valkey")
    group.addoption(
        "--redislua-server",
        default="embedded",
        metavar="KIND",
        help="the server of redis_server, redis_client and redis_cluster: embedded (default), "
        "binary:/path/to/redis-server, or container:redis:8.2",
    )
    group.addoption(
        "--redislua-cov",
        action="store_true",
        help="show which lines and branches of the project's scripts ran on redis_server",
    )
    group.addoption(
        "--redislua-cov-report",
        action="append",
        default=[],
        metavar="FORM:FILE",
        help="write that as lcov:FILE or cobertura:FILE; repeatable, implies --redislua-cov",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, and refuse a report that cannot be written."""
    config.addinivalue_line(
        "markers",
        f'{MARKER}(script, limit="1ms", calls=3): every call of the script that the test makes '
        "on redis_server is measured there, and must keep to the limit (default: "
        "[tool.redislua.budget] limit, or 1ms) and run no more commands (default: the header's)",
    )
    if config.getoption("redislua_cov") or config.getoption("redislua_cov_report"):
        from redislua.pytest_plugin import coverage

        config.stash[_RECORDER] = coverage.Recorder(config)
        config.pluginmanager.register(config.stash[_RECORDER], "redislua-coverage")


# --- servers ---------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def redis_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A private server, one for the session: `redislua.server.Server` with ``url``, ``version``."""
    from redislua import server
    from redislua.errors import ServerUnavailable

    try:
        opened = server.start(_kind(request))
    except ServerUnavailable as error:
        pytest.fail(f"--redislua-server: {error}", pytrace=False)
    recorder = request.config.stash.get(_RECORDER, None)
    with opened:
        if recorder is None:
            yield opened
        else:
            with recorder.watching(opened):
                yield opened


@pytest.fixture
def redis_client(redis_server: Server) -> Iterator[redis.Redis]:
    """A blocking client of `redis_server` that gives bytes. The server holds no key."""
    import redis

    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
        yield client


@pytest.fixture(scope="session")
def _redislua_cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    from redislua import server
    from redislua.errors import ServerUnavailable

    try:
        opened = server.start_cluster(_kind(request), replicas=0)
    except ServerUnavailable as error:
        pytest.fail(f"--redislua-server: {error}", pytrace=False)
    with opened:
        yield opened


@pytest.fixture
def redis_cluster(_redislua_cluster: Cluster) -> Cluster:
    """Three primaries that hold no key: `redislua.server.Cluster` with ``addresses``."""
    import redis

    for node in _redislua_cluster.primaries():
        with redis.Redis.from_url(node.url) as client:
            client.flushall()
    return _redislua_cluster


def _kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.config.getoption("redislua_server")
    return kind


# --- what scripts do -------------------------------------------------------------------------


@pytest.fixture
def lua_trace(request: pytest.FixtureRequest, redis_server: Server) -> Iterator[LuaTrace]:
    """The commands of every script that the test runs: ``lua_trace.calls("limit.gcra")``."""
    from redislua.pytest_plugin import trace

    if request.node.get_closest_marker(MARKER):
        pytest.fail(
            f"lua_trace slows the server down, and {MARKER} measures it: use them in two tests",
            pytrace=False,
        )
    with trace.LuaTrace(redis_server.url) as recording:
        yield recording


@pytest.fixture(autouse=True)
def _redislua_budget(request: pytest.FixtureRequest) -> None:
    """Read the test's budgets, and start the server that they hold for."""
    marks = [*request.node.iter_markers(MARKER)]
    if not marks:
        return
    from redislua.pytest_plugin import watch

    # Kept over the runs of one test: what was measured in them is judged together.
    if _WATCH not in request.node.stash:
        request.node.stash[_WATCH] = watch.Watch.of(request.config, marks)
    request.node.stash[_WATCH].server = request.getfixturevalue("redis_server")


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Measure the calls of a marked test, and judge them when it has passed."""
    watched = item.stash.get(_WATCH, None)
    if watched is None:
        return (yield)
    with watched.measuring():
        result = yield
    failure = watched.judge()
    if failure:
        pytest.fail(failure, pytrace=False)
    return result


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run a marked test again while its calls seem too slow: the machine may have been."""
    if item.get_closest_marker(MARKER) is None:
        return None
    from _pytest.runner import runtestprotocol

    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    while True:
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
        watched = item.stash.get(_WATCH, None)
        if watched is None or not watched.wants_another or any(one.failed for one in reports):
            break
        watched.wants_another = False  # unless the next run says so again
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True
