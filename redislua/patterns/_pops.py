"""Waiting at the end of a list's queue, on a connection of its own."""

from __future__ import annotations

import asyncio

from redislua.patterns._connections import Connector
from redislua.runtime.steps import Address

__all__ = ["apopped", "popped"]

SLACK = 1.0
"""Seconds beyond the wait after which a server that says nothing is taken for gone."""


def popped(connector: Connector, key: bytes, address: Address | None, seconds: float) -> bool:
    """Wait for one element of a list: True when it came.

    Raises:
        Exception: One of ``connector.failures``: the server is not there, or says no.
    """
    connection = connector.connected(address, seconds)
    try:
        connection.send_command("BLPOP", key, f"{seconds:.3f}")
        if not connection.can_read(timeout=seconds + SLACK):
            raise TimeoutError("no answer to BLPOP")
        return connection.read_response(disable_decoding=True) is not None
    finally:
        connection.disconnect()


async def apopped(
    connector: Connector, key: bytes, address: Address | None, seconds: float
) -> bool:
    """`popped` for asyncio."""
    connection = await connector.aconnected(address, seconds)
    try:
        await connection.send_command("BLPOP", key, f"{seconds:.3f}")
        async with asyncio.timeout(seconds + SLACK):
            return await connection.read_response(disable_decoding=True) is not None
    finally:
        await connection.disconnect(nowait=True)
