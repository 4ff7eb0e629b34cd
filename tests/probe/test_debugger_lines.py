"""What four servers' debuggers print comes to the same events."""

from __future__ import annotations

import pytest

from redislua.probe.debug_lines import Command, Frame, Said, Stop, events, frames, shown

WRONGTYPE = b"WRONGTYPE Operation against a key holding the wrong kind of value"

SPELLINGS = {
    "redis-7.0": [
        b"<redis> HGET b f",
        b"<error> -" + WRONGTYPE,
        b'<reply> "-' + WRONGTYPE + b'"',
    ],
    "valkey-8.1": [
        b"<command> HGET b f",
        b"<error> -" + WRONGTYPE,
        b'<reply> "-' + WRONGTYPE + b'"',
    ],
    "valkey-9.1": [
        b"<command> HGET b f",
        b'<reply> "-' + WRONGTYPE + b'"',
        b"<error> -" + WRONGTYPE + b"  ",
    ],
}


@pytest.mark.parametrize("logs", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_a_failed_command_reads_the_same_whatever_the_order_of_its_lines(logs):
    found = events([*logs, b"* Stopped at 14, stop reason = step over", b"-> 14  x()"])

    text = WRONGTYPE.decode()
    assert found == [Command("HGET b f", f'"-{text}"', text), Stop(14, "step over")]


def test_a_command_that_is_refused_has_no_reply():
    assert events([b"<redis> NOSUCH", b"<error> Unknown command"]) == [
        Command("NOSUCH", None, "Unknown command")
    ]


def test_an_error_of_lua_is_not_the_error_of_the_command_before_it():
    found = events([b"<redis> GET k", b'<reply> "v"', b"<error> Please specify an argument"])

    assert found == [Command("GET k", '"v"'), Said("error", "Please specify an argument")]


def test_what_a_script_says_cannot_pass_for_the_end_or_a_stop():
    found = events([b"<debug> line 3: <endsession>", b"<debug> line 3: * Stopped at 9"])

    assert found == [
        Said("debug", "line 3: <endsession>"),
        Said("debug", "line 3: * Stopped at 9"),
    ]


def test_the_line_at_a_breakpoint_is_no_text():
    assert events([b"* Stopped at 9, stop reason = break point", b"->#9   x()"]) == [
        Stop(9, "break point")
    ]


def test_a_stack_is_read_from_the_inside():
    logs = [b"In f:", b"->#5     local y", b"From top level:", b"   12  f()"]

    assert frames(logs) == [Frame("f", 5), Frame("top level", 12)]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"plain", "plain"),
        ("schlüssel →".encode(), "schlüssel →"),
        (b"\xff\xfe", "\\xff\\xfe"),
        (b"a\tb", "a\tb"),
        (b"\x1b[2J\0\r", "\\x1b[2J\\x00\\x0d"),
        ("\u202e".encode(), "\\u202e"),
    ],
)
def test_what_no_terminal_should_get_is_written_out(raw, text):
    assert shown(raw) == text
