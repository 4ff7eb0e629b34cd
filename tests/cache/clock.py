"""The scripts of the family on a real server, under a clock that the test sets.

A script's one ``redis.call('TIME')`` is replaced by two arguments behind its own; nothing
else of it changes. Expiries stay the server's own, so a test ends a lease by deleting it.
"""

from __future__ import annotations

from typing import TypeVar

import redis

from redislua.runtime import Call

EPOCH_MS = 4_102_444_800_000
"""The first of January 2100, where each test's clock starts."""

_TIME = b"redis.call('TIME')"
_CLOCK = b"{ARGV[#ARGV - 1], ARGV[#ARGV]}"

Reply = TypeVar("Reply")


class Clocked:
    """Runs calls at a time of the test's choice.

    Attributes:
        now_us: The time that scripts read, microseconds since 1970.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._loaded: dict[str, str] = {}
        self.now_us = EPOCH_MS * 1_000

    @property
    def now_ms(self) -> int:
        """The time in whole milliseconds."""
        return self.now_us // 1_000

    def advance(self, ms: int) -> None:
        """Move the clock, back when ``ms`` is negative."""
        self.now_us += ms * 1_000

    def run(self, call: Call[Reply]) -> Reply:
        """Run a call now and return its reply."""
        sha1 = self._loaded.get(call.script.name)
        if sha1 is None:
            assert call.script.source.count(_TIME) <= 1
            source = call.script.source.replace(b"#ARGV", b"(#ARGV - 2)")
            sha1 = self._client.script_load(source.replace(_TIME, _CLOCK))
            self._loaded[call.script.name] = sha1
        now = divmod(self.now_us, 1_000_000)
        return call.decode(self._client.evalsha(sha1, len(call.keys), *call.keys, *call.args, *now))
