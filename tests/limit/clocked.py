"""A script on a real server, under a clock that the test sets.

The script's one ``redis.call('TIME')`` is replaced by two arguments behind its own; nothing
else of it changes. The clock stands in the far future, so the server itself never expires a
key meanwhile: a preamble does that by the test's clock, as a server would.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import redis

SCRIPTS = Path(__file__).parents[2] / "scripts" / "limit"
EPOCH_US = 4_102_444_800_000_000
"""The first of January 2100, where each test's clock starts."""

Argument: TypeAlias = int | str

_TIME = "redis.call('TIME')"
_PREAMBLE = """
local CLOCK = {ARGV[#ARGV - 1], ARGV[#ARGV]}
local expires_ms = redis.call('PEXPIRETIME', KEYS[1])
if expires_ms >= 0 and CLOCK[1] * 1000 + math.floor(CLOCK[2] / 1000) > expires_ms then
  redis.call('DEL', KEYS[1])
end
"""


class Clocked:
    """One script and one key.

    Attributes:
        now_us: The time that the script reads, microseconds since 1970.
        key: Its key.
    """

    def __init__(self, client: redis.Redis, name: str, key: str = "clocked") -> None:
        source = (SCRIPTS / f"{name}.v1.lua").read_text(encoding="ascii")
        assert source.count(_TIME) == 1
        shebang, body = source.split("\n", 1)
        copy = f"{shebang}{_PREAMBLE}{body.replace(_TIME, 'CLOCK')}"
        self._client = client
        self._sha1 = client.script_load(copy)
        self.now_us = EPOCH_US
        self.key = key

    def restart(self) -> None:
        """Forget the key and set the clock to its start."""
        self._client.delete(self.key)
        self.now_us = EPOCH_US

    def call(self, *arguments: Argument) -> tuple[str, list[int]]:
        """Run the script now: the reply's variant, and its fields."""
        seconds, microseconds = divmod(self.now_us, 1_000_000)
        reply = self._client.evalsha(self._sha1, 1, self.key, *arguments, seconds, microseconds)
        assert isinstance(reply, Sequence)
        return reply[0].decode(), [int(field) for field in reply[1:]]
