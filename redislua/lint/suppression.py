"""Comments that silence a rule, each with a reason.

* ``-- redislua: ignore[RL201] -- reason`` behind a statement, for that line; on a line of its
  own for the next line of code.
* ``-- redislua: file-ignore[RL201, RL301] -- reason`` above the first statement, for the file.

Rules are named by code or name, never by the beginning of a code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from redislua.lint.diagnostic import Diagnostic, Edit, Finding, Fix
from redislua.lint.places import Places
from redislua.lint.rules import find_rule

__all__ = ["MARK", "Suppression", "Suppressions", "comment"]

MARK = b"redislua:"
_LINE = re.compile(rb"--[^\S\n]*redislua:[^\n]*")
_FORM = re.compile(
    rb"--\s*redislua:\s*(?P<scope>file-ignore|ignore)\s*\[(?P<rules>[^\]]*)\]"
    rb"(?:\s*--\s*(?P<reason>.*))?\s*"
)
_MARKED = re.compile(rb"--+\s*redislua:")
EXPECTED = "write `-- redislua: ignore[RL201] -- why it is right here`"


def comment(scope: str, codes: Iterable[str], reason: str) -> str:
    """The text of a suppression."""
    return f"-- redislua: {scope}[{', '.join(codes)}] -- {reason}"


@dataclass(slots=True)
class Suppression:
    """One comment.

    Attributes:
        start: Offset of its first byte.
        end: Offset behind its last byte.
        line: The line whose findings it silences; None for the whole file.
        codes: The rules it silences.
        used: Those of them that had something to silence.
        stands_alone: Whether nothing else is on its line.
    """

    start: int
    end: int
    line: int | None
    codes: tuple[str, ...]
    stands_alone: bool
    used: set[str] = field(default_factory=set)


class Suppressions:
    """All suppressions of a file.

    Attributes:
        entries: Those that have the right form.
        problems: What is wrong with the others.
    """

    def __init__(
        self, source: bytes, places: Places, comments: Sequence[tuple[int, int]] | None
    ) -> None:
        """Find them.

        Args:
            source: The file.
            places: Its lines.
            comments: Where its comments are; None when nobody knows: it does not compile.
        """
        self.entries: list[Suppression] = []
        self.problems: list[Finding] = []
        self._by_line: dict[int | None, list[Suppression]] = {}
        self._run = (0, 0)  # lines that all mean the second one: see `_next_code`
        self._source = source
        self._places = places
        if MARK not in source:
            return
        if comments is None:
            comments = [(found.start(), found.end()) for found in _LINE.finditer(source)]
        self._code = _first_code(source, comments)
        for start, end in comments:
            if _MARKED.match(source, start, end):
                self._read(start, end)

    def _read(self, start: int, end: int) -> None:
        form = _FORM.fullmatch(self._source, start, end)
        if form is None:
            self._report(start, end, "this is no suppression that redislua reads", EXPECTED)
            return
        words = form["rules"].decode("utf-8", "replace").split(",")
        found = [find_rule(word) for word in words]
        unknown = [word.strip() for word, rule in zip(words, found, strict=True) if rule is None]
        if unknown:
            message = f"no lint rule is called {unknown[0]!r}" if unknown[0] else "no rule is named"
            self._report(start, end, message, "`redislua explain` lists all rules")
        if not (form["reason"] or b"").strip():
            self._report(start, end, "a suppression needs a reason", EXPECTED)
        is_file = form["scope"] == b"file-ignore"
        if is_file and start > self._code:
            message = "a file-ignore stands above the first statement"
            self._report(start, end, message, "move it up, or write ignore[…] for one line")
            return
        line, _ = self._places.of(start)
        alone = not self._source[self._places.start_of(line) : start].strip()
        meant = None if is_file else (self._next_code(line) if alone else line)
        codes = tuple(rule.code for rule in found if rule is not None)
        entry = Suppression(start, end, meant, codes, alone)
        self.entries.append(entry)
        self._by_line.setdefault(meant, []).append(entry)

    def _next_code(self, line: int) -> int:
        """The line below, past further suppressions that stand alone."""
        first, code = self._run
        if first <= line < code:  # one of those that were passed before
            return code
        below = line + 1
        while True:
            start, end = self._places.start_of(below), self._places.end_of(below)
            if start >= len(self._source) or not _MARKED.match(self._source[start:end].lstrip()):
                self._run = (line, below)
                return below
            below += 1

    def _report(self, start: int, end: int, message: str, help_text: str) -> None:
        self.problems.append(Finding(start, end, message, help_text))

    def silenced(self, diagnostic: Diagnostic) -> bool:
        """Whether a comment silences a diagnostic; it is marked as used."""
        near = (*self._by_line.get(None, ()), *self._by_line.get(diagnostic.line, ()))
        hits = [entry for entry in near if diagnostic.code in entry.codes]
        for entry in hits:
            entry.used.add(diagnostic.code)
        return bool(hits)

    def unused(self, asked: set[str]) -> Iterator[Finding]:
        """A finding for each comment that silences nothing of the rules that were asked."""
        for entry in self.entries:
            idle = [code for code in entry.codes if code in asked and code not in entry.used]
            if not idle:
                continue
            fix = self._without(entry) if len(idle) == len(entry.codes) else None
            yield Finding(
                entry.start,
                entry.end,
                f"{' and '.join(idle)} finds nothing to silence here",
                "remove the comment" if fix else f"remove {' and '.join(idle)} from it",
                fix,
            )

    def _without(self, entry: Suppression) -> Fix:
        line, _ = self._places.of(entry.start)
        if entry.stands_alone:
            start = self._places.start_of(line)
            end = min(self._places.end_of(line) + 1, len(self._source))
        else:
            before = self._source[: entry.start]
            start, end = len(before.rstrip(b" \t")), entry.end
        return Fix("Remove the comment", (Edit(start, end, b""),))


def _first_code(source: bytes, comments: Sequence[tuple[int, int]]) -> int:
    """The offset of the first byte that is neither blank, comment nor shebang."""
    at = 0
    if source.startswith(b"#!"):
        newline = source.find(b"\n")
        at = len(source) if newline < 0 else newline
    for start, end in comments:
        if start >= at:
            if source[at:start].strip():
                break
            at = end
    return at + len(source[at:]) - len(source[at:].lstrip())
