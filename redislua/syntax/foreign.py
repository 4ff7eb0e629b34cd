"""One place where a text is written in another language than Lua 5.1."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Foreign"]


@dataclass(frozen=True, slots=True)
class Foreign:
    """Syntax of another language.

    Attributes:
        start: Offset of its first byte.
        end: Offset behind its last byte.
        message: What it is, since which Lua, and what to write in Lua 5.1.
        instead: Bytes of the same length that Lua 5.1 takes there, so that what follows can
            be judged; None if there are none.
    """

    start: int
    end: int
    message: str
    instead: bytes | None = None
