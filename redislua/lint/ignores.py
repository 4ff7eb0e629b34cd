"""Writes suppressions for what is found: the baseline of a project that begins to lint."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from redislua.lint.diagnostic import Diagnostic
from redislua.lint.engine import Linter, Summary
from redislua.lint.file import LintedFile
from redislua.lint.files import Trouble, shown
from redislua.lint.fixes import write
from redislua.lint.rules.bad_suppression import BadSuppression
from redislua.lint.rules.unused_suppression import UnusedSuppression
from redislua.lint.suppression import comment

__all__ = ["Ignores"]

_NEVER = (BadSuppression.code, UnusedSuppression.code)
"""Comments about comments help nobody."""


@dataclass(frozen=True, slots=True)
class Ignores:
    """Adds a comment above each line with a finding: a `redislua.lint.engine.Change`.

    Attributes:
        reason: What the comments say.
    """

    reason: str

    def __call__(
        self,
        linter: Linter,
        path: str,
        source: bytes,
        diagnostics: list[Diagnostic],
        summary: Summary,
    ) -> bytes:
        """Write the comments, and return the file's bytes."""
        file = linter.file(source, path)
        changed = self._commented(file, diagnostics)
        if changed == source:
            return source
        after = linter.file(changed, path)
        if after.chunk.problems and not file.chunk.problems:
            summary.troubles.append(Trouble(shown(path), "a comment would break the script"))
            return source
        if not write(path, source, changed, summary):
            return source
        summary.silenced += len(diagnostics) - len(after.diagnostics)
        return changed

    def _commented(self, file: LintedFile, diagnostics: Iterable[Diagnostic]) -> bytes:
        by_line: dict[int, set[str]] = {}
        whole: set[str] = set()
        top = _top(file)
        for diagnostic in diagnostics:
            if diagnostic.code in _NEVER:
                continue
            if diagnostic.line <= top or file.is_broken:
                whole.add(diagnostic.code)  # the header is no place for comments
            else:
                by_line.setdefault(diagnostic.line, set()).add(diagnostic.code)
        lines = file.source.split(b"\n")
        text_lines = _inside_texts(file)
        for line, codes in sorted(by_line.items(), reverse=True):
            silence = comment("ignore", sorted(codes), self.reason).encode()
            body = lines[line - 1]
            end = b"\r" if body.endswith(b"\r") else b""
            if line not in text_lines:
                indent = body[: len(body) - len(body.lstrip(b" \t"))]
                lines.insert(line - 1, indent + silence + end)
            elif line + 1 not in text_lines and not _has_comment(file, line):
                lines[line - 1] = body.rstrip() + b" " + silence + end
        if whole:
            lines.insert(top, comment("file-ignore", sorted(whole), self.reason).encode())
        return b"\n".join(lines)


def _top(file: LintedFile) -> int:
    """Lines that the shebang and the header take."""
    if file.chunk.script is not None:
        return file.chunk.script.header_lines
    return 1 if file.source.startswith(b"#!") else 0


def _inside_texts(file: LintedFile) -> set[int]:
    """Lines that begin within a string or a comment."""
    found: set[int] = set()
    for node in (*file.chunk.strings, *file.chunk.comments):
        first, last = file.chunk.position(node.start)[0], file.chunk.position(node.end)[0]
        if file.source[node.end - 1 : node.end] == b"\n":
            last -= 1
        found.update(range(first + 1, last + 1))
    return found


def _has_comment(file: LintedFile, line: int) -> bool:
    return any(file.chunk.position(one.start)[0] == line for one in file.chunk.comments)
