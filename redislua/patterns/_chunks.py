"""Many calls, as many at a time as fit one write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from redislua.runtime import Call
from redislua.runtime.steps import MOST_BYTES, MOST_CALLS

__all__ = ["chunks"]


def chunks(calls: Mapping[str, Call[Any]]) -> Iterator[list[str]]:
    """The names of calls, in order, in groups of up to 256 calls and 1 MiB."""
    chunk: list[str] = []
    size = 0
    for key, call in calls.items():
        own = sum(map(len, call.keys)) + sum(map(len, call.args))
        if chunk and (len(chunk) == MOST_CALLS or size + own > MOST_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(key)
        size += own
    if chunk:
        yield chunk
