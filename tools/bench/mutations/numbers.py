"""Numbers that are text, text that is no number, and digits that get lost."""

from __future__ import annotations

import re

from redislua.spec.model import Script

from .seeding import at_end, at_top, kind, number_arg, replaced, written_key


@kind("RL304")
def lost_tonumber(script: Script) -> bytes | None:
    """Text is compared with a number."""
    in_function = replaced(script, r"and tonumber\(text\)", "and text")
    return in_function or replaced(script, r"tonumber\((stored\[\d\])\)$", r"\1", last=True)


@kind("RL304")
def argument_compared_with_number(script: Script) -> bytes | None:
    """An argument is text."""
    arg = number_arg(script)
    lua = f"if {arg} > 5 then\n  return redis.status_reply('OK')\nend"
    return None if arg is None else at_top(script, lua)


@kind("RL304")
def arguments_compared_as_text(script: Script) -> bytes | None:
    """'10' is less than '9'."""
    if len([arg for arg in script.args if arg.type.is_numeric]) < 2:
        return None
    first, second = [number for number, arg in enumerate(script.args, 1) if arg.type.is_numeric][:2]
    lua = f"if ARGV[{first}] > ARGV[{second}] then\n  return redis.status_reply('OK')\nend"
    return at_top(script, lua)


@kind("RL301")
def arithmetic_on_an_absent_value(script: Script) -> bytes | None:
    """`tonumber(false)` is nil."""
    key = script.keys[-1]
    reads = {
        "string": f"'GET', {key.name}",
        "hash": f"'HGET', {key.name}, 'z'",
        "zset": f"'ZSCORE', {key.name}, 'z'",
    }
    if key.redis_type not in reads:
        return None
    lua = f"local total = tonumber(redis.call({reads[key.redis_type]})) + 1\n"
    return at_top(script, lua + "redis.log(redis.LOG_NOTICE, total)")


@kind("RL306")
def half_an_expiry(script: Script) -> bytes | None:
    """An expiry is an integer."""
    key, arg = written_key(script), number_arg(script)
    if key is None or arg is None:
        return None
    return at_end(script, f"redis.call('PEXPIRE', {key.name}, {arg} / 2)")


@kind("RL305")
def microseconds_as_text(script: Script) -> bytes | None:
    """`..` writes 14 digits, and microseconds have 16."""
    if b"local now_us =" not in script.source:
        return None
    key = script.keys[0].name
    return at_end(script, f"redis.call('HEXISTS', {key}, 'at:' .. now_us)")


@kind("RL305", "RL306")
def lost_format(script: Script) -> bytes | None:
    """`tostring` writes 14 digits, and microseconds have 16."""
    if not re.search(rb"^local now_us", script.source, re.MULTILINE):
        return None
    return replaced(
        script, r"string\.format\('%\.0f', (\w*_us|now_us - period_us)\)", r"tostring(\1)"
    )
