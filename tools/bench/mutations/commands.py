"""Commands that a script cannot call so."""

from __future__ import annotations

from redislua.spec.model import Script

from .seeding import CONTRACT, at_end, at_top, kind, replaced, written_key


@kind("RL101")
def unknown_command(script: Script) -> bytes | None:
    """A command whose name is misspelt."""
    return replaced(script, r"redis\.call\('(\w+)', (\w+)", r"redis.call('\1X', \2")


@kind("RL102")
def configuration(script: Script) -> bytes | None:
    """A command that scripts may not call."""
    return at_top(script, "redis.call('CONFIG', 'GET', 'maxmemory')")


@kind("RL103")
def too_few_arguments(script: Script) -> bytes | None:
    """A command without its arguments."""
    return at_top(script, "redis.call('EXISTS')")


@kind("RL103")
def too_many_arguments(script: Script) -> bytes | None:
    """A command with one argument more."""
    return at_top(script, f"redis.call('PTTL', {script.keys[0].name}, 'ms')")


@kind("RL103")
def field_without_value(script: Script) -> bytes | None:
    """HSET with an odd number of fields and values."""
    return replaced(script, r"'HSET', (\w+), 'v', '1', ", r"'HSET', \1, 'v', ")


@kind("RL104", CONTRACT)
def newer_command(script: Script) -> bytes | None:
    """A command of Redis 7.4 where 7.0 is to do."""
    key = written_key(script, "hash")
    if key is None or script.requires:
        return None
    return at_end(script, f"redis.call('HPEXPIRE', {key.name}, 1000, 'FIELDS', 1, 'o')")


@kind("RL104", CONTRACT)
def command_of_one_product(script: Script) -> bytes | None:
    """A command of Valkey alone."""
    key = written_key(script, "string")
    if key is None or script.requires:
        return None
    return at_end(script, f"redis.call('DELIFEQ', {key.name}, 'gone')")


@kind("RL105")
def blocking_pop(script: Script) -> bytes | None:
    """A command that would wait."""
    key = written_key(script)
    return None if key is None else at_end(script, f"redis.call('BLPOP', {key.name}, 0)")


@kind("RL108")
def comparison_as_argument(script: Script) -> bytes | None:
    """A boolean where a command takes text."""
    key = written_key(script, "string")
    return None if key is None else at_end(script, f"redis.call('SET', {key.name}, #ARGV > #KEYS)")


@kind("RL108")
def nil_as_argument(script: Script) -> bytes | None:
    """nil where a command takes text."""
    return at_top(script, f"redis.call('HEXISTS', {script.keys[0].name}, nil)")


@kind("RL108")
def table_as_argument(script: Script) -> bytes | None:
    """A table that nobody unpacked."""
    return at_top(script, f"redis.call('EXISTS', {{{script.keys[0].name}}})")


@kind("RL109")
def all_keys(script: Script) -> bytes | None:
    """A walk through the whole database."""
    return at_top(
        script, "local found = redis.call('KEYS', 'user:*')\nredis.log(redis.LOG_NOTICE, #found)"
    )


@kind("RL109")
def empty_database(script: Script) -> bytes | None:
    """A command that removes what the script does not own."""
    return None if script.read_only else at_end(script, "redis.call('FLUSHDB')")


@kind("RL407", CONTRACT)
def another_type(script: Script) -> bytes | None:
    """A list's command on a key of another type."""
    key = written_key(script, "string", "hash", "zset")
    return None if key is None else at_end(script, f"redis.call('LPUSH', {key.name}, 'x')")
