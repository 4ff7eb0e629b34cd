"""RL302."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Edit, Finding, Fix, Severity
from redislua.lint.replies import has_resp3
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Binary, Constant, Expression, bare
from redislua.syntax.values import Kind, Origin, Value


class ReplyNilCompare(Rule):
    """A reply is compared with `nil`, which it never is.

    ## Why is this bad?
    What is missing is `false` in a script: a reply of nil, and an element of nil in an array,
    arrive as `false`. `== nil` is then never true, and `~= nil` always.

    ## Example
    ```lua
    if redis.call('GET', KEYS[1]) == nil then
      return 'missing'
    end
    return 'there'
    ```

    Use instead:
    ```lua
    if not redis.call('GET', KEYS[1]) then
      return 'missing'
    end
    return 'there'
    ```

    ## Fix
    Compares with `false`.

    ## Limits
    Silent in a script that calls `redis.setresp(3)`, where a missing reply is `nil`. What is
    read from an array beyond its end is `nil`, and rightly compared with it. A comparison of
    a reply that is always there, such as an array, is information only.
    """

    code = "RL302"
    name = "reply-nil-compare"
    severity = Severity.ERROR
    fixable = True

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each such comparison."""
        for binary in chunk.of(Binary):
            if binary.operator not in ("==", "~="):
                continue
            for one, other in ((binary.left, binary.right), (binary.right, binary.left)):
                constant = bare(other)
                if not isinstance(constant, Constant) or constant.word != "nil":
                    continue
                if _is_reply(chunk.value(one)) and not has_resp3(chunk):
                    yield self._finding(chunk, binary, one, constant)

    def _finding(
        self, chunk: Chunk, binary: Binary, reply: Expression, constant: Constant
    ) -> Finding:
        value = chunk.value(reply)
        always = "never true" if binary.operator == "==" else "always true"
        what = quoted(chunk, reply)
        known = value.reply.row if value.reply is not None else None
        is_optional = value.reply is None or (
            known is not None
            and known.reply_to(value.reply.words(), is_open=value.reply.is_open).endswith("?")
        )
        if value.can_be(Kind.FALSE) or is_optional:
            message = f"{what} is false when it is missing, not nil: this is {always}"
            fix = Fix("Compare with false", (Edit(constant.start, constant.end, b"false"),))
            return self.at(binary, message, help="compare with `false`, or use `not`", fix=fix)
        message = f"{what} is never nil: this is {always}"
        return self.at(binary, message, severity=Severity.INFO)


def _is_reply(value: Value) -> bool:
    """Whether a value is a reply or an element of one, and cannot be nil."""
    if not value.kind or value.can_be(Kind.NIL) or value.origin != Origin.STORED:
        return False
    if value.reply is not None:
        return value.reply.row is not None and value.is_only(
            Kind.STRING | Kind.NUMBER | Kind.TABLE | Kind.FALSE
        )
    return value.can_be(Kind.FALSE) and value.is_only(Kind.STRING | Kind.NUMBER | Kind.FALSE)
