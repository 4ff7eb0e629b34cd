"""What was decoded from JSON."""

from __future__ import annotations

from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Binary, Call, Expression, ForIn, Index, Name, String, bare
from redislua.syntax.reaching import reaching
from redislua.syntax.sites import path_of
from redislua.syntax.variables import Definition

__all__ = ["fields_of_decoded", "is_decoded", "is_decoded_part"]

DEEPEST = 8

DECODERS = ("cjson.decode", "cmsgpack.unpack")


def is_decoded(chunk: Chunk, expression: Expression, depth: int = 0) -> bool:
    """Whether an expression can be what ``cjson.decode`` gives, as a whole."""
    node = bare(expression)
    if depth > DEEPEST:
        return False
    match node:
        case Call():
            return node.method is None and path_of(node.callee) == "cjson.decode"
        case Binary(operator="and" | "or"):
            return is_decoded(chunk, node.left, depth + 1) or is_decoded(
                chunk, node.right, depth + 1
            )
        case Name() if node.variable is not None:
            return any(
                _is_protected_decode(one)
                or (
                    one.value is not None
                    and one.index == 0
                    and is_decoded(chunk, one.value, depth + 1)
                )
                for one in reaching(node)
            )
    return False


def _is_protected_decode(definition: Definition) -> bool:
    """Whether it is the second value of ``pcall(cjson.decode, text)``."""
    call = bare(definition.value)
    return (
        definition.index == 1
        and isinstance(call, Call)
        and path_of(call.callee) == "pcall"
        and bool(call.arguments)
        and path_of(call.arguments[0]) == "cjson.decode"
    )


def is_decoded_part(chunk: Chunk, expression: Expression) -> bool:
    """Whether an expression is a field of a decoded value, or one that a loop takes out."""
    node = bare(expression)
    if isinstance(node, Index):
        return is_decoded(chunk, node.base) or is_decoded_part(chunk, node.base)
    if isinstance(node, Name) and node.variable is not None:
        definitions = reaching(node)
        if len(definitions) != 1:
            return False
        only = definitions[0]
        if isinstance(only.node, ForIn) and only.index == 1 and only.node.values:
            source = bare(only.node.values[0])
            return (
                isinstance(source, Call)
                and path_of(source.callee) == "pairs"
                and bool(source.arguments)
                and (
                    is_decoded(chunk, source.arguments[0])
                    or is_decoded_part(chunk, source.arguments[0])
                )
            )
        value = bare(only.value)
        return isinstance(value, Index) and is_decoded_part(chunk, value)
    return False


def fields_of_decoded(chunk: Chunk, name: Name) -> list[str]:
    """The fields that the script itself uses of a decoded object that it returns."""
    definitions = reaching(name)
    if name.variable is None or not all(
        isinstance(one.value, Call) and chunk.means(one.value.callee) in DECODERS
        for one in definitions
    ):
        return []
    found: dict[str, None] = {}
    for read in name.variable.reads:
        index = read.parent
        if not isinstance(index, Index) or index.base is not read:
            continue
        if isinstance(index.key, String) and reaching(read) == definitions:
            found[index.key.text.decode("utf-8", "replace")] = None
    return list(found)
