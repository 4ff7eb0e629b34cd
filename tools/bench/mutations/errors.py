"""Errors that crash, mislead or are lost, and what is left behind by them."""

from __future__ import annotations

from redislua.spec.model import Script

from .seeding import CONTRACT, at_end, at_top, first_arg, kind, replaced, write, written_key


@kind("RL401")
def error_with_an_empty_table(script: Script) -> bytes | None:
    """It crashes some servers."""
    return at_top(script, "if #KEYS > 9 then error({}) end")


@kind("RL401")
def error_with_a_table(script: Script) -> bytes | None:
    """A table without `err` tells nobody anything."""
    return at_top(script, "if #KEYS > 9 then error({code = 1, text = 'too many keys'}) end")


@kind("RL402", CONTRACT)
def error_without_code(script: Script) -> bytes | None:
    """An error reply whose first word is no code."""
    return replaced(script, r"error_reply\('RLUA_\w+ ", "error_reply('")


@kind(CONTRACT, "RL4")
def undeclared_error(script: Script) -> bytes | None:
    """A code that the header does not have."""
    return replaced(script, r"'RLUA_BAD_(\w+) ", r"'RLUA_WORSE_\1 ")


@kind(CONTRACT, "RL4")
def reserved_error(script: Script) -> bytes | None:
    """A code that clients believe."""
    return replaced(script, r"'RLUA_BAD_\w+ [^']*'", "'MOVED 1 127.0.0.1:7000'")


@kind(CONTRACT, "RL4")
def error_as_if_loading(script: Script) -> bytes | None:
    """A code on which clients send again."""
    return at_top(script, "if #ARGV > 99 then return {err = 'LOADING come back later'} end")


@kind("RL403")
def dropped_pcall(script: Script) -> bytes | None:
    """An error that nobody looks at."""
    key = written_key(script)
    return None if key is None else at_end(script, f"redis.pcall('PEXPIRE', {key.name}, 1000)")


@kind("RL403")
def trusted_pcall(script: Script) -> bytes | None:
    """A reply that may be an error."""
    key = script.keys[0].name
    lua = f"local size = redis.pcall('HLEN', {key})\nif size > 9 then return redis.status_reply('FULL') end"
    return at_end(script, lua)


@kind("RL404")
def pcall_of_lua(script: Script) -> bytes | None:
    """Lua's pcall around a command."""
    key = script.keys[0].name
    lua = f"local is_good = pcall(redis.call, 'EXISTS', {key})\n"
    return at_end(script, lua + "if not is_good then return redis.status_reply('BAD') end")


@kind("RL405")
def decode_behind_a_write(script: Script) -> bytes | None:
    """What was written stays when the decode fails."""
    statement, arg = write(script), first_arg(script)
    if statement is None or arg is None:
        return None
    lua = f"{statement}\nlocal decoded = cjson.decode({arg})\nredis.log(redis.LOG_NOTICE, #decoded)"
    return at_end(script, lua)


@kind("RL405")
def error_behind_a_write(script: Script) -> bytes | None:
    """What was written stays when the script then raises."""
    statement = write(script)
    if statement is None:
        return None
    lua = f"{statement}\nif #ARGV > 99 then error('RLUA_BAD_ARGUMENT too many') end"
    return at_end(script, lua)
