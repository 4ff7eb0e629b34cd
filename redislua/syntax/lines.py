"""Where the lines of a text begin."""

from __future__ import annotations

from itertools import accumulate

__all__ = ["line_starts"]


def line_starts(source: bytes) -> list[int]:
    """The offset of the first byte of each line; a newline at the end begins an empty one."""
    return [0, *accumulate(len(line) + 1 for line in source.split(b"\n")[:-1])]
