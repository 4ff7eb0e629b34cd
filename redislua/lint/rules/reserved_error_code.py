"""RL408."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.error_texts import ErrorText, error_texts
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk
from redislua.syntax.values import Origin

RESERVED = frozenset(
    b"""
    ASK BUSY CLUSTERDOWN CROSSSLOT EXECABORT LOADING MASTERDOWN MISCONF MOVED NOAUTH NOPERM
    NOREPLICAS NOSCRIPT OOM READONLY TRYAGAIN WRONGPASS
    """.split()
)
PHRASE = b"ERR max number of clients reached"


class ReservedErrorCode(Rule):
    """An error of the script has a code that clients take for the server's own.

    ## Why is this bad?
    A client acts on these codes. After `LOADING`, `NOAUTH` or `CLUSTERDOWN` it sends the call
    again and again, each time running the script; after `MOVED` it connects to the host that
    the text names; after `NOSCRIPT` it loads the script and runs it a second time.

    ## Example
    ```lua
    return redis.error_reply('BUSY the account is locked')
    ```

    Use instead:
    ```lua
    return redis.error_reply('LOCKED the account is locked')
    ```

    ## Limits
    A code that comes from `ARGV` is a warning. One that comes from a reply is passed on, and
    not reported.
    """

    code = "RL408"
    name = "reserved-error-code"
    severity = Severity.ERROR

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each error whose code is, or may be, the server's."""
        for text in error_texts(chunk):
            code = _code(text)
            if code in RESERVED or text.start.lstrip(b"-").startswith(PHRASE):
                shown = (code or b"").decode()
                message = f"clients take `{shown}` for the server's own error and act on it"
                yield self.at(text.node, message, help="use a code of your own")
            elif _is_the_callers(chunk, text):
                message = f"`{chunk.text(text.node)}`: the caller chooses the error's code"
                yield self.at(
                    text.node,
                    message,
                    help="begin it with a code of your own",
                    severity=Severity.WARNING,
                )


def _code(text: ErrorText) -> bytes | None:
    """The first word, where it is literal to its end."""
    word, space, _ = text.start.lstrip(b"-").partition(b" ")
    return word if space or text.is_whole else None


def _is_the_callers(chunk: Chunk, text: ErrorText) -> bool:
    if text.start or text.first is None:
        return False
    return chunk.value(text.first).origin == Origin.ARGV
