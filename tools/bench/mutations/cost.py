"""Work that grows without a bound."""

from __future__ import annotations

from redislua.spec.model import Script

from .seeding import at_end, kind, written_key

_ALL = {
    "hash": "'HGETALL', {key}",
    "zset": "'ZRANGE', {key}, 0, -1",
    "set": "'SMEMBERS', {key}",
    "list": "'LRANGE', {key}, 0, -1",
}


def _read_all(script: Script) -> str | None:
    for key in script.keys:
        if key.redis_type in _ALL:
            return f"redis.call({_ALL[key.redis_type].format(key=key.name)})"
    return None


@kind("RL501")
def whole_key(script: Script) -> bytes | None:
    """All that a key holds."""
    read = _read_all(script)
    lua = f"local all = {read}\nredis.log(redis.LOG_NOTICE, #all)"
    return None if read is None else at_end(script, lua)


@kind("RL504")
def unpacked_reply(script: Script) -> bytes | None:
    """More than some 8,000 do not fit."""
    read, key = _read_all(script), written_key(script, "hash", "zset")
    if read is None or key is None:
        return None
    command = "HDEL" if key.redis_type == "hash" else "ZREM"
    return at_end(script, f"redis.call('{command}', {key.name}, unpack({read}))")


@kind("RL502")
def endless_loop(script: Script) -> bytes | None:
    """A loop that ends when somebody else does something."""
    key = script.keys[0].name
    return at_end(
        script, f"while true do\n  if redis.call('EXISTS', {key}) == 0 then break end\nend"
    )


@kind("RL505")
def text_in_a_loop(script: Script) -> bytes | None:
    """Text that is copied for each piece."""
    lua = "local text = ''\nfor index = 1, #ARGV do\n  text = text .. ARGV[index]\nend\n"
    return at_end(script, lua + "redis.log(redis.LOG_NOTICE, text)")


@kind("RL503", "RL502")
def command_per_element(script: Script) -> bytes | None:
    """One command for each element, where one takes all."""
    key = written_key(script, "hash")
    if key is None:
        return None
    return at_end(
        script, f"for index = 1, #ARGV do\n  redis.call('HDEL', {key.name}, ARGV[index])\nend"
    )


@kind("RL506", "RL501")
def whole_key_in_a_loop(script: Script) -> bytes | None:
    """All that a key holds, again and again."""
    read = _read_all(script)
    if read is None:
        return None
    lua = f"local most = 0\nfor index = 1, #ARGV do\n  most = math.max(most, #{read})\nend\n"
    return at_end(script, lua + "redis.log(redis.LOG_NOTICE, most)")
