"""The first statements of a redislua script: whether they bind KEYS and ARGV, and how they should."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from redislua.lint.declared import declared, places
from redislua.lint.diagnostic import Edit, Fix
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Expression, Index, Local, Name, Statement, bare
from redislua.syntax.variables import Variable

__all__ = ["bound", "first_statement", "fix", "is_right", "text"]

WIDTH = 100
"""Columns of a line of the catalogue."""


def first_statement(chunk: Chunk) -> Statement | None:
    """What the script does first."""
    statements = chunk.main.body.statements
    return statements[0] if statements else None


def text(chunk: Chunk) -> str:
    """The prologue that the header asks for."""
    return "\n".join(
        _line(known.names, known.table) for known in declared(chunk).values() if known.names
    )


def _line(names: tuple[str, ...], table: str) -> str:
    left = f"local {', '.join(names)} ="
    right = ", ".join(f"{table}[{number}]" for number in range(1, len(names) + 1))
    whole = f"{left} {right}"
    return whole if len(whole) <= WIDTH else f"{left}\n  {right}"


def leading(chunk: Chunk) -> list[Local]:
    """The statements at the beginning that bind elements of KEYS and ARGV to locals alone."""
    found: list[Local] = []
    for statement in chunk.main.body.statements:
        if not isinstance(statement, Local) or len(statement.values) != len(statement.variables):
            break
        if not statement.values or not all(_element(chunk, one) for one in statement.values):
            break
        found.append(statement)
    return found


def _element(chunk: Chunk, expression: Expression) -> tuple[str, int] | None:
    node = bare(expression)
    if not isinstance(node, Index) or chunk.means(node.base) not in ("KEYS", "ARGV"):
        return None
    constant = chunk.value(node.key).constant
    if not isinstance(constant, float) or not constant.is_integer():
        return None
    return str(chunk.means(node.base)), int(constant)


def bound(chunk: Chunk) -> list[tuple[Variable, tuple[str, int]]]:
    """What the leading statements bind, in order."""
    return [
        (variable, element)
        for statement in leading(chunk)
        for variable, value in zip(statement.variables, statement.values, strict=True)
        if (element := _element(chunk, value)) is not None
    ]


def is_right(chunk: Chunk) -> bool:
    """Whether the script begins as its header asks.

    A local may follow for the first place of a variadic key, or for the number of rows.
    """
    wanted = [
        (name, (known.table, number))
        for known in declared(chunk).values()
        for number, name in enumerate(known.names, 1)
    ]
    found = [
        (variable.name, element)
        for variable, element in bound(chunk)
        if element[1] <= len(declared(chunk)[element[0]].names)
    ]
    return found == wanted


# --- writing it ------------------------------------------------------------------------------


def fix(chunk: Chunk) -> Fix | None:
    """Edits that write the prologue and use its locals; None where a name is in the way."""
    first = first_statement(chunk)
    if first is None:
        return None
    names = {
        (known.table, number): name
        for known in declared(chunk).values()
        for number, name in enumerate(known.names, 1)
    }
    old = bound(chunk)
    if len({element for _, element in old}) != len(old) or _uses_elements_as_targets(chunk):
        return None
    if any(element not in names for _, element in old):
        return None
    renamed = {variable: names[element] for variable, element in old}
    removed = {variable for variable, _ in old}
    converted = list(_converted(chunk, set(names.values()), removed))
    if not _are_free(chunk, set(names.values()), removed, converted):
        return None
    if not _are_only_converted(chunk, names, converted) or _has_comment(chunk):
        return None
    edits = [*_head(chunk, first, converted), *_renames(chunk, renamed), *_elements(chunk, names)]
    edits += [Edit(one.start, one.variables[0].start, b"") for one in converted if one is not first]
    return Fix("Write the prologue", tuple(sorted(edits, key=lambda edit: edit.start)))


def _uses_elements_as_targets(chunk: Chunk) -> bool:
    return any(place.node.is_written for place in places(chunk))


def _head(chunk: Chunk, first: Statement, converted: list[Local]) -> Iterator[Edit]:
    """The old leading statements become the new ones."""
    wanted = text(chunk).encode()
    old = leading(chunk)
    if old:
        yield Edit(old[0].start, old[-1].end, wanted)
    else:
        end = converted[0].variables[0].start if first in converted else first.start
        yield Edit(first.start, end, wanted + b"\n\n")


def _renames(chunk: Chunk, renamed: dict[Variable, str]) -> Iterator[Edit]:
    changed = {variable: name for variable, name in renamed.items() if variable.name != name}
    for node in chunk.of(Name):
        if node.variable in changed:
            yield Edit(node.start, node.end, changed[node.variable].encode())


def _elements(chunk: Chunk, names: dict[tuple[str, int], str]) -> Iterator[Edit]:
    """Elements below the prologue become its locals."""
    behind = max((one.end for one in leading(chunk)), default=0)
    for place in places(chunk):
        name = names.get((place.table, place.number or 0))
        if place.node.start >= behind and name is not None:
            yield Edit(place.node.start, place.node.end, name.encode())


def _converted(chunk: Chunk, names: set[str], removed: set[Variable]) -> Iterator[Local]:
    """``local limit = tonumber(ARGV[1])`` where the prologue has a ``limit``: no longer local."""
    for statement in chunk.main.body.statements:
        if (
            isinstance(statement, Local)
            and len(statement.variables) == 1
            and len(statement.values) == 1
            and statement.variables[0] not in removed
            and statement.variables[0].name in names
        ):
            yield statement


def _are_free(
    chunk: Chunk, names: set[str], removed: set[Variable], converted: list[Local]
) -> bool:
    """Whether no other local or global has a name of the prologue."""
    allowed = removed | {one.variables[0] for one in converted}
    own = [one.variables[0].name for one in converted]
    taken = chain(
        (one.name for one in chunk.variables if one not in allowed),
        (one.id for one in chunk.globals),
    )
    return len(set(own)) == len(own) and names.isdisjoint(taken)


def _are_only_converted(
    chunk: Chunk, names: dict[tuple[str, int], str], converted: list[Local]
) -> bool:
    """Whether what is converted is not also used as it came: then one name cannot be both."""
    old = {variable.name for variable, _ in bound(chunk)}
    statements = {one.variables[0].name: one for one in converted}
    for place in places(chunk):
        name = names.get((place.table, place.number or 0), "")
        statement = statements.get(name)
        if statement and not statement.start <= place.node.start < statement.end:
            return False
    return old.isdisjoint(statements)


def _has_comment(chunk: Chunk) -> bool:
    """Whether a comment stands within the old prologue."""
    old = leading(chunk)
    return bool(old) and any(old[0].start < one.start < old[-1].end for one in chunk.comments)
