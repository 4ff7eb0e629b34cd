"""Keys that the caller did not name, and KEYS and ARGV that nobody uses."""

from __future__ import annotations

from redislua.spec.model import Script

from .seeding import CONTRACT, at_end, at_top, first_arg, kind, replaced, written_key


@kind("RL201")
def key_from_an_argument(script: Script) -> bytes | None:
    """A key that is made of ARGV."""
    arg = first_arg(script)
    return None if arg is None else at_end(script, f"redis.call('EXISTS', 'seen:' .. {arg})")


@kind("RL201")
def literal_key(script: Script) -> bytes | None:
    """A key that is written in the script."""
    return at_end(script, "redis.call('EXISTS', 'settings')")


@kind("RL201")
def literal_key_in_a_local(script: Script) -> bytes | None:
    """A key that a local holds."""
    return at_end(script, "local settings = 'settings'\nredis.call('HGET', settings, 'on')")


@kind("RL201")
def key_from_stored_data(script: Script) -> bytes | None:
    """A key that another key names."""
    if script.keys[0].redis_type != "hash":
        return None
    lua = f"local next_key = redis.call('HGET', {script.keys[0].name}, 'next')\n"
    return at_end(script, lua + "if next_key then redis.call('EXISTS', next_key) end")


@kind("RL205", CONTRACT)
def key_beyond_the_header(script: Script) -> bytes | None:
    """One of KEYS that the header does not have."""
    return at_end(script, f"redis.call('EXISTS', KEYS[{len(script.keys) + 1}])")


@kind("RL205", CONTRACT)
def argument_beyond_the_header(script: Script) -> bytes | None:
    """One of ARGV that the header does not have."""
    if script.groups:
        return None
    number = len(script.args) + len(script.channels) + 1
    return at_top(
        script, f"if ARGV[{number}] == 'dry' then\n  return redis.status_reply('OK')\nend"
    )


@kind("RL206", "RL701", CONTRACT)
def unused_argument(script: Script) -> bytes | None:
    """An argument that the script never reads."""
    if script.channels or script.groups or not script.args:
        return None
    seeded = at_top(script, f"local spare = ARGV[{len(script.args) + 1}]")
    if seeded is None:
        return None
    line = seeded.rindex(b"\n-- @arg ")
    after = seeded.index(b"\n", line + 1)
    return seeded[:after] + b"\n-- @arg     spare int = 0" + seeded[after:]


@kind("RL206", "RL701", CONTRACT)
def unused_key(script: Script) -> bytes | None:
    """A key that the script never uses."""
    if any(key.variadic for key in script.keys):
        return None
    seeded = at_top(script, f"local spare = KEYS[{len(script.keys) + 1}]")
    if seeded is None:
        return None
    line = seeded.rindex(b"\n-- @key ")
    after = seeded.index(b"\n", line + 1)
    prefix = script.keys[0].pattern.text.rpartition(":")[0]
    return seeded[:after] + f"\n-- @key     spare {prefix}:spare string".encode() + seeded[after:]


@kind("RL207", CONTRACT)
def overwritten_key(script: Script) -> bytes | None:
    """A key that is replaced by another."""
    return replaced(script, r"^(local [^\n]*KEYS\[1\])", r"KEYS[1] = 'own:' .. KEYS[1]\n\1")


@kind("RL208", CONTRACT)
def masked_key(script: Script) -> bytes | None:
    """A key that another stands in for when the caller leaves it out."""
    return replaced(script, r"\bKEYS\[1\]", "KEYS[1] or 'default'")


@kind("RL203", CONTRACT)
def key_as_a_value(script: Script) -> bytes | None:
    """One of KEYS that is no key but a value."""
    key = written_key(script, "hash")
    if key is None:
        return None
    number = len(script.keys) + 1
    return at_end(script, f"redis.call('HSET', {key.name}, 'z', KEYS[{number}])")
