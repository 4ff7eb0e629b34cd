"""Both drivers on cluster clients of both libraries."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import ModuleType

import pytest
import redis
import valkey

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
