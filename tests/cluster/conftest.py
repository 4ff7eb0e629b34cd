"""Both drivers on cluster clients of both libraries."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import ModuleType

import pytest
import redis
import valkey

from redislua.server import Cluster, Server, start_cluster
from tests.cluster.callers import ClusterCaller


@pytest.fixture(params=["blocking", "asyncio"])
def caller(request: pytest.FixtureRequest, runner: asyncio.Runner) -> Iterator[ClusterCaller]:
    """The blocking driver, then the asyncio driver."""
    opened = ClusterCaller(is_async=request.param == "asyncio", runner=runner)
    yield opened
    opened.close()


@pytest.fixture(params=[redis, valkey], ids=["redis-py", "valkey-py"])
def library(request: pytest.FixtureRequest) -> ModuleType:
    """Whose clients are used."""
    chosen: ModuleType = request.param
    return chosen


@pytest.fixture(scope="module")
def patient_cluster(server: Server) -> Iterator[Cluster]:
    """Three primaries that take a silent one for alive, so that nothing is moved meanwhile."""
    if server.kind == "url":
        pytest.skip("a server given by its URL is one server, not several")
    config = {"cluster-node-timeout": "60000"}
    with start_cluster(server.kind, replicas=0, config=config) as opened:
        yield opened
