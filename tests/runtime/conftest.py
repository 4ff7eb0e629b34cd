"""Faulty networks, servers of a test's own, and both drivers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.runtime.callers import Caller


@pytest.fixture(params=["blocking", "asyncio"])
def caller(request: pytest.FixtureRequest, runner: asyncio.Runner) -> Iterator[Caller]:
    """The blocking driver, then the asyncio driver."""
    opened = Caller(is_async=request.param == "asyncio", runner=runner)
    yield opened
    opened.close()
