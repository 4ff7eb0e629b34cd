"""Somebody who waits on a sharded channel, and can say what was published until now."""

from __future__ import annotations

from typing import Any, Self

import redis


class Listener:
    """A subscription to one channel, which its ``with`` block ends."""

    def __init__(self, client: redis.Redis, channel: str) -> None:
        untyped: Any = client
        self._subscription = untyped.pubsub()
        self._channel = channel

    def __enter__(self) -> Self:
        self._subscription.ssubscribe(self._channel)
        self._read_until("ssubscribe")
        return self

    def __exit__(self, *_: object) -> None:
        self._subscription.close()

    def heard(self) -> list[bytes]:
        """What was published since; the server answers a PING behind all of it."""
        self._subscription.ping()
        return self._read_until("pong")

    def _read_until(self, kind: str) -> list[bytes]:
        found: list[bytes] = []
        while True:
            message = self._subscription.get_sharded_message(timeout=30)
            assert message is not None
            if message["type"] == kind:
                return found
            assert (message["type"], message["channel"]) == ("smessage", self._channel.encode())
            found.append(message["data"])
