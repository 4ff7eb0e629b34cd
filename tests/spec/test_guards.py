"""What a script's bytes must not hold, and why: each guard has an attack behind it."""

from __future__ import annotations

import pytest

from redislua.spec.source import MAX_FILE_BYTES, MAX_HEADER_BYTES, MAX_LINE_BYTES
from tests.spec.headers import GOOD, problems

TEXT = "On a miss one caller gets the lease"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        # A carriage return ends a Python comment: code behind it would run on import.
        (GOOD.replace(TEXT, "hello\rprint(1)"), "carriage return"),
        (GOOD.replace("\n", "\r\n"), "carriage return"),
        # str.splitlines() splits at these; neither Lua nor Python's tokenizer does.
        (GOOD.replace(TEXT, "a\x0bb"), "control character U+000B"),
        (GOOD.replace(TEXT, "a\x0cb"), "control character U+000C"),
        (GOOD.replace(TEXT, "a\x1cb"), "control character U+001C"),
        (GOOD.replace(TEXT, "a\x85b"), "control character U+0085"),
        (GOOD.replace(TEXT, "a\u2028b"), "invisible character U+2028"),
        (GOOD.replace(TEXT, "a\u2029b"), "invisible character U+2029"),
        (GOOD.replace(TEXT, "a\0b"), "control character U+0000"),
        (GOOD.replace(TEXT, "a\x1b[31mb"), "control character U+001B"),
        # Trojan source: shown text differs from the code.
        (GOOD.replace(TEXT, "a\u202eb"), "invisible character U+202E"),
        (GOOD.replace("return {", "return --\u2066\n{"), "invisible character U+2066"),
        (GOOD.replace(TEXT, "a\u200bb"), "invisible character U+200B"),
        ("\ufeff" + GOOD, "invisible character U+FEFF"),
        # Bytecode and other bytes.
        (b"\x1bLua" + GOOD.encode(), "Lua bytecode"),
        (GOOD.encode().replace(b"On a", b"On \xff"), "byte 0xff is not UTF-8"),
        (b"", "the file is empty"),
        # Sizes.
        (GOOD + "-" * MAX_FILE_BYTES, f"the file has {len(GOOD) + MAX_FILE_BYTES} bytes"),
        (GOOD.replace(TEXT, "x" * MAX_LINE_BYTES), "the line has"),
        (GOOD.replace(TEXT, "\n-- ".join(["x" * 1000] * 17)), "the header has"),
    ],
)
def test_bytes_that_read_otherwise_than_they_run_are_refused(text, problem):
    found = problems(text)

    assert len(found) == 1
    assert problem in found[0].problem


def test_the_limits_are_those_of_the_threat_model():
    assert (MAX_FILE_BYTES, MAX_HEADER_BYTES, MAX_LINE_BYTES) == (65_536, 16_384, 1_024)


def test_a_refusal_of_an_invisible_character_does_not_print_it():
    error = problems(GOOD.replace(TEXT, "a\u202eb\x1b[31m"))[0]

    assert "\u202e" not in str(error)
    assert "\x1b" not in str(error)
    assert (error.line, error.column) == (4, 5)


def test_text_beyond_ascii_is_welcome_in_a_description():
    assert problems(GOOD.replace(TEXT, "Größe: 5 µs → 中文")) == ()
