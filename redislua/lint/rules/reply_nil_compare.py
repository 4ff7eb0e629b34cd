"""RL302."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Edit, Finding, Fix, Severity
from redislua.lint.reach import runs_before
from redislua.lint.replies import has_resp3, is_reply, reply_type
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Binary, Constant, Expression, Parens, Unary, bare
from redislua.syntax.sites import CommandCall
from redislua.syntax.values import Kind, Value

ALWAYS = {"==": "never true", "~=": "always true"}
PLAIN = ("integer", "array", "nested")


class ReplyNilCompare(Rule):
    """A reply is compared with what it never is: `nil`, or `false` where a number comes.

    ## Why is this bad?
    What is missing is `false` in a script: a reply of nil, and an element of nil in an array,
    arrive as `false`. `== nil` is then never true, and `~= nil` always.
    `PTTL` and `EXISTS` give numbers whether the key is there or not: never `false`.

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
    In a script that calls `redis.setresp(3)` first, where a missing reply is `nil`, only a
    comparison with `false` is reported, as a warning. What is
    read from an array beyond its end is `nil`, and rightly compared with it; so is what
    the same condition compares with `false`, too. Where a
    reply that is always there is tested for nil beside other tests, that is information only.
    """

    code = "RL302"
    name = "reply-nil-compare"
    severity = Severity.ERROR
    fixable = True
    needs = frozenset({Constant})

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each such comparison."""
        for binary in chunk.of(Binary):
            if binary.operator not in ("==", "~="):
                continue
            for one, other in ((binary.left, binary.right), (binary.right, binary.left)):
                constant = bare(other)
                if not isinstance(constant, Constant):
                    continue
                if has_resp3(chunk):
                    if constant.word == "false" and _is_nil_of_resp3(chunk, one):
                        yield self._never_false_in_resp3(chunk, binary, one)
                elif constant.word == "nil" and is_reply(chunk.value(one)):
                    if _is_false_asked_too(chunk, binary, one):
                        continue
                    yield self._finding(chunk, binary, one, constant)
                elif constant.word == "false":
                    command = _always_there(chunk.value(one))
                    if command is not None:
                        yield self._never_false(chunk, binary, one, command)

    def _finding(
        self, chunk: Chunk, binary: Binary, reply: Expression, constant: Constant
    ) -> Finding:
        value = chunk.value(reply)
        always = ALWAYS[binary.operator]
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
        help_ = "compare the number or the length: `== 0`"
        is_extra = _is_part_of_a_condition(binary)
        return self.at(binary, message, help=help_, severity=Severity.INFO if is_extra else None)

    def _never_false(
        self, chunk: Chunk, binary: Binary, reply: Expression, command: CommandCall
    ) -> Finding:
        given = "number" if reply_type(command) == "integer" else "table"
        message = (
            f"{quoted(chunk, reply)} is never false, for {command.name} always replies with a "
            f"{given}: this is {ALWAYS[binary.operator]}"
        )
        return self.at(binary, message, help="compare the number or the length: `== 0`")

    def _never_false_in_resp3(self, chunk: Chunk, binary: Binary, reply: Expression) -> Finding:
        what, always = quoted(chunk, reply), ALWAYS[binary.operator]
        message = f"{what} is nil after `redis.setresp(3)`, not false: this is {always}"
        help_ = "compare with `nil`, or use `not`"
        return self.at(binary, message, help=help_, severity=Severity.WARNING)


def _is_nil_of_resp3(chunk: Chunk, node: Expression) -> bool:
    """Whether it is a reply that is nil where it is missing, since RESP3 was asked for before."""
    command = chunk.value(node).reply
    if command is None or command.is_protected or not reply_type(command).endswith("?"):
        return False
    calls = list(chunk.calls_to("redis.setresp", "server.setresp"))
    return all(
        bool(call.arguments) and chunk.value(call.arguments[0]).constant == 3 for call in calls
    ) and any(runs_before(call, command.node) for call in calls)


def _is_part_of_a_condition(binary: Binary) -> bool:
    """Whether another test stands beside it: then it is care, not a mistake."""
    outer = binary.parent
    while isinstance(outer, Parens):
        outer = outer.parent
    return isinstance(outer, Binary) and outer.operator in ("and", "or")


def _is_false_asked_too(chunk: Chunk, binary: Binary, reply: Expression) -> bool:
    """Whether the condition asks for false as well: `v == nil or v == false`."""
    top: Expression = binary
    while isinstance(top.parent, Binary | Parens):
        top = top.parent
    tests: list[Binary | Unary] = [*chunk.of(Binary), *chunk.of(Unary)]
    return any(
        _asks_false(one, chunk.text(reply), chunk)
        for one in tests
        if top.start <= one.start < top.end
    )


def _asks_false(node: Binary | Unary, text: str, chunk: Chunk) -> bool:
    if isinstance(node, Unary):
        return node.operator == "not" and chunk.text(node.operand) == text
    sides = ((node.left, node.right), (node.right, node.left))
    return node.operator in ("==", "~=") and any(
        isinstance(bare(other), Constant)
        and bare(other).word == "false"
        and chunk.text(one) == text
        for one, other in sides
    )


def _always_there(value: Value) -> CommandCall | None:
    """The command of a reply that is a number or an array, whatever is stored."""
    command = value.reply
    if command is None or command.row is None or value.can_fail:
        return None
    is_there = value.is_only(Kind.NUMBER | Kind.TABLE)
    return command if is_there and reply_type(command) in PLAIN else None
