"""Libraries of functions, which FUNCTION LOAD takes and EVAL does not."""

from __future__ import annotations

import re

from redislua.syntax.chunk import Chunk
from redislua.syntax.registered import REGISTER

__all__ = ["REGISTER", "is_library"]

_NAME = re.compile(rb"#!lua\s(?:.*\s)?name=\w+\s*$")


def is_library(chunk: Chunk) -> bool:
    """Whether the first line says so, as in ``#!lua name=mylib``, and a function is registered.

    A name alone is more likely a script with a wrong first line: FUNCTION LOAD refuses it, too.
    """
    line = chunk.shebang
    if line is None or _NAME.match(line) is None:
        return False
    return any(chunk.calls_to(*REGISTER))
