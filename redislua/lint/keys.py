"""Where the keys of commands come from."""

from __future__ import annotations

import re
from collections.abc import Iterator

from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import (
    Binary,
    Call,
    Expression,
    Function,
    Index,
    Name,
    Node,
    Parens,
    Unary,
    bare,
)
from redislua.syntax.sites import CommandCall, path_of
from redislua.syntax.values import Kind, Origin, Value
from redislua.syntax.variables import Variable

__all__ = [
    "allows_undeclared",
    "compared_with_keys",
    "distinct_keys",
    "head_of",
    "identity",
    "is_derived",
    "is_element_of",
    "is_made_up",
    "is_of_a_global",
    "key_uses",
    "slot_is_proven",
    "tag_of",
]

DECLARED = Origin.KEYS | Origin.DERIVED

_DRAGONFLY = re.compile(rb"--!df\s+flags=[\w,-]*allow-undeclared-keys")


def allows_undeclared(chunk: Chunk) -> bool:
    """Whether the script says, in Dragonfly's way, that it uses undeclared keys."""
    return any(_DRAGONFLY.match(comment.text) for comment in chunk.comments)


def key_uses(chunk: Chunk, command: CommandCall) -> Iterator[tuple[Expression, Value]]:
    """The keys of a command: each with the place that is to blame, and its value there.

    A key that is a function's parameter is the fault of the calls that pass a wrong one,
    unless all of them do.
    """
    for key in command.key_arguments():
        value = chunk.value(key)
        if type(key) is not Name and type(key) is not Parens:
            yield key, value
            continue
        passed = list(_passed(chunk, key, ()))
        wrong = [argument for argument in passed if is_made_up(chunk.value(argument))]
        if wrong and len(wrong) < len(passed):
            for argument in wrong:
                yield argument, chunk.value(argument)
        else:
            yield key, value


def _passed(chunk: Chunk, key: Expression, seen: tuple[Function, ...]) -> Iterator[Expression]:
    """What the calls of a function pass for the parameter that a key is."""
    node = bare(key)
    variable = node.variable if isinstance(node, Name) else None
    if variable is None or variable.kind != "parameter" or len(variable.definitions) != 1:
        return
    function = variable.definitions[0].node
    if not isinstance(function, Function) or function in seen or len(seen) > 3:
        return
    position = function.parameters.index(variable)
    for call in chunk.calls_of(function):
        if position < len(call.arguments):
            argument = call.arguments[position]
            deeper = list(_passed(chunk, argument, (*seen, function)))
            yield from deeper or (argument,)


def is_made_up(value: Value) -> bool:
    """Whether a key is, in some run, neither an element of KEYS nor made from one."""
    if not value.can_be(Kind.STRING | Kind.NUMBER):
        return False
    origin = value.origin
    if origin & DECLARED:
        # A literal beside an element of KEYS is mostly the nil that it was declared with.
        return bool(origin & (Origin.ARGV | Origin.STORED))
    return bool(origin)


def is_derived(value: Value) -> bool:
    """Whether a key is made from an element of KEYS and more."""
    return Origin.DERIVED in value.origin and not is_made_up(value)


def head_of(key: Expression) -> Expression | None:
    """What a key that is put together begins with; None for one that is not."""
    node = _resolved(key)
    if isinstance(node, Binary) and node.operator == "..":
        while isinstance(node, Binary) and node.operator == "..":
            node = _resolved(node.left)
        return node if isinstance(node, Expression) else None
    if isinstance(node, Call) and node.method == "format":
        return node.callee
    if isinstance(node, Call) and node.arguments and path_of(node.callee) == "string.format":
        return node.arguments[0]
    return None


def _resolved(expression: Expression) -> Node:
    """The expression, or the one that the local it names always holds."""
    node = bare(expression)
    for _ in range(8):
        if not isinstance(node, Name) or node.variable is None:
            break
        value = bare(node.variable.only_value())
        if value is None:
            break
        node = value
    return node  # type: ignore[no-any-return]


def identity(chunk: Chunk, key: Expression) -> object:
    """Equal for keys that are written the same and mean the same, as far as seen."""
    node = bare(key)
    variable = node.variable if isinstance(node, Name) else None
    value = chunk.value(node)
    return chunk.text(node), value.symbol, value.origin, variable and variable.start


def is_of_a_global(key: Expression) -> bool:
    """Whether a key is an unknown global, or a field of one: another rule's finding."""
    node = bare(key)
    while isinstance(node, Index):
        node = bare(node.base)
    return isinstance(node, Name) and node.variable is None and node.id not in ("KEYS", "ARGV")


def is_element_of(table: str, index: Index) -> bool:
    """Whether it is ``KEYS[…]`` for the table KEYS, or an alias of it."""
    base = bare(index.base)
    return isinstance(base, Name) and path_of(base) == table


def compared_with_keys(chunk: Chunk) -> frozenset[str]:
    """What the script compares with its keys, or looks up among them, as it is written."""
    found: set[str] = set()
    for node in map(bare, _compared(chunk)):
        found.add(chunk.text(node))
        found.update(chunk.text(bare(one)) for one in _passed(chunk, node, ()))
    for index in chunk.of(Index):
        if not index.is_written and isinstance(index.base, Name):
            variable = index.base.variable
            if variable is not None and variable.stores and _holds_keys(chunk, variable):
                found.add(chunk.text(bare(index.key)))
    return frozenset(found)


def _compared(chunk: Chunk) -> Iterator[Expression]:
    """What stands in a comparison with an element of KEYS."""
    for binary in chunk.of(Binary):
        if binary.operator in ("==", "~="):
            for one, other in ((binary.left, binary.right), (binary.right, binary.left)):
                if chunk.value(one).origin == Origin.KEYS and not isinstance(bare(one), Unary):
                    yield other


def _holds_keys(chunk: Chunk, variable: Variable) -> bool:
    return any(chunk.value(target.key).origin == Origin.KEYS for target, _ in variable.stores)


def distinct_keys(chunk: Chunk, command: CommandCall) -> list[tuple[Expression, Value]]:
    """The keys of a command that are not equal in every run."""
    found: list[tuple[Expression, Value]] = []
    seen: set[object] = set()
    for key in command.key_arguments():
        value = chunk.value(key)
        name = value.symbol if value.symbol is not None else chunk.text(bare(key))
        if name not in seen:
            seen.add(name)
            found.append((key, value))
    return found


def slot_is_proven(chunk: Chunk, key: Expression) -> bool:
    """Whether a key made from an element of KEYS is on that element's slot in every run."""
    parts = _parts(key)
    if not parts:
        return False
    if _is_braced(chunk, parts):
        return True
    if chunk.script is None:
        return False
    symbol = chunk.value(parts[0]).symbol
    if not isinstance(symbol, tuple) or symbol[:1] != ("KEYS",):
        return False
    declared = chunk.script.keys
    number = symbol[1]
    if isinstance(number, float) and 1 <= number <= len(declared):
        return not declared[int(number) - 1].pattern.bare
    return bool(declared) and not any(one.pattern.bare for one in declared)


def _parts(key: Expression) -> list[Expression]:
    """The operands of ``..`` that a key is put together of; none if it is not."""
    node = _resolved(key)
    if not isinstance(node, Binary) or node.operator != "..":
        return []
    parts: list[Expression] = []
    for side in (node.left, node.right):
        inner = _resolved(side)
        is_text = isinstance(inner, Binary) and inner.operator == ".."
        parts += _parts(side) if is_text else [side]
    return parts


def _is_braced(chunk: Chunk, parts: list[Expression]) -> bool:
    """Whether literal braces stand around an element of KEYS."""
    for before, part, after in zip(parts, parts[1:], parts[2:], strict=False):
        opening, closing = chunk.value(before).constant, chunk.value(after).constant
        if (
            chunk.value(part).origin == Origin.KEYS
            and isinstance(opening, bytes)
            and isinstance(closing, bytes)
            and opening.endswith(b"{")
            and closing.startswith(b"}")
        ):
            return True
    return False


def tag_of(value: Value) -> bytes | None:
    """The hash tag of a key that is written in the script; None if it has none."""
    if not isinstance(value.constant, bytes):
        return None
    found = re.search(rb"\{([^}]+)\}", value.constant)
    return found[1] if found else None
