"""RL803."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from redislua.lint.declared import header_span
from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.error_texts import error_texts
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk


class UndeclaredError(Rule):
    """The script answers with an error that its header does not declare, or never with one it does.

    ## Why is this bad?
    The binding makes one exception class of each `@error`. Another code reaches the caller
    as a bare `ResponseError`, and a declared one that is never given is caught in vain.

    ## Example
    ```lua
    #!lua flags=no-writes
    --- Return the length of a value.
    --
    -- @version 1.0.0
    -- @key     kept    kept:{<name>} string
    -- @returns int
    -- @error   Missing There is no such value.
    -- @retry   safe
    -- @budget  calls<=1 growth=1
    -- @example nothing is kept
    --   script name=a -> error Missing

    local kept = KEYS[1]

    local length = redis.call('STRLEN', kept)
    if length == 0 then
      return redis.error_reply('RLUA_ABSENT there is no such value')
    end
    return length
    ```

    Use instead:
    ```lua
    #!lua flags=no-writes
    --- Return the length of a value.
    --
    -- @version 1.0.0
    -- @key     kept    kept:{<name>} string
    -- @returns int
    -- @error   Missing There is no such value.
    -- @retry   safe
    -- @budget  calls<=1 growth=1
    -- @example nothing is kept
    --   script name=a -> error Missing

    local kept = KEYS[1]

    local length = redis.call('STRLEN', kept)
    if length == 0 then
      return redis.error_reply('RLUA_MISSING there is no such value')
    end
    return length
    ```

    ## Limits
    The code is the first word of a text, where that is a literal. When one is not, no declared
    error is said to be missing. Errors that the server raises need no declaration.
    """

    code = "RL803"
    name = "undeclared-error"
    severity = Severity.ERROR
    needs_contract = True

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield codes without a declaration, and declarations without a code."""
        errors = chunk.script.errors if chunk.script is not None else ()
        known = {error.code: error for error in errors}
        given: set[str] = set()
        is_complete = True
        for text in error_texts(chunk):
            word, space, _ = text.start.decode("utf-8", "replace").partition(" ")
            if not word or not (space or text.is_whole):
                is_complete = False
                continue
            given.add(word)
            if word not in known:
                near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]}? else declare it" if near else "declare it"
                yield self.at(
                    text.node,
                    f"no @error of the header has the code {word}",
                    help=f"{hint} with `@error`, whose name `BadState` stands for RLUA_BAD_STATE",
                )
        for code, error in known.items():
            if is_complete and code not in given:
                yield self.at(
                    header_span(chunk, error.position),
                    f"the script never answers {code}",
                    help="take the @error out of the header, or answer with its code",
                    severity=Severity.WARNING,
                )
