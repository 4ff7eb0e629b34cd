"""Calls that no example makes: what a script must stand besides its examples.

A binding refuses bad arguments and no script of ours leaves bad state, but a script is
called by others too, and meets what they left. From one call and the state before it
come, in a fixed order,

* the same arguments as each other example has, in this state: a smaller limit, another mode;
* each argument missing, empty, no value of its type, below and above its range, on an empty
  database, and each text too long in this state;
* each key with a value of another type; a hash with a field missing, with garbage in a
  field, with another format's number, with no field of ours, with very many fields; a string
  with garbage in it, and cut short; a sorted set with a member of garbage, a list with such an element; the greatest exact number in each,
  and 128 KiB in a field;
* the clock set back and set forward by an hour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias

import redis

from redislua.probe.snapshot import Snapshot
from redislua.runtime.call import Call
from redislua.spec.model import Arg, Script

__all__ = ["Trial", "bad_arguments", "damaged", "other_clocks", "restore", "too_long"]

HOUR = 3_600_000_000
GARBAGE = b"!?"
GREATEST = b"9007199254740991"
LONG = b"x" * 131_072
MANY = 1_000

Change: TypeAlias = "Callable[[Any], object]"


class Trial(NamedTuple):
    """One call in one state.

    Attributes:
        what: What is unusual about it, in words.
        call: The call.
        change: Changes the dataset first, through a redis-py client; None changes nothing.
        shift: Microseconds by which the clock is off.
    """

    what: str
    call: Call[Any]
    change: Change | None = None
    shift: int = 0


def bad_arguments(spec: Script, call: Call[Any]) -> Iterator[Trial]:
    """The call with one element of ARGV at a time that the header excludes."""
    for index, (name, known) in enumerate(_elements(spec, call)):
        yield Trial(f"{name} is missing", replace(call, args=call.args[:index]))
        for text in _bad(known):
            args = (*call.args[:index], text, *call.args[index + 1 :])
            shown = repr(text[:24])[1:] + ("…" if len(text) > 24 else "")
            yield Trial(f"{name} is {shown}", replace(call, args=args))


def too_long(spec: Script, call: Call[Any]) -> Iterator[Trial]:
    """The call with one text at a time that is a byte longer than the header allows."""
    for index, (name, known) in enumerate(_elements(spec, call)):
        for text in _longer(known) if known is not None else ():
            args = (*call.args[:index], text, *call.args[index + 1 :])
            yield Trial(f"{name} is too long", replace(call, args=args))


def _elements(spec: Script, call: Call[Any]) -> Iterator[tuple[str, Arg | None]]:
    """What each element of ARGV is: arguments, channels, then each group's count and cells."""
    for arg in spec.args:
        yield arg.name, arg
    for channel in spec.channels:
        yield channel.name, None
    at = len(spec.args) + len(spec.channels)
    for group in spec.groups:
        yield f"the number of {group.name}", None
        count = int(call.args[at])
        for row in range(count):
            for column in group.columns:
                yield f"{column.name} of {group.name}[{row}]", column
        at += 1 + count * len(group.columns)


def _bad(arg: Arg | None) -> Iterator[bytes]:
    yield b""
    yield GARBAGE
    if arg is None:
        return
    low, high = arg.bounds
    if arg.type.is_numeric:
        yield from (b"%d" % edge for edge in (low - 1, high + 1) if abs(edge) < 2**63)
    yield from _longer(arg)


def _longer(arg: Arg) -> Iterator[bytes]:
    high = arg.bounds[1]
    if arg.type.kind in ("str", "bytes", "owner", "token") and high <= 2**20:
        yield b"x" * (int(high) + 1)


def damaged(spec: Script, call: Call[Any], state: Snapshot, client: Any) -> Iterator[Trial]:
    """The call on keys that hold what the script did not leave there.

    Args:
        spec: The script's header.
        call: The call.
        state: The dataset before it.
        client: A redis-py client on that dataset, to look at what the keys hold.
    """
    for key, name in spec.keys_of(call.keys):
        shown = f"{key.name} {name!r}"
        for other in ("set", "string"):
            if other != key.redis_type:
                yield Trial(f"{shown} is a {other}", call, _planted(name, other))
        if key.redis_type == "string":
            for text in (GARBAGE, GREATEST):
                yield Trial(f"{shown} is {text!r}", call, _text(name, text))
            if name in state:
                yield Trial(f"{shown} is cut short", call, _cut(name))
        elif key.redis_type == "list":
            yield Trial(f"{shown} has the element {GARBAGE!r}", call, _pushed(name))
        elif key.redis_type == "zset":
            for score in (b"0", GREATEST):
                what = f"{shown} has the member {GARBAGE!r} at {score!r}"
                yield Trial(what, call, _ranked(name, score))
        elif key.redis_type == "hash":
            yield Trial(f"{shown} has no field of ours", call, _only(name, {b"?": b"?"}))
            yield Trial(f"{shown} has {MANY} fields more", call, _with_many(name))
            fields = client.hkeys(name) if name in state else []
            for field in sorted(fields):
                yield Trial(f"{shown} misses {field!r}", call, _without(name, field))
                for text in (GARBAGE, b"99", GREATEST, LONG):
                    what = f"{shown} has {text[:24]!r} in {field!r}"
                    yield Trial(what, call, _with(name, field, text))
        if name in state and state[name].expires_at is not None:
            yield Trial(f"{shown} has no expiry", call, _persistent(name))


def other_clocks(call: Call[Any]) -> Iterator[Trial]:
    """The call an hour earlier and later than the state says."""
    yield Trial("the clock is an hour back", call, shift=-HOUR)
    yield Trial("the clock is an hour ahead", call, shift=HOUR)


def restore(client: redis.Redis, state: Snapshot) -> None:
    """Make the dataset what it was, but for keys that have expired since."""
    with client.pipeline(transaction=False) as pipe:
        pipe.flushall()
        for name, entry in state.items():
            pipe.restore(name, entry.expires_at or 0, entry.value, absttl=True)
        pipe.execute()


def _planted(name: bytes, kind: str) -> Change:
    def change(client: Any) -> None:
        client.delete(name)
        client.sadd(name, "x") if kind == "set" else client.set(name, "x")

    return change


def _text(name: bytes, text: bytes) -> Change:
    return lambda client: client.set(name, text, px=60_000)


def _cut(name: bytes) -> Change:
    def change(client: Any) -> None:
        text = client.get(name)
        if text:
            client.set(name, text[: len(text) // 2], keepttl=True)

    return change


def _pushed(name: bytes) -> Change:
    return lambda client: client.rpush(name, GARBAGE)


def _ranked(name: bytes, score: bytes) -> Change:
    return lambda client: client.zadd(name, {GARBAGE: score})


def _only(name: bytes, fields: dict[bytes, bytes]) -> Change:
    def change(client: Any) -> None:
        client.delete(name)
        client.hset(name, mapping=fields)

    return change


def _with_many(name: bytes) -> Change:
    return lambda client: client.hset(name, mapping={f"?{at}": "?" for at in range(MANY)})


def _without(name: bytes, field: bytes) -> Change:
    return lambda client: client.hdel(name, field)


def _with(name: bytes, field: bytes, text: bytes) -> Change:
    return lambda client: client.hset(name, field, text)


def _persistent(name: bytes) -> Change:
    return lambda client: client.persist(name)
