"""The one call that everybody makes: the same script, keys and arguments.

It is a decision of ``limit.gcra`` for one of a thousand subjects, with a limit that is
never reached: every reply is ``Allowed``, and every call reads and writes one key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

LIMIT = 10_000
"""Tokens per second and subject: the highest rate that ``limit.gcra`` takes."""

BURST = 10_000
PERIOD_US = 1_000_000

SUBJECTS = 1_000
"""Distinct subjects, so distinct keys, on one server."""

CLUSTER_SUBJECTS = 10_000
"""Distinct subjects on a cluster."""

BATCH = 100
"""Calls in one batch."""

Argument: TypeAlias = int | str
Item: TypeAlias = str | tuple[str, ...]
"""What one call of a contender takes: a subject, or the subjects of a batch."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a contender is to call, and where.

    Attributes:
        host: Where the server (or a node of the cluster) listens.
        port: Its port.
        source: The script's text.
        before: The key's text before the subject.
        after: The key's text after the subject.
        args: ARGV, as an application would pass them: integers and words.
        callers: How many callers there will be at once; sizes pools.
    """

    host: str
    port: int
    source: str
    before: str
    after: str
    args: tuple[Argument, ...]
    callers: int

    @property
    def url(self) -> str:
        """The server's URL."""
        return f"redis://{self.host}:{self.port}/0"

    @property
    def sha1(self) -> str:
        """What EVALSHA names the script by."""
        return hashlib.sha1(self.source.encode(), usedforsecurity=False).hexdigest()


def subjects(count: int) -> list[str]:
    """Return subjects, their numbers written as redis-benchmark writes its own: 12 digits."""
    return [f"user:{number:012d}" for number in range(count)]


def items(names: Sequence[str], calls: int, batch: int) -> list[Item]:
    """Return what to call: ``calls`` calls in all, walking around ``names``."""
    walked = [names[at % len(names)] for at in range(calls)]
    if batch == 1:
        return list(walked)
    return [tuple(walked[at : at + batch]) for at in range(0, calls, batch)]


def is_raw_allowed(reply: object) -> bool:
    """Tell whether ``reply`` is the script's ``Allowed`` as a client gives it undecoded."""
    match reply:
        case [b"Allowed" | "Allowed", int(remaining), int(reset_after)]:
            return 0 <= remaining < BURST and reset_after > 0
        case _:
            return False


def are_raw_allowed(replies: object) -> bool:
    """Tell whether every reply of a batch is the script's ``Allowed``."""
    return isinstance(replies, list) and len(replies) == BATCH and all(map(is_raw_allowed, replies))
