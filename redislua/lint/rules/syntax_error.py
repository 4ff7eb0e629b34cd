"""RL001."""

from __future__ import annotations

import re
from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.problems import found
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk

HEAD = 1024
"""Bytes of a file by which it is told whether it is text."""
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


class SyntaxMistake(Rule):
    """The server refuses to load the script.

    ## Why is this bad?
    `SCRIPT LOAD` and `EVAL` compile the whole file before anything runs: the script never
    works. The message is the server's own.

    ## Example
    ```lua
    local n == redis.call('GET', KEYS[1])
    return n
    ```

    Use instead:
    ```lua
    local n = redis.call('GET', KEYS[1])
    return n
    ```

    ## Limits
    Lua 5.1 stops at the first mistake, so there is one finding for each file. Syntax of
    newer Lua is `lua52-syntax`.
    """

    code = "RL001"
    name = "syntax-error"
    severity = Severity.ERROR
    needs_syntax = False

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield what the compiler said."""
        if chunk.problems and _NO_TEXT.search(chunk.source, 0, HEAD):
            yield self.at((0, 0), "this is no text file: no server compiles it")
            return
        yield from found(self, chunk, "syntax", "file")
