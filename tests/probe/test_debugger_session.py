"""A session obeys line by line, and says what it cannot do without ending."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from redislua.probe.debug_session import Session
from redislua.probe.debugger import Debugger, DebuggerError
from redislua.server import Server, start
from tests.probe.test_confine import a_call

BODY = """-- a comment
local function double(x)
  local twice = x * 2
  return twice
end

local sum = 0
for i = 1, 3 do
  sum = sum + double(i)
end
redis.call('SET', KEYS[1], sum)
return sum"""


@pytest.fixture(scope="module")
def alone(server: Server) -> Iterator[Server]:
    if server.kind == "url":
        pytest.skip("the debugger blocks its server")
    with start(server.kind) as opened:
        yield opened


@pytest.fixture
def debugger(alone: Server) -> Iterator[Debugger]:
    with Debugger(alone.url, a_call(BODY, b"k")) as entered:
        yield entered


@pytest.fixture
def session(debugger: Debugger) -> Session:
    return Session(debugger)


def say(session: Session, *texts: str) -> list[str]:
    """What the session answers to the last of several lines."""
    said: list[str] = []
    for text in texts:
        said = list(session.do(text))
    return said


def test_a_session_begins_at_the_first_line_that_runs(session):
    assert list(session.here()) == ["->    6   end"]


def test_step_goes_into_functions_and_next_goes_over_them(session, debugger):
    assert say(session, "b 10", "c") == ["->   10 #   sum = sum + double(i)"]
    assert say(session, "step") == ["->    4     local twice = x * 2"]
    assert say(session, "next") == ["->    5     return twice"]
    assert say(session, "where") == [
        "double: ->    5     return twice",
        "top level:      10 #   sum = sum + double(i)",
    ]
    say(session, "delete", "step", "step")
    assert debugger.at is not None
    assert debugger.at.number == 10
    assert say(session, "next") == ["->    9   for i = 1, 3 do"]


def test_enter_repeats(session):
    say(session, "step")

    assert say(session, "") == ["->    9   for i = 1, 3 do"]
    assert say(session, "") == ["->   10     sum = sum + double(i)"]


def test_continue_runs_to_the_end_and_shows_the_commands_on_the_way(session, debugger):
    assert say(session, "continue") == ["    SET k 12", '      = "+OK"']

    assert session.is_over
    assert debugger.end is not None
    assert debugger.end.reply == 12


def test_breakpoints_are_set_listed_hit_and_deleted(session):
    assert say(session, "break") == ["no breakpoints: break LINE sets one"]
    assert say(session, "b 5") == ["      5 #   return twice"]
    assert say(session, "b 7") == ["      8 # local sum = 0"]  # line 7 is empty
    assert say(session, "b 1", "d 4") == ["      5 #   return twice", "      8 # local sum = 0"]
    assert say(session, "b") == ["      5 #   return twice", "      8 # local sum = 0"]
    assert say(session, "c") == ["->    8 # local sum = 0"]
    assert say(session, "c") == ["->    5 #   return twice"]
    assert say(session, "d 5") == ["      8 # local sum = 0"]
    assert say(session, "d") == ["no breakpoints: break LINE sets one"]
    assert say(session, "c")[0] == "    SET k 12"


def test_locals_are_printed_by_name_and_together(session):
    say(session, "b 5", "c")

    assert say(session, "print twice") == ["twice = 2"]
    assert say(session, "p") == ["x = 1", "twice = 2"]
    assert say(session, "p nothing") == ["no local is called 'nothing' here"]
    assert "k" in say(session, "p KEYS")[0]


def test_the_source_is_listed_around_a_line(session):
    assert say(session, "list")[4] == "->    6   end"
    assert say(session, "l 12") == [
        "      8   local sum = 0",
        "      9   for i = 1, 3 do",
        "     10     sum = sum + double(i)",
        "     11   end",
        "     12   redis.call('SET', KEYS[1], sum)",
        "     13   return sum",
    ]


def test_commands_and_lua_run_where_the_script_stands(session):
    assert say(session, "redis SET k 'a b'") == ["    SET k a b", '      = "+OK"']
    assert say(session, "redis GET k") == ["    GET k", '      = "a b"']
    assert say(session, "r LPUSH k 1")[1].startswith("      ! WRONGTYPE")
    assert say(session, "eval return KEYS[1]")[0].startswith("    value: ")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("jump 3", "no command is called 'jump': help lists them"),
        ("break x", "error: 'x' is no line of 1..13"),
        ("break 14", "error: '14' is no line of 1..13"),
        ("delete 3", "error: line 3 has no breakpoint"),
        ("redis", "error: redis needs a command, as in redis GET key"),
        ("redis SET 'a", "error: No closing quotation"),
        ("redis GET ''", "error: the debugger takes no empty words"),
        ("eval", "error: the debugger takes no empty words"),
    ],
)
def test_a_command_that_fails_does_not_end_the_session(session, text, answer):
    assert say(session, text) == [answer]
    assert not session.is_over
    assert say(session, "step") == ["->    8   local sum = 0"]


def test_help_names_every_command(session):
    words = [line.split()[0] for line in say(session, "help")]

    assert words == ["step", "next", "continue", "break", "delete", "print", "list", "where",
                     "redis", "eval", "help", "quit"]  # fmt: skip


def test_quit_is_over_and_leaves_the_script_to_be_aborted(session, debugger):
    say(session, "quit")

    assert session.is_over
    assert debugger.end is None


def test_many_commands_on_the_way_are_counted(alone):
    body = "for i = 1, 25 do redis.call('INCR', KEYS[1]) end\nreturn 1"

    with Debugger(alone.url, a_call(body, b"n")) as entered:
        said = say(Session(entered), "continue")

    assert said[-1] == "    … 15 more commands"
    assert len(said) == 21


def test_a_lost_connection_is_no_failed_command(server):
    with start(server.kind) as gone, Debugger(gone.url, a_call(BODY, b"k")) as entered:
        session = Session(entered)
        gone.stop()

        with pytest.raises(DebuggerError, match="session was lost"):
            say(session, "step")
