"""An interactive session of the debugger: one line of input in, lines of output out."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Callable, Iterable, Iterator

from redislua.probe.debugger import (
    Command,
    Debugger,
    DebuggerError,
    Event,
    Said,
    Stop,
    source_lines,
)
from redislua.probe.engine.lines import executable

AROUND = 4
"""Lines that ``list`` shows before and behind a line."""

MOST_COMMANDS = 10
"""Commands that are shown of those on the way to a breakpoint."""

_ALIASES = {
    "s": "step",
    "n": "next",
    "c": "continue",
    "b": "break",
    "d": "delete",
    "p": "print",
    "l": "list",
    "w": "where",
    "r": "redis",
    "e": "eval",
    "h": "help",
    "?": "help",
    "q": "quit",
    "exit": "quit",
}


class Session:
    """Obeys commands on one debugged call.

    Args:
        debugger: A debugger that has been entered.

    Attributes:
        is_over: True once the script has ended, or the session was told to quit.
    """

    def __init__(self, debugger: Debugger) -> None:
        self._debugger = debugger
        self._source = source_lines(debugger.call)
        self._breakpoints: set[int] = set()
        self._last = ""
        self.is_over = debugger.end is not None
        self._verbs: dict[str, Callable[[str], Iterable[str]]] = {
            "step": self._step,
            "next": self._next,
            "continue": self._continue,
            "break": self._break,
            "delete": self._delete,
            "print": self._print,
            "list": self._list,
            "where": self._where,
            "redis": self._redis,
            "eval": self._eval,
            "help": self._help,
            "quit": self._quit,
        }

    def here(self) -> Iterator[str]:
        """Where the script stands."""
        if self._debugger.at is not None:
            yield self._line(self._debugger.at.number)

    def do(self, text: str) -> Iterator[str]:
        """Obey one line; an empty one repeats the last. A command that fails says why.

        Raises:
            DebuggerError: The connection to the script is gone.
        """
        text = text.strip() or self._last
        self._last = text
        word, _, rest = text.partition(" ")
        if not word:
            return
        verb = self._verbs.get(_ALIASES.get(word, word))
        if verb is None:
            yield f"no command is called {word!r}: help lists them"
            return
        try:
            yield from verb(rest.strip())
        except (DebuggerError, ValueError) as error:
            if not self._debugger.is_stopped:
                raise
            yield f"error: {error}"
        self.is_over = self.is_over or self._debugger.end is not None

    def _step(self, _: str) -> Iterator[str]:
        """step (s)           run the line; stop in functions it calls"""
        yield from _told(self._debugger.step())
        yield from self.here()

    def _next(self, _: str) -> Iterator[str]:
        """next (n)           run the line, with the functions it calls"""
        depth = len(self._debugger.frames())
        yield from self._run(lambda: len(self._debugger.frames()) <= depth)

    def _continue(self, _: str) -> Iterator[str]:
        """continue (c)       run to the next breakpoint, or to the end"""
        yield from self._run(lambda: False)

    def _run(self, is_there: Callable[[], bool]) -> Iterator[str]:
        """Step until a place is reached, a breakpoint or the end."""
        commands = 0
        while self._debugger.end is None:
            found = self._debugger.step()
            for event in found:
                commands += isinstance(event, Command)
                if not isinstance(event, Command) or commands <= MOST_COMMANDS:
                    yield from _told([event])
            if self._is_break() or is_there():
                break
        if commands > MOST_COMMANDS:
            yield f"    … {commands - MOST_COMMANDS} more commands"
        yield from self.here()

    def _is_break(self) -> bool:
        at = self._debugger.at
        # The only other reason is redis.breakpoint() in the script.
        return at is not None and (at.number in self._breakpoints or at.reason != "step over")

    def _break(self, rest: str) -> Iterator[str]:
        """break [LINE] (b)   stop at a line; alone: list the breakpoints"""
        if not rest:
            yield from self._breakpoint_lines()
            return
        number = self._next_code(self._number(rest))
        self._breakpoints.add(number)
        yield self._line(number)

    def _breakpoint_lines(self) -> Iterator[str]:
        if not self._breakpoints:
            yield "no breakpoints: break LINE sets one"
        yield from (self._line(number) for number in sorted(self._breakpoints))

    def _delete(self, rest: str) -> Iterator[str]:
        """delete [LINE] (d)  remove a breakpoint; alone: all of them"""
        gone = {self._number(rest)} if rest else set(self._breakpoints)
        if not gone <= self._breakpoints:
            raise ValueError(f"line {rest} has no breakpoint")
        self._breakpoints -= gone
        yield from self._breakpoint_lines()

    def _print(self, rest: str) -> Iterator[str]:
        """print [NAME] (p)   show a local, KEYS or ARGV; alone: all locals of the function"""
        if rest:
            value = self._debugger.local(rest)
            yield f"{rest} = {value}" if value is not None else f"no local is called {rest!r} here"
            return
        found = self._debugger.locals()
        yield from (f"{name} = {value}" for name, value in found.items())
        if not found:
            yield "no locals yet"

    def _list(self, rest: str) -> Iterator[str]:
        """list [LINE] (l)    show the source around the current line, or another"""
        at = self._debugger.at
        number = self._number(rest) if rest else at.number if at else 1
        last = min(number + AROUND, len(self._source))
        yield from (self._line(each) for each in range(max(number - AROUND, 1), last + 1))

    def _where(self, _: str) -> Iterator[str]:
        """where (w)          show which functions the script is in, the innermost first"""
        for frame in self._debugger.frames():
            yield f"{frame.function}: {self._line(frame.number)}"

    def _redis(self, rest: str) -> Iterator[str]:
        """redis CMD (r)      run a command where the script stands: redis GET 'a b'"""
        words = shlex.split(rest)
        if not words:
            raise ValueError("redis needs a command, as in redis GET key")
        yield from _told(self._debugger.redis(*words))

    def _eval(self, rest: str) -> Iterator[str]:
        """eval LUA (e)       run Lua; it sees KEYS, ARGV and redis, and no locals"""
        yield from _told(self._debugger.evaluate(rest))

    def _help(self, _: str) -> Iterator[str]:
        """help (h)           show this; Enter repeats the last command"""
        yield from (inspect.getdoc(verb) or "" for verb in self._verbs.values())

    def _quit(self, _: str) -> Iterator[str]:
        """quit (q)           abort the script and leave, as do Ctrl-D and Ctrl-C"""
        self.is_over = True
        yield from ()

    def _number(self, text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= len(self._source):
            raise ValueError(f"{text!r} is no line of 1..{len(self._source)}")
        return int(text)

    def _next_code(self, number: int) -> int:
        """The line itself, or the next on which the script can stop."""
        following = [
            line for line in executable(self._debugger.call.script.source) if line >= number
        ]
        if not following:
            raise ValueError(f"there is no code from line {number} on")
        return min(following)

    def _line(self, number: int) -> str:
        """``-> 12 # text``: where the script stands, and a breakpoint."""
        at = self._debugger.at
        arrow = "->" if at is not None and at.number == number else "  "
        mark = "#" if number in self._breakpoints else " "
        return f"{arrow} {number:>4} {mark} {self._source[number - 1]}"


def _told(found: Iterable[Event]) -> Iterator[str]:
    """What people read of events; where the script stands now is said elsewhere."""
    for event in found:
        if isinstance(event, Command):
            yield f"    {event.text}"
            yield f"      {answer(event)}"
        elif isinstance(event, Said):
            yield f"    {event.kind}: {event.text}" if event.kind else f"    {event.text}"
        elif isinstance(event, Stop) and event.reason not in ("step over", "break point"):
            yield f"    {event.reason}"


def answer(command: Command) -> str:
    """``= reply`` or ``! error``."""
    if command.error:
        return f"! {command.error}"
    return f"= {command.reply}"
