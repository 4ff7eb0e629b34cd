"""A cursor over one header line: hand-written scanning whose work is counted.

Nothing here looks twice at a character without saying so to the `Meter`: there is
no regular expression to backtrack, and a test holds the count to a constant times
the length of the input.
"""

from __future__ import annotations

from typing import NoReturn

from redislua.errors import HeaderError

DIGITS = frozenset("0123456789")
LOWER = frozenset("abcdefghijklmnopqrstuvwxyz")
UPPER = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
NAME_TAIL = LOWER | DIGITS | {"_"}
VARIANT_TAIL = LOWER | UPPER | DIGITS
BLANK = frozenset(" \t")
NAME_LENGTH = 63

NAME = "a name: a-z first, then a-z, 0-9 or _, at most 63 characters"
VARIANT = "a name in PascalCase: A-Z first, then letters and digits, at most 63 characters"


class Meter:
    """Counts the characters that the scanner looks at.

    Attributes:
        steps: Characters looked at so far, repeats included.
    """

    __slots__ = ("steps",)

    def __init__(self) -> None:
        self.steps = 0


class Cursor:
    """A position in one line, with the few movements that the grammar needs.

    Attributes:
        file: Path for errors.
        line: Line number, from 1.
        text: The whole line.
        at: Index of the next character, from 0.
    """

    __slots__ = ("at", "file", "line", "meter", "text")

    def __init__(self, file: str, line: int, text: str, at: int, meter: Meter) -> None:
        self.file = file
        self.line = line
        self.text = text
        self.at = at
        self.meter = meter

    # --- looking ---

    def peek(self) -> str:
        """The next character, or ``""`` at the end of the line."""
        self.meter.steps += 1
        return self.text[self.at] if self.at < len(self.text) else ""

    def looking_at(self, literal: str) -> bool:
        """True when ``literal`` stands at the cursor."""
        self.meter.steps += len(literal)
        return self.text.startswith(literal, self.at)

    @property
    def done(self) -> bool:
        """True when only blanks are left; skips them."""
        self.blanks()
        return self.at >= len(self.text)

    # --- moving ---

    def blanks(self) -> None:
        """Skip spaces and tabs."""
        self.take_while(BLANK)

    def take_while(self, allowed: frozenset[str]) -> str:
        """Take the longest run of characters in ``allowed``."""
        start = self.at
        while self.at < len(self.text) and self.text[self.at] in allowed:
            self.at += 1
        self.meter.steps += self.at - start + 1
        return self.text[start : self.at]

    def take_until(self, stops: frozenset[str]) -> str:
        """Take characters up to the first one in ``stops`` or the end."""
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in stops:
            self.at += 1
        self.meter.steps += self.at - start + 1
        return self.text[start : self.at]

    def word(self) -> str:
        """Take characters up to the next blank."""
        return self.take_until(BLANK)

    def rest(self) -> str:
        """Take what is left of the line, without blanks at either end."""
        self.blanks()
        left = self.text[self.at :]
        self.meter.steps += len(left)
        self.at = len(self.text)
        return left.rstrip(" \t")

    def accept(self, literal: str) -> bool:
        """Take ``literal`` if it stands at the cursor."""
        if self.looking_at(literal):
            self.at += len(literal)
            return True
        return False

    def expect(self, literal: str, expected: str) -> None:
        """Take ``literal`` or fail."""
        if not self.accept(literal):
            self.fail(self._what(), expected)

    def name(self, what: str) -> str:
        """Take a parameter-like name (``[a-z][a-z0-9_]{0,62}``)."""
        return self._identifier(LOWER, NAME_TAIL, f"{what}, {NAME}")

    def variant(self, what: str) -> str:
        """Take a PascalCase name."""
        return self._identifier(UPPER, VARIANT_TAIL, f"{what}, {VARIANT}")

    def _identifier(self, head: frozenset[str], tail: frozenset[str], expected: str) -> str:
        start = self.at
        if self.peek() not in head or not self.peek():
            self.fail(self._what(), expected)
        found = self.take_while(tail)
        if len(found) > NAME_LENGTH:
            self.fail(f"{found[:16]!r}... is too long", expected, start=start)
        return found

    # --- failing ---

    def fail(self, problem: str, expected: str, *, start: int | None = None) -> NoReturn:
        """Raise a `HeaderError` that underlines from ``start`` to the cursor, or one word."""
        raise self.error(problem, expected, start=start)

    def error(self, problem: str, expected: str, *, start: int | None = None) -> HeaderError:
        """Build the `HeaderError` of `fail`."""
        begin = self.at if start is None else start
        if start is None:
            saved = self.at
            width = len(self.word())
            self.at = saved
        else:
            width = self.at - start
        return HeaderError(
            self.file,
            problem,
            expected,
            line=self.line,
            column=begin + 1,
            width=max(1, width),
            text=self.text,
        )

    def _what(self) -> str:
        saved = self.at
        found = self.word()
        self.at = saved
        if not found:
            return "the line ends here" if self.at >= len(self.text) else "unexpected blank"
        return f"unexpected {found!r}" if len(found) <= 40 else f"unexpected {found[:37]!r}..."
