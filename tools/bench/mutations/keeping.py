"""Expiries, time, chance, flags and what a second execution does."""

from __future__ import annotations

import re

from redislua.spec.model import Script

from .seeding import CONTRACT, at_end, at_top, kind, written_key

_SETS_EXPIRY = re.compile(rb"^ *redis\.call\('P?EXPIRE(?:AT)?', (\w+), [^\n]*\)\n", re.MULTILINE)
_SET_OPTION = re.compile(rb",\s*'PX(?:AT)?', \w+(?: \+ \w+)?(?=\s*\))|, option, operand(?=\))")


@kind("RL601", "RL603", "RL602", CONTRACT)
def lost_expiry(script: Script) -> bytes | None:
    """A key that the header says expires stays for ever."""
    key = written_key(script)
    if key is None or not any(key.expires for key in script.keys):
        return None
    seeded = _SETS_EXPIRY.sub(b"", _SET_OPTION.sub(b"", script.source))
    return None if seeded == script.source else seeded


@kind("RL602", "RL601", CONTRACT)
def set_over_an_expiry(script: Script) -> bytes | None:
    """SET takes the expiry away."""
    key = written_key(script, "string")
    if key is None or not key.expires:
        return None
    return at_end(script, f"redis.call('SET', {key.name}, '1')")


@kind("RL604")
def measured_time(script: Script) -> bytes | None:
    """Time stands still while a script runs."""
    lua = (
        "local began, ended = redis.call('TIME'), redis.call('TIME')\n"
        "redis.log(redis.LOG_NOTICE, ended[1] - began[1])"
    )
    return at_end(script, lua)


@kind("RL604", "RL502")
def waiting_for_time(script: Script) -> bytes | None:
    """Time stands still while a script waits."""
    lua = (
        "local until_s = tonumber(redis.call('TIME')[1]) + 1\n"
        "while tonumber(redis.call('TIME')[1]) < until_s do end"
    )
    return at_end(script, lua)


@kind("RL606")
def chance(script: Script) -> bytes | None:
    """The same numbers after each start of the server."""
    return at_top(
        script, "local draw = math.random()\nif draw > 2 then return redis.status_reply('OK') end"
    )


@kind("RL608")
def lost_flag(script: Script) -> bytes | None:
    """A script that only reads, and does not say so."""
    if not script.read_only:
        return None
    return script.source.replace(b" flags=no-writes", b"", 1)


@kind("RL608", CONTRACT)
def wrong_flag(script: Script) -> bytes | None:
    """A script that writes, and says that it does not."""
    if script.flags or written_key(script) is None:
        return None
    return script.source.replace(b"#!lua", b"#!lua flags=no-writes", 1)


@kind("RL608", CONTRACT)
def publishing_reader(script: Script) -> bytes | None:
    """SPUBLISH counts as a write."""
    if not script.read_only:
        return None
    return at_end(script, f"redis.call('SPUBLISH', {script.keys[0].name}, 'read')")


@kind("RL608", CONTRACT)
def writing_reader(script: Script) -> bytes | None:
    """A write in a script that says it has none."""
    if not script.read_only:
        return None
    return at_end(script, f"redis.call('UNLINK', {script.keys[0].name})")


@kind(CONTRACT)
def counting_resend(script: Script) -> bytes | None:
    """A resend counts twice where the header says that it is safe."""
    key = written_key(script, "hash")
    if key is None or script.retry != "safe":
        return None
    return at_top(script, f"redis.call('HINCRBY', {key.name}, 'c', 1)")


@kind(CONTRACT)
def doubled_element(script: Script) -> bytes | None:
    """The same where the key is a string."""
    key = written_key(script, "string")
    if key is None or script.retry != "safe":
        return None
    return at_top(script, f"redis.call('APPEND', {key.name}, 'x')")
