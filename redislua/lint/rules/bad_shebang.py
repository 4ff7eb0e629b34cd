"""RL004."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from redislua.lint.diagnostic import Edit, Finding, Fix, Severity
from redislua.lint.libraries import is_library
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk

FLAGS = ("no-writes", "allow-oom", "allow-stale", "no-cluster", "allow-cross-slot-keys")
"""What EVAL takes after ``flags=``."""
HELP = "write `#!lua`, or `#!lua flags=` and flags with commas and no spaces"

_WORD = re.compile(rb"\S+")


class BadShebang(Rule):
    """The first line is no shebang that the server takes.

    ## Why is this bad?
    A server reads `#!lua flags=…` first, and refuses the script if anything else is on that
    line: another engine, an unknown flag, a space after a comma, a library's `name=`.

    ## Example
    ```lua
    #!lua flags=no-writes, allow-stale
    return redis.call('TYPE', KEYS[1])
    ```

    Use instead:
    ```lua
    #!lua flags=no-writes,allow-stale
    return redis.call('TYPE', KEYS[1])
    ```

    ## Fix
    Spaces after commas are removed.

    ## Limits
    A shebang that is not on the first line is a `syntax-error`. A file without a redislua
    header that names a library of functions (`#!lua name=mylib`) is information only.
    """

    code = "RL004"
    name = "bad-shebang"
    severity = Severity.ERROR
    needs_syntax = False
    fixable = True

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield what the server refuses in the first line."""
        line = chunk.shebang
        if line is None:
            return
        if is_library(chunk) and chunk.script is None:
            message = "this is a library of functions: FUNCTION LOAD takes it, EVAL does not"
            yield self.at((0, len(line.rstrip())), message, severity=Severity.INFO)
            return
        oldest = chunk.targets.lowest("redis")
        if oldest is not None and oldest < (7, 0):
            message = "Redis before 7.0 takes no shebang, and the script is to run on it"
            yield self.at((0, len(line.rstrip())), message, help="remove the line")
        spaces = re.search(rb",([ \t]+)\S", line)
        fixed = re.sub(rb",[ \t]+", b",", line)
        if spaces and not list(self._mistakes(fixed)):
            fix = Fix("Remove the spaces", (Edit(0, len(line), fixed),))
            message = "a space after a comma ends the flags: the server refuses the script"
            yield self.at(spaces.span(1), message, help=HELP, fix=fix)
        else:
            yield from self._mistakes(line)
        if len(line) == len(chunk.source):
            yield self.at((0, len(line)), "a shebang and no script: the server refuses it")

    def _mistakes(self, line: bytes) -> Iterator[Finding]:
        for number, word in enumerate(_WORD.finditer(line)):
            text = word[0].decode("utf-8", "replace")
            if number == 0:
                if text != "#!lua":
                    yield self.at(word.span(), f"`{text}` is not `#!lua`", help=HELP)
                    return
            elif text.startswith("flags="):
                yield from self._flags(line, word.start() + len("flags="), word.end())
            elif text.startswith("name="):
                message = f"`{text}` belongs to a library of functions, not to a script"
                yield self.at(word.span(), message, help=HELP)
            else:
                yield self.at(word.span(), f"`{text}` is no option of a script", help=HELP)

    def _flags(self, line: bytes, start: int, end: int) -> Iterator[Finding]:
        at = start
        for flag in line[start:end].split(b","):
            name = flag.decode("utf-8", "replace")
            if name not in FLAGS and (name or start < end):
                near = difflib.get_close_matches(name.lower(), FLAGS, n=1)
                meant = f": did you mean `{near[0]}`?" if near else ""
                shown = f"`{name}` is no flag{meant}" if name else "a flag is empty"
                yield self.at((at, max(at + len(flag), at + 1)), shown, help=HELP)
            at += len(flag) + 1
