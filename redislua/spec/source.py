"""The gate that a script's bytes pass before anything reads them.

Every guard has a reproduced attack or accident behind it: a carriage return ends a
Python comment, a bidirectional override shows other code than it runs, bytecode is
no source, and a file that differs by one line ending has another sha1.
"""

from __future__ import annotations

from redislua.errors import HeaderError

MAX_FILE_BYTES = 64 * 1024
MAX_HEADER_BYTES = 16 * 1024
MAX_LINE_BYTES = 1024
"""Longest header line; the body's lines are bounded by the file alone."""

_HIDDEN = frozenset(
    "\u200b\u200c\u200d\u2060\ufeff"  # zero width
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"  # bidirectional
    "\u2028\u2029"  # line separators that Lua does not see
)


def read_lines(file: str, data: bytes) -> tuple[str, ...]:
    """Decode a script into lines, or raise the first `HeaderError` that forbids it.

    Lines end at ``\\n`` alone: ``str.splitlines`` would also split at characters
    that neither Lua nor this grammar takes for a line's end.
    """
    if data[:1] == b"\x1b":
        raise HeaderError(file, "the file is Lua bytecode", "Lua source text")
    if len(data) > MAX_FILE_BYTES:
        raise HeaderError(
            file, f"the file has {len(data)} bytes", f"at most {MAX_FILE_BYTES} bytes"
        )
    if not data:
        raise HeaderError(file, "the file is empty", "#!lua in line 1 and a header below it")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        before = data[data.rfind(b"\n", 0, error.start) + 1 : error.start]
        column = len(before.decode("utf-8")) + 1  # all before the first wrong byte is right
        raise HeaderError(
            file,
            f"byte 0x{data[error.start]:02x} is not UTF-8",
            "UTF-8 text; write other bytes as escapes in Lua strings",
            line=line,
            column=column,
        ) from None
    lines = tuple(text.split("\n"))
    for number, content in enumerate(lines, 1):
        _check_line(file, number, content)
    return lines


def _check_line(file: str, number: int, line: str) -> None:
    if line.isascii() and line.isprintable():
        return
    for column, char in enumerate(line, 1):
        code = ord(char)
        if char == "\r":
            _refuse(file, number, column, line, "a carriage return", "lines that end with LF alone")
        if (code < 0x20 and char != "\t") or 0x7F <= code <= 0x9F:
            _refuse(
                file,
                number,
                column,
                line,
                f"control character U+{code:04X}",
                "text; write it as an escape in a Lua string",
            )
        if char in _HIDDEN:
            _refuse(
                file,
                number,
                column,
                line,
                f"invisible character U+{code:04X}",
                "text that reads as it runs; write it as an escape in a Lua string",
            )


def _refuse(file: str, number: int, column: int, line: str, problem: str, expected: str) -> None:
    shown = "".join(char if char == "\t" or char.isprintable() else "?" for char in line)
    raise HeaderError(file, problem, expected, line=number, column=column, text=shown)


def header_size(lines: tuple[str, ...], count: int) -> int:
    """Bytes of the first ``count`` lines."""
    return sum(len(line.encode("utf-8")) + 1 for line in lines[:count])
