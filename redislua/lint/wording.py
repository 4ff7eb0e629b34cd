"""How messages name a place of the script."""

from __future__ import annotations

from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Node

__all__ = ["quoted"]

LONGEST = 50
"""Characters of the script that a message repeats."""


def quoted(chunk: Chunk, node: Node) -> str:
    """What is written there, on one line, between backquotes."""
    words = " ".join(chunk.text(node).split())
    return f"`{words if len(words) <= LONGEST else words[: LONGEST - 1] + '…'}`"
