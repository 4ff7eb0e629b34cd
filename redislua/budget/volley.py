"""The same commands in one write, again and again.

A pipeline packs and parses each command anew, which takes Python longer than most scripts run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import redis

__all__ = ["Volley"]


class Volley:
    """Commands, packed once.

    Args:
        client: For its encoding.
        commands: Words of each.
    """

    def __init__(self, client: redis.Redis, commands: Sequence[tuple[Any, ...]]) -> None:
        self._pool: Any = client.connection_pool
        connection: Any = self._pool.get_connection()
        self._packed: Any = connection.pack_commands(commands)
        self._pool.release(connection)
        self._count = len(commands)

    def fire(self) -> list[redis.ResponseError]:
        """Write the commands, read their replies, and return those that are errors.

        Raises:
            redis.ConnectionError: The connection is lost.
            redis.TimeoutError: A reply did not come in time.
        """
        errors: list[redis.ResponseError] = []
        connection: Any = self._pool.get_connection()
        try:
            connection.send_packed_command(self._packed)
            for _ in range(self._count):
                try:
                    connection.read_response(disable_decoding=True, disconnect_on_error=False)
                except redis.ResponseError as error:
                    errors.append(error)
        except BaseException:
            connection.disconnect()  # replies may be under way
            raise
        finally:
            self._pool.release(connection)
        return errors
