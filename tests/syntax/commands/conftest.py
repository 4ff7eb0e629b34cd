"""The table of the server that a test runs on."""

from __future__ import annotations

import pytest

from redislua.server import Server
from redislua.syntax.commands import LINES, Table, table


@pytest.fixture
def known(server: Server) -> Table:
    """The table of the server's line."""
    product, _, version = server.version.lower().partition(" ")
    line = f"{product}-{'.'.join(version.split('.')[:2])}"
    if line not in LINES:
        pytest.skip(f"there is no table of {line}")
    return table(line)
