"""Calls whose words do not fit the command on any server."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from redislua.lint.arity import takes, unfinished_group
from redislua.lint.servers import lines_of, rows
from redislua.syntax.chunk import Chunk
from redislua.syntax.commands import LINES, table
from redislua.syntax.commands.fitting import Literals, Misfit
from redislua.syntax.commands.syntax import Place, read_syntax
from redislua.syntax.nodes import Binary, Expression, Name, bare
from redislua.syntax.reaching import reaching
from redislua.syntax.sites import CommandCall

__all__ = ["is_no_number", "misfits", "named_places", "number_wanted", "sent", "words_sent"]

FILLED = re.compile(rb"[%{}<]|\$[\w(]|@\w|^__|__$|^[:?]")
"""What another program may fill in before a server sees the word."""

NO_NUMBER = re.compile(rb"[^0-9+.eExXa-fA-FinfINFtyTYpP()*$>-]")
"""A byte that stands in no number, and in nothing else that a server reads as one."""

NUMBERS = frozenset({"bit", "bound", "double", "integer", "positive", "unix-time"})

PLACES = {
    "bit": "0 or 1",
    "bound": "a number, or `(` and a number",
    "cursor": "a cursor: 0 at first",
    "double": "a number",
    "encoding": "a type such as u8",
    "entry": "an identifier such as 5-1",
    "entry-bound": "`-`, `+` or an identifier such as 5-1",
    "entry-sign": "`$`, `>` or an identifier such as 5-1",
    "integer": "a whole number",
    "lex": "`-`, `+`, or a text behind `[` or `(`",
    "new-entry": "`*` or an identifier such as 5-1",
    "offset": "an offset such as 8 or #1",
    "positive": "a whole number above 0",
    "unix-time": "a whole number",
}


@lru_cache(maxsize=2)
def misfits(chunk: Chunk) -> tuple[tuple[CommandCall, Misfit | None], ...]:
    """The calls of commands with a grammar, and why every server refuses the call's words.

    None where some server may take it, and where the number of arguments is wrong: another
    rule reports that. Kept, as two rules ask.
    """
    which = lines_of(chunk)
    return tuple(
        (one, _misfit(chunk, one, which))
        for one in chunk.commands
        if one.row is not None and one.name is not None and _has_grammar(one.name, one.row.syntax)
    )


def _misfit(chunk: Chunk, command: CommandCall, which: tuple[str, ...]) -> Misfit | None:
    name, is_open = command.name or "", command.is_open
    found = _refused(which, name, words_sent(chunk, command), is_open)
    if found is None:
        return None
    given = len(command.arguments)
    if any(one is not None and not takes(one, given, is_open) for _, one in rows(chunk, name)):
        return None
    return None if unfinished_group(chunk, command) is not None else found


@cache
def _has_grammar(name: str, syntax: str) -> bool:
    """Whether anything but the number of words can be wrong."""
    return bool(syntax and read_syntax(name, syntax).items)


def number_wanted(chunk: Chunk, command: CommandCall, index: int) -> Place | None:
    """The number that every server wants at an argument, where no other text can stand."""
    words = words_sent(chunk, command)
    tried = (*words[:index], b"\xff", *words[index + 1 :])
    found = _refused(lines_of(chunk), command.name or "", tried, command.is_open)
    if found is None or found.at != index or len(found.places) != 1:
        return None
    place = found.places[0]
    return place if place.type in NUMBERS else None


def is_no_number(chunk: Chunk, argument: Expression) -> bool:
    """Whether it is put together with a constant that no number holds."""
    node = bare(argument)
    if isinstance(node, Name) and node.variable is not None:
        definitions = reaching(node)
        value = definitions[0].value if len(definitions) == 1 else None
        node = bare(value) if value is not None and definitions[0].index == 0 else node
    while isinstance(node, Binary) and node.operator == "..":
        text = sent(chunk.value(node.left).constant)
        if text is not None and NO_NUMBER.search(text):
            return True
        right = bare(node.right)
        text = sent(chunk.value(right).constant)
        if text is not None and NO_NUMBER.search(text):
            return True
        node = right
    return False


def words_sent(chunk: Chunk, command: CommandCall) -> Literals:
    """The words of a call as a server gets them; None for what is not the same in every run."""
    known = command.arguments[:-1] if command.is_open else command.arguments
    words = [sent(chunk.value(one).constant) for one in known]
    return (*words, None) if command.is_open else tuple(words)


def sent(constant: bytes | float | None) -> bytes | None:
    """What a server gets for a constant; None if a program may write another text there."""
    if isinstance(constant, float):
        is_whole = constant.is_integer() and abs(constant) < 1e17
        return b"%d" % int(constant) if is_whole else b"%.17g" % constant
    return None if constant is None or FILLED.search(constant) else constant


def named_places(misfit: Misfit) -> str:
    """`` `NX`, `XX` or `score` (a number)``: what a server would take."""
    parts = [f"`{word}`" for word in misfit.words]
    parts += [
        f"`{one.name}` ({PLACES[one.type]})" if one.type in PLACES else f"`{one.name}`"
        for one in misfit.places
    ]
    return " or ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


@lru_cache(maxsize=4096)
def _refused(which: tuple[str, ...], name: str, words: Literals, is_open: bool) -> Misfit | None:
    """The misfit on the oldest server to run on, if all that are known refuse the words."""
    first: Misfit | None = None
    asked: set[str] = set()
    for line in (*which, *LINES):
        row = table(line).get(name)
        if row is not None and row.syntax not in asked:
            asked.add(row.syntax)
            found = row.misfit(words, is_open=is_open)
            if found is None:
                return None
            first = first or found
    return first
