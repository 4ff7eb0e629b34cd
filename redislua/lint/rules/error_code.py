"""RL402."""

from __future__ import annotations

import re
from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.error_texts import error_texts
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import String, bare

_CODE = re.compile(rb"[A-Z][A-Z0-9_]*(?: |$)")
_PLAIN = re.compile(rb"-[A-Z]{3,}\b|ERR ")
HELP = "begin it with a word of your own in upper case: `NOFUNDS …`"


class ErrorCode(Rule):
    """An error has no code of its own.

    ## Why is this bad?
    The first word of an error is its code: what programs act on. Without one in upper case they
    must search the text. A leading `-` belongs to the protocol; and a string that is
    returned is no error at all.

    ## Example
    ```lua
    return redis.error_reply('not enough stock')
    ```

    Use instead:
    ```lua
    return redis.error_reply('NOSTOCK not enough stock')
    ```

    ## Limits
    Texts that do not begin with a literal are passed over.
    """

    code = "RL402"
    name = "error-code"
    severity = Severity.INFO

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each error without a code, and each string that poses as one."""
        for text in error_texts(chunk):
            word = text.start.partition(b" ")[0]
            if not text.start or (word == text.start and not text.is_whole):
                continue
            shown = word.decode("utf-8", "replace")
            if text.start.startswith(b"-"):
                message = f"the `-` of `{shown}` belongs to the protocol: the server adds it"
                yield self.at(text.node, message, help="leave it out")
            elif not _CODE.match(text.start):
                yield self.at(text.node, f"`{shown}` stands where a code is expected", help=HELP)
        for one in chunk.main.returns:
            value = bare(one.values[0]) if one.values else None
            if isinstance(value, String) and _PLAIN.match(value.text):
                message = "this is a string: the caller gets no error"
                yield self.at(value, message, help="wrap it in `redis.error_reply`")
