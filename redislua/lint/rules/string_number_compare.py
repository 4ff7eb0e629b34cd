"""RL304."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.json_numbers import is_number_field
from redislua.lint.replies import has_resp3, is_reply
from redislua.lint.rule import Rule
from redislua.lint.texts import are_numbers_as_text, is_text, is_text_or_default
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.literals import number_of
from redislua.syntax.nodes import Binary, Constant, Expression, bare
from redislua.syntax.values import Kind, Origin, Value

ORDERS = ("<", "<=", ">", ">=")


class StringNumberCompare(Rule):
    """A text is compared with a number, or two numbers as texts.

    ## Why is this bad?
    Elements of `ARGV` and most replies are text. `<` between a text and a number stops the
    script, `==` between them is always false, and two texts are compared letter by letter:
    `'10' < '9'`.

    ## Example
    ```lua
    if redis.call('LLEN', KEYS[1]) >= ARGV[1] then
      return 0
    end
    return redis.call('RPUSH', KEYS[1], ARGV[2])
    ```

    Use instead:
    ```lua
    local most = tonumber(ARGV[1])
    if redis.call('LLEN', KEYS[1]) >= most then
      return 0
    end
    return redis.call('RPUSH', KEYS[1], ARGV[2])
    ```

    ## Limits
    A reply that is text, or false where it is missing, equals no number, and no reply is
    `true`. Two texts are reported where both come from arguments or from the server, as an error;
    equality of two texts never is. A field of decoded JSON with which the script calculates
    is a number. Silent where a value may be of another type on some path.
    """

    code = "RL304"
    name = "string-number-compare"
    severity = Severity.ERROR

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each such comparison."""
        for binary in chunk.of(Binary):
            if binary.operator in ORDERS:
                finding = self._order(chunk, binary)
            elif binary.operator in ("==", "~="):
                finding = self._equality(chunk, binary)
            else:
                continue
            if finding is not None and not has_resp3(chunk):
                yield finding

    def _order(self, chunk: Chunk, binary: Binary) -> Finding | None:
        left, right = chunk.value(binary.left), chunk.value(binary.right)
        for one, other, node, against in (
            (left, right, binary.left, binary.right),
            (right, left, binary.right, binary.left),
        ):
            is_number = other.can_be(Kind.NUMBER) and other.is_only(Kind.NUMBER | Kind.FALSY)
            is_none = is_text(one) or _is_text_or_list(one)
            if (is_number and (is_none or is_text_or_default(chunk, node))) or (
                is_text(one) and is_number_field(chunk, against)
            ):
                what = quoted(chunk, node)
                message = f"{what} is text and is compared with a number: this stops the script"
                return self.at(binary, message, help=f"use `tonumber({what[1:-1]})`")
        if is_text(left) and is_text(right) and are_numbers_as_text(left, right):
            what = quoted(chunk, binary)
            message = f"{what} compares text: '10' is less than '9'"
            return self.at(binary, message, help="use `tonumber` on both sides")
        return None

    def _equality(self, chunk: Chunk, binary: Binary) -> Finding | None:
        sides = ((binary.left, binary.right), (binary.right, binary.left))
        for node, other in sides:
            one, two = chunk.value(node), chunk.value(other)
            always = "never true" if binary.operator == "==" else "always true"
            what = quoted(chunk, node)
            if _is_true(other) and is_reply(one):
                message = f"{what} is a reply, and none is `true`: this is {always}"
                return self.at(binary, message, help="compare with what is in it, or ask `if x`")
            if one.is_only(Kind.NUMBER) and one.kind and _is_stored_text(two):
                text = quoted(chunk, other)
                message = f"{text} is text and {what} is a number: this is {always}"
                return self.at(binary, message, help=_numbers(chunk, other))
            if not two.is_only(Kind.STRING) or not one.kind:
                continue
            if one.is_only(Kind.NUMBER) or (_can_be_number(two) and is_number_field(chunk, node)):
                text = quoted(chunk, other)
                message = f"{what} is a number and {text} is text: this is {always}"
                return self.at(binary, message, help=_numbers(chunk, other))
            if one.reply is not None and one.is_only(Kind.TABLE | Kind.FALSE) and not one.can_fail:
                message = f"{what} is a table: this is {always}"
                return self.at(binary, message, help=_field(one))
        return None


def _is_true(node: Expression) -> bool:
    constant = bare(node)
    return isinstance(constant, Constant) and constant.word == "true"


def _is_stored_text(value: Value) -> bool:
    """Whether it is a reply that is text, or false where it is missing."""
    return is_reply(value) and not value.can_fail and is_text(value)


def _can_be_number(text: Value) -> bool:
    """Whether a text may hold a number: one that cannot is asked for on purpose."""
    return not isinstance(text.constant, bytes) or number_of(text.constant) is not None


def _is_text_or_list(value: Value) -> bool:
    """Whether it is a part of a nested reply: a text or an array, and never a number."""
    return (
        value.can_be(Kind.STRING)
        and value.is_only(Kind.STRING | Kind.TABLE | Kind.FALSE)
        and not value.can_fail
        and value.origin == Origin.STORED
    )


def _numbers(chunk: Chunk, node: Expression) -> str:
    constant = chunk.value(node).constant
    if isinstance(constant, bytes):
        return "write the number without quotes" if number_of(constant) is not None else ""
    return f"use `tonumber({quoted(chunk, node)[1:-1]})`"


def _field(value: Value) -> str:
    is_status = value.reply is not None and value.reply.name in ("TYPE", "SET", "PING")
    return "its text is in the field `ok`: `.ok`" if is_status else ""
