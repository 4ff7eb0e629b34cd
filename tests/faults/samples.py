"""What the tests of faults call: scripts that count their own executions on the server."""

from __future__ import annotations

from typing import Any

from redislua.runtime import Call, RetryClass
from tests.runtime.samples import script

KEY = b"{sample}"
"""The counter of the call that a test is about."""

BESIDE = b"{sample}:beside"
"""The counter of the calls that travel with it."""

OTHER = b"{sample}:other"
"""A key that holds what the script does not expect."""


def counting(
    *args: bytes, then: str = "", flags: str = "", retry: RetryClass = "never", key: bytes = KEY
) -> Call[Any]:
    """A call that counts its execution first, and replies with the count unless ``then`` ends.

    Args:
        args: ARGV.
        then: Lua that runs after the count; KEYS[2] is the key `OTHER`.
        flags: Of the shebang.
        retry: Of the header.
        key: The counter; its hash tag is that of `OTHER`.
    """
    body = f"local count = redis.call('INCR', KEYS[1])\n{then}\nreturn count"
    keys = (key, OTHER) if then else (key,)
    return Call(script(body, flags=flags, retry=retry), keys, args, decode=lambda reply: reply)


def beside(flags: str = "", key: bytes = BESIDE) -> Call[Any]:
    """A call of another script, which may be sent again, to travel with the one in question."""
    made = script("return redis.call('INCR', KEYS[1]) -- beside", flags=flags, retry="safe")
    return Call(made, (key,), (), decode=lambda reply: reply)


def reading(key: bytes = KEY) -> Call[Any]:
    """A read-only call, which a replica takes."""
    made = script("return redis.call('GET', KEYS[1])", flags=" flags=no-writes", retry="safe")
    return Call(made, (key,), (), decode=lambda reply: reply)


def endless() -> Call[Any]:
    """A call that writes nothing and does not end."""
    return Call(script("while true do end"), (KEY,), (), decode=lambda reply: reply)


COUNT = counting()
