"""The ways in which the calls of a client travel."""

from __future__ import annotations

from typing import Any

import pytest

from redislua.runtime import configure
from tests.runtime.callers import Caller


@pytest.fixture(params=[True, False], ids=["shared", "alone"])
def opened(request: pytest.FixtureRequest, caller: Caller) -> Any:
    """``opened(url, …)`` is a client whose calls are coalesced, then one whose calls are not."""

    def open_client(url: str, **options: Any) -> Any:
        client = caller.open(url, **options)
        configure(client, coalesce=request.param)
        return client

    return open_client
