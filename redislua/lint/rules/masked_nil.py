"""RL208."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.keys import is_element_of
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.guards import is_asked
from redislua.syntax.nodes import (
    Binary,
    Call,
    Expression,
    If,
    Index,
    Local,
    Repeat,
    Unary,
    While,
    bare,
)


class MaskedNil(Rule):
    """A key that was not passed is replaced, or made the text `nil`.

    ## Why is this bad?
    A caller who forgets a key should hear of it. `KEYS[2] or 'x'` goes on with a key that was
    not declared, and `tostring(KEYS[2])` with one called `nil`.

    ## Example
    ```lua
    return redis.call('GET', tostring(KEYS[1]))
    ```

    Use instead:
    ```lua
    return redis.call('GET', KEYS[1])
    ```

    ## Limits
    `tostring` of an argument is information only, and nothing where it is put into a text or
    compared; nor is a default for an argument.
    Silent in scripts with a header: the generated call passes every key.
    """

    code = "RL208"
    name = "masked-nil"
    severity = Severity.WARNING

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each place that hides a missing key."""
        if chunk.script is not None:
            return
        for call in chunk.calls_to("tostring"):
            if len(call.arguments) == 1:
                name = _element(chunk, call.arguments[0])
                is_other = name == "ARGV" and _is_looked_at(call)
                if name and not is_other and not chunk.is_tested(call.arguments[0]):
                    what = quoted(chunk, call.arguments[0])
                    severity = Severity.WARNING if name == "KEYS" else Severity.INFO
                    message = f"{what} that is missing becomes the text 'nil'"
                    yield self.at(call, message, help=f"use {what} itself", severity=severity)
        for binary in chunk.of(Binary):
            if binary.operator != "or" or _is_condition(binary):
                continue
            if _element(chunk, binary.left) == "KEYS":
                what = quoted(chunk, binary.left)
                message = f"a missing {what} is replaced by {quoted(chunk, binary.right)}"
                yield self.at(binary, message, help="let the caller pass every key")


def _element(chunk: Chunk, expression: Expression) -> str:
    """``KEYS`` or ``ARGV`` for one of their elements with a number; else ``""``."""
    node = bare(expression)
    if not isinstance(node, Index):
        return ""
    found = next((name for name in ("KEYS", "ARGV") if is_element_of(name, node)), "")
    return found if found and isinstance(chunk.value(node.key).constant, float) else ""


def _is_looked_at(call: Call) -> bool:
    """Whether the text is part of another, or is asked for: another rule's finding."""
    parent = call.parent
    if isinstance(parent, Local):
        variable = parent.variables[parent.values.index(call)]
        return any(is_asked(read) for read in variable.reads)
    return isinstance(parent, Binary)


def _is_condition(node: Expression) -> bool:
    return any(isinstance(outer, If | While | Repeat | Unary) for outer in _around(node))


def _around(node: Expression) -> Iterator[object]:
    for outer in node.parents():
        yield outer
        if not isinstance(outer, Expression):
            return
