"""Byte offsets as lines and columns, and the text that is shown for them."""

from __future__ import annotations

from bisect import bisect_right

from redislua.lint.diagnostic import Diagnostic, Finding, Region
from redislua.lint.rule import AnyRule
from redislua.syntax.lines import line_starts

__all__ = ["Places", "display"]

WIDEST = 200
"""Characters of a source line that are shown; of a longer one the part around the finding."""
BEFORE = 80
CONTINUATION = bytes(range(0x80, 0xC0))
"""The bytes with which no character of UTF-8 begins."""


class Places:
    """Finds lines and columns in one file.

    A minified script is one line of many thousand characters, so nothing here looks at a
    whole line twice: columns are counted on from the place asked for last.
    """

    def __init__(self, source: bytes) -> None:
        self._source = source
        self._is_ascii = source.isascii()
        self._starts = line_starts(source)
        self._last = (0, 1)  # an offset, and its column

    def of(self, offset: int) -> tuple[int, int]:
        """Line and column of a byte, both from 1; columns count characters."""
        offset = max(0, min(offset, len(self._source)))
        line = bisect_right(self._starts, offset)
        start = self._starts[line - 1]
        if self._is_ascii:
            return line, offset - start + 1
        known, column = self._last
        is_elsewhere = known < start or known > self.end_of(line)
        if is_elsewhere or abs(offset - known) > offset - start:
            known, column = start, 1
        if known <= offset:
            column += _characters(self._source[known:offset])
        else:
            column -= _characters(self._source[offset:known])
        self._last = (offset, column)
        return line, column

    def offset(self, line: int, column: int) -> int:
        """The byte at a line and column."""
        if line > len(self._starts):
            return len(self._source)
        start = self._starts[line - 1]
        if self._is_ascii:
            return min(start + column - 1, self.end_of(line))
        firsts = [
            at for at in range(start, self.end_of(line)) if self._source[at] not in CONTINUATION
        ]
        return firsts[column - 1] if column <= len(firsts) else self.end_of(line)

    def start_of(self, line: int) -> int:
        """The offset at which a line begins; the end of the file behind the last one."""
        return self._starts[line - 1] if line <= len(self._starts) else len(self._source)

    def end_of(self, line: int) -> int:
        """The offset of a line's newline, or of the end of the file."""
        return self._starts[line] - 1 if line < len(self._starts) else len(self._source)

    def region(self, start: int, end: int) -> Region:
        """Lines and columns of some bytes."""
        return Region(*self.of(start), *self.of(max(start, end)))

    def shown(self, offset: int, line: int) -> tuple[str, int]:
        """The line that a byte is on, or the part around it, and where in that it is."""
        start, end = self._starts[line - 1], self.end_of(line)
        if end - start <= WIDEST and self._is_ascii:  # nearly every line
            return display(self._source[start:end].decode("ascii").rstrip("\r")), offset - start
        # No character takes more than four bytes.
        cut = max(start, offset - 4 * BEFORE)
        before = self._source[cut:offset].decode("utf-8", "replace")
        after = self._source[offset : min(end, offset + 4 * WIDEST)].decode("utf-8", "replace")
        if cut > start or len(before) + len(after) > WIDEST:
            if len(before) > BEFORE or cut > start:
                before = "…" + before[-BEFORE:]
            room = max(1, WIDEST - len(before))
            after = after if len(after) <= room else after[:room] + "…"
        return display(before + after.rstrip("\r")), len(before)

    def diagnostic(self, rule: AnyRule, file: str, finding: Finding) -> Diagnostic:
        """A rule's finding as it is shown."""
        line, column = self.of(finding.start)
        end_line, end_column = self.of(max(finding.start, finding.end))
        text, caret = self.shown(finding.start, line)
        regions: tuple[Region, ...] = ()
        if finding.fix is not None:
            regions = tuple(self.region(edit.start, edit.end) for edit in finding.fix.edits)
        return Diagnostic(
            code=rule.code,
            rule=rule.name,
            severity=finding.severity or rule.severity,
            message=display(finding.message),
            help=display(finding.help),
            file=file,
            line=line,
            column=column,
            end_line=end_line,
            end_column=end_column,
            text=text,
            caret=caret,
            fix=finding.fix,
            fix_regions=regions,
        )


def _characters(part: bytes) -> int:
    """How many characters begin in some bytes: the same however a line is cut, whatever is in it.

    Decoding is not: of bytes that are no UTF-8, two halves have more characters than the whole.
    """
    return len(part.translate(None, CONTINUATION))


def display(text: str) -> str:
    """A text that can be printed: whatever would move the cursor becomes a question mark."""
    if text.isprintable():
        return text
    return "".join(char if char == "\t" or char.isprintable() else "?" for char in text)
