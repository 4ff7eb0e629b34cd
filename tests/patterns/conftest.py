"""Both kinds of client, and faulty networks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.patterns.openers import Opener
from tests.patterns.stage import Stage
from tests.surfaces import Surface


@pytest.fixture(params=["blocking", "asyncio"])
def opener(request: pytest.FixtureRequest, runner: asyncio.Runner) -> Iterator[Opener]:
    """Blocking clients, then asyncio clients."""
    made = Opener(is_async=request.param == "asyncio", runner=runner)
    yield made
    made.close()


@pytest.fixture
def stage(surface: Surface) -> Stage:
    """Both kinds of every pattern, on one server and on a cluster."""
    return Stage(surface)
