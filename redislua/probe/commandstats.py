"""The commands inside one call, counted by the server itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import redis
from redis.client import NEVER_DECODE

from redislua.runtime.call import Call

_OURS = frozenset({"evalsha", "config|resetstat", "config", "info"})


@dataclass(frozen=True, slots=True)
class Counted:
    """What one call did.

    Attributes:
        reply: The raw reply, bytes for strings; the error where the script ended with one.
        commands: How often each command ran or was refused, by name in lower case
            (``config|get`` for a subcommand), sorted.
        microseconds: What the call held the server for.
    """

    reply: Any
    commands: Mapping[str, int]
    microseconds: int

    @property
    def calls(self) -> int:
        """How many commands the script called."""
        return sum(self.commands.values())


def count(client: redis.Redis, call: Call[Any]) -> Counted:
    """Run a call and count its commands exactly: ``cmdstat_*`` before and after.

    The server's statistics start anew, and nobody else may use it meanwhile: it should be
    private. A command that the server refused (its arity, memory, rights) counts as called.

    Raises:
        redis.RedisError: The server cannot be asked, or does not compile the script.
    """
    pipe: Any = client.pipeline(transaction=False)
    with pipe:
        pipe.execute_command("SCRIPT", "LOAD", call.script.source)
        pipe.execute_command("CONFIG", "RESETSTAT")
        words = ("EVALSHA", call.script.sha1, len(call.keys), *call.keys, *call.args)
        pipe.execute_command(*words, **{NEVER_DECODE: []})
        pipe.execute_command("INFO", "commandstats")
        loaded, reset, reply, stats = pipe.execute(raise_on_error=False)
    for answer in (loaded, reset, stats):
        if isinstance(answer, Exception):
            raise answer
    rows = {name.removeprefix("cmdstat_"): row for name, row in stats.items()}
    commands = {
        name: row["calls"] + row.get("rejected_calls", 0)
        for name, row in sorted(rows.items())
        if name not in _OURS
    }
    return Counted(reply, commands, rows["evalsha"]["usec"])
