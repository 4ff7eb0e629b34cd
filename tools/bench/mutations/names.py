"""Globals, and names that mean nothing."""

from __future__ import annotations

from redislua.spec.model import Script

from .seeding import at_end, at_top, kind, replaced


@kind("RL010")
def global_write(script: Script) -> bytes | None:
    """A global in place of a local."""
    return at_top(script, "attempts = 1")


@kind("RL010")
def lost_local(script: Script) -> bytes | None:
    """A local whose `local` is lost."""
    return replaced(script, r"^local (?=\w+ = redis\.call)", "")


@kind("RL010")
def global_function(script: Script) -> bytes | None:
    """A function that is not local."""
    return replaced(script, r"^local function", "function")


@kind("RL011")
def misspelt_local(script: Script) -> bytes | None:
    """A name that nothing binds."""
    key = script.keys[0].name
    return replaced(script, rf"(redis\.call\(\s*'\w+', ){key}\b", rf"\1{key}x", last=True)


@kind("RL011")
def misspelt_keys(script: Script) -> bytes | None:
    """`KEY[1]` for `KEYS[1]`."""
    return replaced(script, r"\bKEYS\[1\]", "KEY[1]")


@kind("RL011", "RL012")
def misspelt_library(script: Script) -> bytes | None:
    """A library that there is not."""
    return at_end(script, "redi.log(redis.LOG_NOTICE, 'done')")


@kind("RL012", "RL011")
def time_of_the_system(script: Script) -> bytes | None:
    """`os.time`, which no server has."""
    return at_top(script, "local since = os.time()")


@kind("RL012", "RL011")
def printing(script: Script) -> bytes | None:
    """`print`, which servers took away."""
    return at_end(script, "print('done')")


@kind("RL012", "RL011")
def unpack_of_newer_lua(script: Script) -> bytes | None:
    """`table.unpack` of Lua 5.2."""
    key = script.keys[0].name
    return at_top(script, f"redis.call('EXISTS', table.unpack({{{key}}}))")
