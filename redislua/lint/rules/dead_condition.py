"""RL704."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.never_nil import is_never_nil
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import (
    Binary,
    Call,
    Constant,
    Expression,
    String,
    bare,
)

TYPES = (b"boolean", b"function", b"nil", b"number", b"string", b"table", b"thread", b"userdata")


class DeadCondition(Rule):
    """A comparison always has the same result.

    ## Why is this bad?
    The case that it is there for is not handled: `tostring` gives `'nil'` and never nil, `pairs`
    never gives a nil value, and no type is called `int`.

    ## Example
    ```lua
    if type(tonumber(ARGV[1])) ~= 'int' then
      return redis.error_reply('BADCOUNT a number is needed')
    end
    return redis.call('INCRBY', KEYS[1], ARGV[1])
    ```

    Use instead:
    ```lua
    if type(tonumber(ARGV[1])) ~= 'number' then
      return redis.error_reply('BADCOUNT a number is needed')
    end
    return redis.call('INCRBY', KEYS[1], ARGV[1])
    ```

    ## Limits
    Comparisons with nil, and of `type(x)` with a word. Replies of commands have a rule of
    their own.
    """

    code = "RL704"
    name = "dead-condition"
    severity = Severity.WARNING

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each comparison whose result is known."""
        for node in chunk.of(Binary):
            if node.operator not in ("==", "~="):
                continue
            for one, other in ((node.left, node.right), (node.right, node.left)):
                found = self._dead(chunk, bare(one), bare(other))
                if found:
                    result = "false" if node.operator == "==" else "true"
                    yield self.at(node, f"{found}: this is always {result}")
                    break

    def _dead(self, chunk: Chunk, one: Expression, other: Expression) -> str:
        if isinstance(other, Constant) and other.word == "nil":
            return f"`{chunk.text(one)}` is never nil" if is_never_nil(chunk, one) else ""
        if not isinstance(other, String) or other.text in TYPES or not isinstance(one, Call):
            return ""
        is_type = chunk.means(one.callee) == "type"
        word = other.text.decode("utf-8", "replace")
        return f"no type is called `{word}`" if is_type else ""
