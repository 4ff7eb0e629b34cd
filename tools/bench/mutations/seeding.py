"""What a seeded defect is, and the places of a script where one can be put.

A seed returns the script with one defect in it, or None where it does not apply. What is put
in is reached: at the top level, right below the prologue, or before the last `return`, behind
all that the script writes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from redislua.spec.model import Key, Script

__all__ = [
    "CONTRACT",
    "KINDS",
    "Kind",
    "at_end",
    "at_top",
    "body",
    "first_arg",
    "kind",
    "number_arg",
    "replaced",
    "returned",
    "write",
    "written_key",
]

Seed: TypeAlias = Callable[[Script], bytes | None]

CONTRACT = "RL8"
"""Beginning of the codes of rules that hold a script against its header."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of defect.

    Attributes:
        name: Its name in the table.
        seed: Puts it into a script; None where it does not apply.
        codes: Codes of rules, or beginnings of such, that count as reporting it.
        is_syntax: Whether the seeded script no longer compiles.
    """

    name: str
    seed: Seed
    codes: tuple[str, ...]
    is_syntax: bool = False


KINDS: list[Kind] = []
"""All kinds, in the order of their modules."""


def kind(*codes: str, is_syntax: bool = False) -> Callable[[Seed], Seed]:
    """Make a seed a kind of defect, called like the function."""

    def enlist(seed: Seed) -> Seed:
        name: str = getattr(seed, "__name__", "")
        KINDS.append(Kind(name.replace("_", " "), seed, codes, is_syntax))
        return seed

    return enlist


# --- places ----------------------------------------------------------------------------------

_BINDING = re.compile(
    rb"^local [\w, \n]*?=\s*(?:KEYS|ARGV)\[[^\n]*\n(?:\s+ARGV\[[^\n]*\n)*", re.MULTILINE
)
_LAST_RETURN = re.compile(rb"^return [^\n]*\n?\Z", re.MULTILINE)


def body(script: Script) -> int:
    """Offset of the first byte below the header."""
    lines = script.source.split(b"\n")
    return sum(len(line) + 1 for line in lines[: script.header_lines])


def at_top(script: Script, lua: str) -> bytes | None:
    """The script with a line right below its prologue."""
    bound = list(_BINDING.finditer(script.source, body(script)))
    if not bound:
        return None
    return _insert(script.source, bound[-1].end(), f"\n{lua}\n")


def at_end(script: Script, lua: str) -> bytes | None:
    """The script with a line before its last `return`."""
    found = _LAST_RETURN.search(script.source)
    return None if found is None else _insert(script.source, found.start(), f"{lua}\n")


def returned(script: Script, lua: str) -> bytes | None:
    """The script with another last `return`."""
    found = _LAST_RETURN.search(script.source)
    if found is None:
        return None
    return script.source[: found.start()] + f"return {lua}\n".encode()


def _insert(source: bytes, at: int, text: str) -> bytes:
    return source[:at] + text.encode() + source[at:]


def replaced(script: Script, form: str, by: str, *, last: bool = False) -> bytes | None:
    """The script with the first (or last) match below its header replaced; None without one."""
    start = body(script)
    found = list(re.finditer(form.encode(), script.source[start:], re.MULTILINE))
    if not found:
        return None
    one = found[-1 if last else 0]
    above, below = script.source[: start + one.start()], script.source[start + one.end() :]
    return above + one.expand(by.encode()) + below


# --- what a script has -----------------------------------------------------------------------


def first_arg(script: Script) -> str | None:
    """The local of the first argument that is text."""
    kinds = ("str", "bytes", "owner", "token", "enum")
    return next((arg.name for arg in script.args if arg.type.kind in kinds), None)


def number_arg(script: Script) -> str | None:
    """The local of the first argument that is a number and may not be left out."""
    for arg in script.args:
        if arg.type.is_numeric and not (arg.default is not None and arg.default.value is None):
            return f"{arg.name}_{arg.type.kind}" if arg.type.is_duration else arg.name
    return None


def written_key(script: Script, *types: str) -> Key | None:
    """The first key of one of these types, of any if none is named; None if it only reads."""
    if script.read_only:
        return None
    return next((key for key in script.keys if not types or key.redis_type in types), None)


_WRITES = {
    "string": "redis.call('SET', {key}, '1', 'KEEPTTL')",
    "hash": "redis.call('HSET', {key}, 'z', '1')",
    "zset": "redis.call('ZADD', {key}, 'XX', '1', 'z')",
}


def write(script: Script) -> str | None:
    """A statement that writes the script's first key as its type asks, and keeps its expiry."""
    key = written_key(script, *_WRITES)
    return None if key is None else _WRITES[key.redis_type].format(key=key.name)
