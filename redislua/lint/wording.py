"""How messages name a place of the script."""

from __future__ import annotations

from collections.abc import Iterable

from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Node

__all__ = ["also", "quoted"]

LONGEST = 50
"""Characters of the script that a message repeats."""

MOST = 8
"""Lines that a message names."""


def quoted(chunk: Chunk, node: Node) -> str:
    """What is written there, on one line, between backquotes."""
    words = " ".join(chunk.text(node).split())
    return f"`{words if len(words) <= LONGEST else words[: LONGEST - 1] + '…'}`"


def also(chunk: Chunk, first: Node, others: Iterable[Node]) -> str:
    """`` (also in lines 9, 14)``: where else the same is wrong; ``""`` if nowhere."""
    lines = sorted({chunk.line(one) for one in others} - {chunk.line(first)})
    if not lines:
        return ""
    shown = ", ".join(map(str, lines[:MOST])) + (" …" if len(lines) > MOST else "")
    return f" (also in line{'s' if len(lines) > 1 else ''} {shown})"
