"""One row of a command table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Self

from redislua.syntax.commands import curated
from redislua.syntax.commands.arguments import Argument, Option, types_of
from redislua.syntax.commands.fitting import Misfit, fit
from redislua.syntax.commands.keys import Keys, KeySpec, Word, Words, find_keys, upper
from redislua.syntax.commands.syntax import read_syntax

__all__ = ["Command"]


@dataclass(frozen=True, slots=True, eq=False)
class Command:
    """What one server line says about one command or subcommand; equal to itself alone.

    Attributes:
        name: In upper case; ``XGROUP CREATE`` for a subcommand.
        arity: Number of words of a call, names included; at least so many if negative.
        flags: The server's: ``write``, ``readonly``, ``denyoom``, ``noscript``,
            ``blocking``, ``movablekeys``, ``fast``, ``admin``, …
        group: ``string``, ``sorted-set``, ``scripting``, …
        since: First version of the product that had it.
        complexity: The documentation's, ``O(log(N))``; ``""`` if it says none.
        tips: ``nondeterministic_output`` and others.
        keys: Where its keys are.
        arguments: Its arguments by place. In a subcommand's row the first is the
            subcommand itself, so that indexes are those of a call.
        repeated: Index of the first and number of those that may come again as a group.
        options: The fixed words that it takes on this line, by their text.
        syntax: The grammar of its arguments as `read_syntax` takes it; ``""`` if unknown.
        deprecated_since: The version that deprecated it, or None.
        replaced_by: What the documentation recommends instead, or ``""``.
        is_container: Whether it only holds subcommands.
    """

    name: str
    arity: int
    flags: frozenset[str]
    group: str
    since: str
    complexity: str = ""
    tips: tuple[str, ...] = ()
    keys: tuple[KeySpec, ...] = ()
    arguments: tuple[Argument, ...] = ()
    repeated: tuple[int, int] | None = None
    options: Mapping[str, Option] = field(default_factory=dict)
    syntax: str = ""
    deprecated_since: str | None = None
    replaced_by: str = ""
    is_container: bool = False

    @classmethod
    def read(cls, name: str, row: Mapping[str, Any]) -> Self:
        """Build it from its row in a table file."""
        repeated = row.get("repeated")
        return cls(
            name,
            arity=row["arity"],
            flags=frozenset(row["flags"].split()),
            group=row["group"],
            since=row["since"],
            complexity=row.get("complexity", ""),
            tips=tuple(row.get("tips", "").split()),
            keys=tuple(KeySpec.read(one) for one in row.get("keys", ())),
            arguments=tuple(Argument.read(one) for one in row.get("arguments", ())),
            repeated=(repeated[0], repeated[1]) if repeated else None,
            options={word: Option.read(one) for word, one in row.get("options", {}).items()},
            syntax=row.get("syntax", ""),
            deprecated_since=row.get("deprecated"),
            replaced_by=row.get("replaced_by", ""),
            is_container=row.get("container", False),
        )

    @property
    def is_allowed(self) -> bool:
        """Whether a script may call it."""
        return "noscript" not in self.flags

    @property
    def is_write(self) -> bool:
        """Whether a ``no-writes`` script may not call it."""
        return "write" in self.flags or self.name in curated.WRITES_WITHOUT_FLAG

    @property
    def needs_memory(self) -> bool:
        """Whether a server over its ``maxmemory`` refuses it."""
        return "denyoom" in self.flags

    @property
    def blocks_elsewhere(self) -> bool:
        """Whether it waits when a client calls it; within a script it never does."""
        return "blocking" in self.flags

    @property
    def is_random(self) -> bool:
        """Whether the same call on the same keys may answer differently."""
        return "nondeterministic_output" in self.tips

    @property
    def reply(self) -> str:
        """What a script gets when no option changes it; see `reply_to`."""
        if not self.is_allowed:
            return "none"
        return curated.REPLIES[self.name].plain if self.name in curated.REPLIES else "unknown"

    @property
    def items(self) -> str:
        """The type of each element where the reply is an ``array``; ``""`` if they differ."""
        known = curated.REPLIES.get(self.name)
        return known.items if known is not None and self.is_allowed else ""

    def reply_to(self, words: Words, *, is_open: bool = False) -> str:
        """Return what a script gets from one call, under RESP2.

        ``status`` is a table with a field ``ok``; ``integer`` a number; ``string`` text;
        ``double`` text that holds a number; ``array`` a flat table; ``nested`` a table of
        tables. One that ends in ``?`` can be ``false`` instead. ``none``: the call is
        refused. ``unknown``: nothing is known.

        Args:
            words: The arguments after the command's name; None for what is no literal.
            is_open: Whether the last argument may stand for any number of them.
        """
        return _reply(self, tuple(words), is_open)

    def find_keys(self, words: Words, *, is_open: bool = False) -> Keys:
        """Return which arguments are keys, and whether these are all.

        Args:
            words: The arguments after the command's name; None for what is no literal.
            is_open: Whether the last argument may stand for any number of them.
        """
        return _keys(self, tuple(words), is_open)

    def key_positions(self, words: Words, *, is_open: bool = False) -> list[int] | None:
        """Return the indexes of the arguments that are keys, or None if some are not known."""
        found = self.find_keys(words, is_open=is_open)
        return list(found.positions) if found.is_complete else None

    def argument_types(self, words: Words, *, is_open: bool = False) -> list[str | None]:
        """Return the type of each argument of a call; None for what cannot be told.

        Options count as ``token``, and what follows one has the option's own type: the 5
        of ``SET k v EX 5`` is an ``integer``.
        """
        return list(_types(self, tuple(words), is_open))

    def misfit(self, words: tuple[bytes | None, ...], *, is_open: bool = False) -> Misfit | None:
        """Return why the words of a call do not fit; None if they may.

        Args:
            words: The arguments after the command's name, as the server gets them; None for
                what is no literal.
            is_open: Whether the last argument may stand for any number of them.
        """
        own = words[1:] if " " in self.name else words
        found = _misfit(self.name, self.syntax, own, is_open) if self.syntax else None
        if found is None or own is words:
            return found
        return found._replace(at=found.at + 1)

    def takes(self, count: int) -> bool:
        """Whether a call with so many arguments, a subcommand included, has the right number."""
        words = count + 1
        return words == self.arity if self.arity >= 0 else words >= -self.arity


# --- asked again and again -------------------------------------------------------------------
# Every rule asks these of every call, and most calls of a command are written the same.

_kept = lru_cache(maxsize=4096)


@_kept
def _reply(command: Command, words: tuple[Word, ...], is_open: bool) -> str:
    plain = command.reply
    if plain in ("none", "unknown"):
        return plain
    changes = curated.REPLIES[command.name].changes
    if not changes:
        return plain
    types = _types(command, words, is_open)
    tokens = {upper(word) for word, kind in zip(words, types, strict=True) if kind == "token"}
    for cause, changed in changes:
        if len(words) - is_open >= cause if isinstance(cause, int) else tokens & cause:
            return changed
    return _either(plain, *(changed for _, changed in changes)) if is_open else plain


@_kept
def _keys(command: Command, words: tuple[Word, ...], is_open: bool) -> Keys:
    if command.is_container and not command.keys:
        return Keys((), is_complete=False)
    return find_keys(command.name, command.keys, words, is_open=is_open)


@_kept
def _misfit(
    name: str, syntax: str, words: tuple[bytes | None, ...], is_open: bool
) -> Misfit | None:
    row = read_syntax(name, syntax)
    return fit(row, words, is_open=is_open) if row.items else None


@_kept
def _types(command: Command, words: tuple[Word, ...], is_open: bool) -> list[str | None]:
    return types_of(command.arguments, command.repeated, command.options, words, is_open=is_open)


def _either(*replies: str) -> str:
    """One type that covers all: the same with ``?``, or ``unknown``."""
    if len({one.removesuffix("?") for one in replies}) > 1:
        return "unknown"
    return next((one for one in replies if one.endswith("?")), replies[0])
