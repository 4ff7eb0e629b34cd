"""The header of a script file: shebang, description, tags. Reads bytes, returns a `Script`.

The grammar is line-based. One bad line gives one error and reading goes on behind
it, so that a run reports everything that is wrong with a file.
"""

from __future__ import annotations

import hashlib
import keyword
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Literal

from redislua.errors import HeaderError, ScriptsRefused
from redislua.spec.cursor import LOWER, NAME_TAIL, Cursor, Meter
from redislua.spec.draft import Draft
from redislua.spec.example import scan_example_line
from redislua.spec.model import FLAGS, Group, Script
from redislua.spec.notation import Position
from redislua.spec.source import MAX_HEADER_BYTES, MAX_LINE_BYTES, header_size, read_lines
from redislua.spec.tags import TAGS, scan_tag

RESERVED = frozenset({"self", "cls", "client", "namespace", "deadline"})
"""Parameter names that the generated functions and classes use themselves."""

_FORBIDDEN = RESERVED | frozenset(keyword.kwlist) | frozenset(keyword.softkwlist)
_FLAG_TAIL = LOWER | {"-"}


def parse(
    file: str, data: bytes, *, family: str, name: str, major: int, meter: Meter | None = None
) -> Script:
    """Read one script file.

    Args:
        file: Path for errors, ``family/name.v<N>.lua``.
        data: The file's bytes.
        family: Its folder.
        name: Its name without version.
        major: The version that the file name carries.
        meter: Counts the scanner's work, for tests.

    Raises:
        ScriptsRefused: With every `HeaderError` of the file.
    """
    try:
        lines = read_lines(file, data)
    except HeaderError as error:
        raise ScriptsRefused([error]) from None
    reader = _Reader(file, lines, meter or Meter())
    reader.read()
    reader.check(major)
    if reader.problems:
        raise ScriptsRefused(sorted(reader.problems, key=lambda error: (error.line, error.column)))
    draft = reader.draft
    if draft.retry is None or draft.budget is None:
        raise AssertionError("check() lets no header without @retry and @budget pass")
    return Script(
        family=family,
        name=name,
        major=major,
        file=file,
        source=data,
        sha1=hashlib.sha1(data, usedforsecurity=False).hexdigest(),
        flags=reader.flags,
        summary=reader.summary,
        description="\n".join(reader.description).strip("\n"),
        version=draft.version,
        keys=tuple(draft.keys),
        args=tuple(draft.args),
        channels=tuple(draft.channels),
        groups=tuple(draft.groups),
        variants=tuple(draft.variants),
        bare=draft.bare,
        errors=tuple(draft.errors),
        states=tuple(draft.states),
        retry=draft.retry,
        budget=draft.budget,
        requires=tuple(draft.requires),
        deprecated=draft.deprecated,
        examples=tuple(draft.examples),
        header_lines=reader.end,
    )


class _Reader:
    """Walks the header's lines and collects problems.

    Attributes:
        problems: Everything that is wrong, in the order found.
        end: How many lines the shebang and the header take.
    """

    def __init__(self, file: str, lines: tuple[str, ...], meter: Meter) -> None:
        self.file = file
        self.lines = lines
        self.meter = meter
        self.problems: list[HeaderError] = []
        self.draft = Draft()
        self.flags: tuple[str, ...] = ()
        self.summary = ""
        self.description: list[str] = []
        self.end = 1
        while self.end < len(lines) and lines[self.end].startswith("--"):
            self.end += 1
        self._whole = False  # the lines were read: what is missing can be told
        self._last = ""  # the last tag, for the order
        self._example: Literal["", "open", "broken"] = ""

    def read(self) -> None:
        """Read all lines of the header."""
        size = header_size(self.lines, self.end)
        if size > MAX_HEADER_BYTES:
            self._report(f"the header has {size} bytes", f"at most {MAX_HEADER_BYTES} bytes")
            return
        self._guarded(self._shebang, 1)
        if self.end == 1:
            self._report("there is no header", "'--- One sentence.' in line 2, then the tags", 1)
            return
        self._guarded(self._summary, 2)
        for number in range(3, self.end + 1):
            self._guarded(self._line, number)
        self._whole = True

    def _guarded(self, step: Callable[[Cursor], None], number: int) -> None:
        text = self.lines[number - 1]
        self.meter.steps += len(text)
        try:
            if len(text.encode("utf-8")) > MAX_LINE_BYTES:
                raise HeaderError(
                    self.file,
                    f"the line has {len(text.encode('utf-8'))} bytes",
                    f"at most {MAX_LINE_BYTES} bytes in a header line",
                    line=number,
                )
            step(Cursor(self.file, number, text, 0, self.meter))
        except HeaderError as error:
            self.problems.append(error)

    def _report(self, problem: str, expected: str, line: int = 0) -> None:
        text = self.lines[line - 1] if line else ""
        self.problems.append(HeaderError(self.file, problem, expected, line=line, text=text))

    # --- lines ---

    def _shebang(self, cursor: Cursor) -> None:
        expected = "#!lua, #!lua flags=no-writes or #!lua flags=allow-oom"
        if not cursor.accept("#!lua") or cursor.peek() not in ("", " "):
            cursor.at = 0
            cursor.fail("the file does not start with a shebang", expected)
        if cursor.done:
            if cursor.text != "#!lua":
                cursor.fail("blanks behind the shebang", expected)
            return
        cursor.expect("flags=", expected)
        found: list[str] = []
        while True:
            start = cursor.at
            flag = cursor.take_while(_FLAG_TAIL)
            if flag not in FLAGS or flag in found:
                cursor.fail(
                    f"flag {flag!r} is repeated" if flag in found else f"unknown flag {flag!r}",
                    f"{', '.join(FLAGS)}; separated by a comma alone",
                    start=start,
                )
            found.append(flag)
            if not cursor.accept(","):
                break
        if cursor.at != len(cursor.text):
            cursor.fail("unexpected text behind the flags", "flags separated by a comma alone")
        self.flags = tuple(found)

    def _summary(self, cursor: Cursor) -> None:
        expected = "one sentence behind three dashes, as in: --- Return the cached value."
        cursor.expect("---", expected)
        if cursor.peek() != " " or cursor.done:
            cursor.fail("no summary", expected)
        start = cursor.at
        summary = cursor.rest()
        if not summary.endswith("."):
            cursor.fail("the summary does not end with a full stop", expected, start=start)
        self.summary = summary

    def _line(self, cursor: Cursor) -> None:
        cursor.expect("--", "a comment line")
        if cursor.looking_at("[[") or cursor.looking_at("[="):
            cursor.fail("a long comment in the header", "lines that start with '-- '")
        if cursor.looking_at(" @"):
            self._tag(cursor)
        elif not self._last:
            self._describe(cursor)
        elif self._example and cursor.looking_at("   "):
            if self._example == "open":  # below a broken title, lines are passed over
                self._example_line(cursor)
        elif not cursor.done:
            cursor.fail(
                "free text behind the first tag",
                "a tag, or an example's line indented by three blanks",
            )
        else:
            self._example = ""

    def _describe(self, cursor: Cursor) -> None:
        if cursor.peek() not in ("", " "):
            cursor.fail("no blank behind the dashes", "'-- ' and the text")
        cursor.accept(" ")
        text = cursor.text[cursor.at :].rstrip(" \t")
        self.meter.steps += len(text)
        self.description.append(text)

    def _tag(self, cursor: Cursor) -> None:
        cursor.accept(" @")
        start = cursor.at
        name = cursor.take_while(NAME_TAIL)
        self._example = "broken" if name == "example" else ""
        if name not in TAGS:
            cursor.fail(f"unknown tag @{name}", f"one of {_tags()}", start=start - 1)
        order = list(TAGS)
        if self._last and order.index(name) < order.index(self._last):
            # Reported, and read all the same: what it says is not missing.
            self.problems.append(
                cursor.error(
                    f"@{name} stands behind @{self._last}",
                    f"the order {_tags()}",
                    start=start - 1,
                )
            )
        else:
            self._last = name
        if cursor.peek() not in ("", " ", "\t"):
            cursor.fail(f"unexpected text behind @{name}", TAGS[name].form)
        cursor.blanks()
        try:
            scan_tag(cursor, self.draft, name)
        except HeaderError:
            self.draft.broken.add(name)
            raise
        if name == "example":
            self._example = "open"

    def _example_line(self, cursor: Cursor) -> None:
        cursor.blanks()
        try:
            line = scan_example_line(cursor)
        except HeaderError:
            self.draft.broken.add("example")
            raise
        example = self.draft.examples[-1]
        self.draft.examples[-1] = replace(example, lines=(*example.lines, line))

    # --- the header as a whole ---

    def check(self, major: int) -> None:
        """Report what no single line shows."""
        draft = self.draft
        if not self._whole:
            return
        for name, tag in TAGS.items():
            if tag.required and name not in draft.once and name not in draft.broken:
                self._missing(name, tag.form)
        if draft.version and draft.version.split(".")[0] != str(major):
            self._at_tag(
                "version",
                f"version {draft.version} in a file of major {major}",
                f"{major}.x.y, or the file name .v{draft.version.split('.')[0]}.lua",
            )
        over_keys = draft.budget is not None and draft.budget.over == "keys"
        if over_keys and draft.keys and not draft.keys[-1].variadic:
            self._at_tag("budget", "n=keys without a variadic key", "a variadic @key")
        if "no-writes" in self.flags and draft.channels:
            self._at_tag(
                "channel",
                "a channel in a no-writes script",
                "no @channel: publishing counts as a write",
            )
        for example in draft.examples:
            if not example.lines and "example" not in draft.broken:
                self._problem(
                    example.position, "the example has no line", "its calls, one per line"
                )
        for place, name in self._names():
            if name in _FORBIDDEN:
                self._problem(
                    place,
                    f"{name!r} is not free",
                    "a name that is no Python keyword and none of self, cls, client, namespace, deadline",
                )

    def _missing(self, name: str, form: str) -> None:
        """Report a missing tag; below a line that is no comment it is out of the header."""
        for number, text in enumerate(self.lines[self.end :], self.end + 1):
            if text.startswith(f"-- @{name}"):
                self._report(
                    f"@{name} stands below the header, which ends at line {self.end}",
                    "comment lines without a gap down to the last tag",
                    number,
                )
                return
        self._report(f"@{name} is missing", form)

    def _names(self) -> Iterator[tuple[Position, str]]:
        draft = self.draft
        for arg in draft.args:
            yield arg.position, arg.name
        for key in draft.keys:
            yield key.position, key.name
            for placeholder in key.pattern.placeholders:
                yield key.position, placeholder
        for channel in draft.channels:
            yield channel.position, channel.name
        groups: list[Group] = [*draft.groups]
        for variant in draft.variants:
            for field in variant.fields:
                yield field.position, field.name
            if variant.group:
                groups.append(variant.group)
        for group in groups:
            yield group.position, group.name
            for column in group.columns:
                yield column.position, column.name

    def _at_tag(self, name: str, problem: str, expected: str) -> None:
        for number in range(3, self.end + 1):
            text = self.lines[number - 1]
            if text.startswith(f"-- @{name}"):
                self._problem(Position(number, 4, len(name) + 1), problem, expected)
                return

    def _problem(self, place: Position, problem: str, expected: str) -> None:
        self.problems.append(
            HeaderError(
                self.file,
                problem,
                expected,
                line=place.line,
                column=place.column,
                width=place.width,
                text=self.lines[place.line - 1],
            )
        )


def _tags() -> str:
    return ", ".join(f"@{name}" for name in TAGS)
