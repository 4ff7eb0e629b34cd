"""Where the lines of a text begin."""

from __future__ import annotations

from itertools import accumulate, count
from operator import add

__all__ = ["line_starts"]


def line_starts(source: bytes) -> list[int]:
    """The offset of the first byte of each line; a newline at the end begins an empty one."""
    lengths = map(len, source.split(b"\n")[:-1])
    return [0, *map(add, accumulate(lengths), count(1))]
