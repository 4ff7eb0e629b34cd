"""Where a value must be neither nil nor false."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.absent import may_be_beyond
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Binary, Call, Expression, For, Index, Name, Unary, bare
from redislua.syntax.values import Kind

__all__ = ["operands"]

ARITHMETIC = ("+", "-", "*", "/", "%", "^")
ORDERS = ("<", "<=", ">", ">=")
TAKING = ("math.", "string.", "cjson.decode", "cmsgpack.unpack", "struct.unpack", "bit.")
READ = (Name, Index, Call)
"""What may be nil or false without being written so."""
EACH = ("ipairs", "pairs", "unpack", "table.concat")


def operands(chunk: Chunk) -> Iterator[tuple[Expression, str]]:
    """Operands and arguments that must not be nil or false, and what fails."""
    for binary in chunk.of(Binary):
        operator = binary.operator
        if operator in ARITHMETIC:
            yield from _both(chunk, binary, "arithmetic stops the script")
        elif operator == "..":
            yield from _both(chunk, binary, "`..` stops the script")
        elif operator in ORDERS:
            for node, _ in _both(chunk, binary, ""):
                if not chunk.value(node).can_be(Kind.STRING):  # RL304 reports text
                    yield node, f"`{operator}` stops the script"
    for unary in chunk.of(Unary):
        if unary.operator != "not" and _is_candidate(chunk, unary.operand):
            yield unary.operand, f"`{unary.operator}` stops the script"
    for loop in chunk.of(For):
        for bound in (loop.first, loop.last):
            if _is_candidate(chunk, bound):
                yield bound, "`for` stops the script"
    for index in chunk.of(Index):
        # Rules about fields and elements know the rest; a table that may be false is told here.
        base = chunk.value(index.base)
        if base.can_be(Kind.FALSE) and base.can_be(Kind.TABLE) and base.reply is not None:
            yield index.base, "an index of it stops the script"
    yield from _given(chunk)


def _both(chunk: Chunk, binary: Binary, use: str) -> Iterator[tuple[Expression, str]]:
    for node in (binary.left, binary.right):
        if _is_candidate(chunk, node):
            yield node, use


def _given(chunk: Chunk) -> Iterator[tuple[Expression, str]]:
    for call in chunk.calls:
        if call.method is not None:
            if _is_candidate(chunk, call.callee):
                yield call.callee, f"`:{call.method}` stops the script"
            continue
        command = chunk.command_of(call)
        path = call.path or ""
        if command is not None:
            use = f"{command.name} refuses it"
            arguments = [] if command.name is None or command.is_protected else command.arguments
        elif path.startswith(TAKING) or path in EACH:
            use = f"`{path}` stops the script"
            arguments = call.arguments[:1] if path in EACH else call.arguments
        else:
            continue
        for argument in arguments:
            if _is_candidate(chunk, argument):
                yield argument, use


def _is_candidate(chunk: Chunk, expression: Expression) -> bool:
    """Whether it is worth a closer look: cheap, since every operand is asked."""
    node = bare(expression)
    if type(node) in READ:
        return chunk.value(node).can_be(Kind.FALSY) or may_be_beyond(chunk, node) is not None
    return type(node) is Binary and node.operator == "or"
