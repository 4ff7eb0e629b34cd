"""RL301."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.absent import absent_reply, can_be_absent, is_certain
from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.operands import operands
from redislua.lint.reach import is_in_protected_call
from redislua.lint.replies import has_resp3
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.values import Kind


class NilArithmetic(Rule):
    """A reply that may be missing is calculated with, as if it were there.

    ## Why is this bad?
    A missing reply is `false`, and `tonumber` makes `nil` of it. Arithmetic, `..`, `<`,
    `cjson.decode` and `math.max` stop the script with `attempt to perform arithmetic on a nil
    value` or the like: on the first call, when the key does not exist yet, or when it expires.

    ## Example
    ```lua
    local used = tonumber(redis.call('GET', KEYS[1]))
    return used + 1
    ```

    Use instead:
    ```lua
    local used = tonumber(redis.call('GET', KEYS[1]) or 0)
    return used + 1
    ```

    ## Limits
    An error where the line is always reached, else a warning. Silent where the script tests
    the value, or another one of the same reply before it goes on or gives both a value; where
    an earlier command on
    the same key tells that it is there (`LLEN`, a write; `EXISTS`, but not for a field of
    a hash that the script does not fill itself); and for arguments. What a stored text is
    worth as a number is not asked.
    """

    code = "RL301"
    name = "nil-arithmetic"
    severity = Severity.WARNING

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield the first use of each reply that may be missing."""
        if not any(map(can_be_absent, chunk.commands)) or has_resp3(chunk):
            return
        seen: set[tuple[int, str]] = set()
        for node, use in sorted(operands(chunk), key=lambda pair: pair[0].start):
            command = absent_reply(chunk, node)
            if command is None or (command.start, chunk.text(node)) in seen:
                continue
            if is_in_protected_call(node):
                continue
            seen.add((command.start, chunk.text(node)))
            kind = chunk.value(node).kind
            what = "false" if kind & Kind.FALSE and not kind & Kind.NIL else "nil"
            message = f"{quoted(chunk, node)} is {what} when {command.name} finds nothing: {use}"
            severity = Severity.ERROR if is_certain(chunk, node) else Severity.WARNING
            help_ = "give it a default with `or`, or test it first"
            yield self.at(node, message, help=help_, severity=severity)
