"""The server's own Lua debugger, as a context manager.

::

    with Debugger(url, call) as session:
        while session.end is None:
            print(session.at, session.step())

A debugged script runs as EVAL under ``SCRIPT DEBUG``, in one of two ways:

* *sync*: in the server itself, which serves nobody else until the script ends. What the
  script writes stays. Right for a server of one's own, where the state behind the call is
  of interest, and where nobody waits.
* *forked*: in a copy of the server's process, on the data of that moment. Others are
  served meanwhile, and what the script writes is gone with the copy. Right for any server
  that somebody else uses.

The debugger's own ``continue`` and ``break`` are not used: under ``continue`` Valkey 9.1
never stops a script that does not end, in neither mode, and a forked one then outlives
its server. Here every line is a step, so a script can be aborted at each of its lines;
that costs 25 to 125 us a line.

However a session is left, by an exception and by Ctrl-C too, the script is aborted where
it stands and the connection closed. Should the process die without leaving, the script
runs to its end; one that has none is stopped by the server, but for Valkey 9.1.
"""

from __future__ import annotations

import contextlib
import re
import signal
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from redislua.errors import RedisLuaError, ServerUnavailable
from redislua.probe import debug_lines
from redislua.probe.debug_lines import END, Command, End, Event, Frame, Said, Stop
from redislua.runtime.call import Call
from redislua.runtime.outcome import answered
from redislua.runtime.plan import decoded

__all__ = [
    "Command",
    "Debugger",
    "DebuggerError",
    "End",
    "Event",
    "Frame",
    "Said",
    "StillRunning",
    "Stop",
    "lines_run",
    "outcome",
    "source_lines",
    "walk",
]  # fmt: skip

PATIENCE = 60.0
"""Seconds to wait for the next line: more than a server's ``busy-reply-threshold``."""

LIMIT = 100_000
"""Lines after which a script is taken never to end; one takes 25 to 125 us here."""

# Older servers end the session at a word that is empty or longer than 1 024 bytes. Valkey
# 9.1 reads 1 024 bytes of a whole command of the debugger and dies of what is longer.
_LONGEST_COMMAND = 1024
_ABORTS = 100
_LEADING_OUT = 10_000
_PCALL = re.compile(rb"(?<![\w.])x?pcall\b")  # Lua's own, and not redis.pcall
_ABORT_PATIENCE = 2.0


class DebuggerError(RedisLuaError):
    """A session of the debugger was lost, or cannot do what it was asked."""


class StillRunning(DebuggerError):
    """A script ran more lines than it was given, and was aborted.

    Attributes:
        lines: How many it ran.
    """

    def __init__(self, lines: int) -> None:
        super().__init__(lines)
        self.lines = lines

    def __str__(self) -> str:
        return f"the script had not ended after {self.lines} lines"


class Debugger:
    """One debugged call. A context manager: entering stops at the script's first line.

    Args:
        url: The server, ``redis://127.0.0.1:6400/0`` or ``unix:///path?db=0``.
        call: What to run.
        forked: Run in a copy of the server, and leave its data unchanged.
        patience: Seconds to wait for the server after each command.

    Attributes:
        at: Where the script stands; None once it has ended.
        end: How it ended; None before.
        is_stopped: The server waits for a command of ours; False when the session is lost.
    """

    def __init__(
        self, url: str, call: Call[Any], *, forked: bool = False, patience: float = PATIENCE
    ) -> None:
        self.call = call
        self.at: Stop | None = None
        self.end: End | None = None
        self._mode = "YES" if forked else "SYNC"
        once: Any = Retry(NoBackoff(), 0)
        client = redis.Redis.from_url(url, socket_timeout=patience, retry=once)
        self._connection: Any = client.connection_pool.make_connection()
        self._patience = patience
        self.is_stopped = False

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def step(self) -> list[Event]:
        """Run the current line, and return what happened up to the next stop or the end."""
        return self._go("step")

    def abort(self) -> None:
        """End the script where it stands. What it has written stays, if not in a fork.

        A script can catch its end with ``pcall``; Valkey 9.1 does not stop in it again. So a
        script that has a ``pcall`` is first led out of its functions, where none is active.

        Raises:
            DebuggerError: The script does not let itself be aborted, or the session is lost.
        """
        if _PCALL.search(self.call.script.source):
            for _ in range(_LEADING_OUT):
                if self.end is not None or len(self.frames()) == 1:
                    break
                self.step()
        for _ in range(_ABORTS):
            if self.end is not None:
                return
            self._go("abort")
        raise DebuggerError(f"{self.call.script}: the script does not let itself be aborted")

    def local(self, name: str) -> str | None:
        """Return a local's value as the server writes it, or None where no such name is seen."""
        return next((said.text for said in self._ask("print", name) if said.kind == "value"), None)

    def locals(self) -> dict[str, str]:
        """Return the locals of the current function by name, as the server writes them.

        A name that is declared twice has its inner value.
        """
        found = {}
        for said in self._ask("print"):
            name, sign, value = said.text.partition(" = ")
            if said.kind == "value" and sign and not name.startswith("("):  # Lua's own: (for index)
                found[name] = value.strip()
        return found

    def frames(self) -> list[Frame]:
        """Return the call stack, the innermost function first."""
        return debug_lines.frames(self._exchange("trace"))

    def redis(self, *words: bytes | str) -> list[Event]:
        """Run a command where the script stands, as the script would: with what it has written.

        Raises:
            DebuggerError: A word is empty, or the command longer than 1 024 bytes.
        """
        return self._talk("redis", *words)

    def evaluate(self, lua: str) -> list[Event]:
        """Run Lua in a frame of its own: it sees KEYS, ARGV and ``redis``, and no locals."""
        return self._talk("eval", lua)

    def close(self) -> None:
        """End the session: abort a script that is at a stop, and close the connection."""
        try:
            if self.is_stopped and self.end is None:
                self._patience = _ABORT_PATIENCE
                # Whatever goes wrong here, closing the connection is all that is left to do.
                with contextlib.suppress(redis.RedisError, OSError, DebuggerError):
                    self.abort()
        finally:
            self.is_stopped = False
            self._connection.disconnect()

    def _start(self) -> None:
        try:
            self._connection.connect()
            self._connection.send_command("SCRIPT", "DEBUG", self._mode)
            self._connection.read_response()
        except redis.ResponseError as error:
            raise ServerUnavailable(
                f"the server does not offer its Lua debugger (SCRIPT DEBUG): {error}"
            ) from error
        except (redis.RedisError, OSError) as error:
            raise ServerUnavailable(f"the debugger cannot reach the server: {error}") from error
        with _shielded():
            self._begin()
        if self.end is None:
            # Whole values; servers cut them to 256 bytes.
            self._exchange("maxlen", "0")

    def _begin(self) -> None:
        call = self.call
        try:
            words = ("EVAL", call.script.source, len(call.keys), *call.keys, *call.args)
            self._connection.send_command(*words)
            logs = self._read()
        except redis.ResponseError as error:
            self.end = End(error=error)  # turned away before its first line
            return
        except (redis.RedisError, OSError) as error:
            raise DebuggerError(f"{call.script}: the server did not start it: {error}") from error
        self.is_stopped = True
        self._note_end(logs)
        self._arrived(logs)

    def _arrived(self, logs: list[bytes]) -> list[Event]:
        """Note where the script stands now."""
        found = debug_lines.events(logs)
        if self.end is not None:
            found.append(self.end)
        else:
            self.at = next((one for one in reversed(found) if isinstance(one, Stop)), self.at)
        return found

    def _note_end(self, logs: list[bytes]) -> None:
        """Read the reply where a session has ended."""
        if not logs or logs[-1] != END:
            return
        self.at = None
        try:
            self.end = End(self._connection.read_response(disable_decoding=True))
        except redis.ResponseError as error:
            self.end = End(error=error)
        except (redis.RedisError, OSError) as error:
            raise self._lost(error) from error

    def _go(self, word: str) -> list[Event]:
        return self._arrived(self._exchange(word))

    def _exchange(self, *words: bytes | str) -> list[bytes]:
        """Send a command of the debugger, and return the lines it answers with."""
        if self.end is not None or not self.is_stopped:
            raise DebuggerError(f"{self.call.script}: the script has ended")
        with _shielded():
            self.is_stopped = False  # until it answers
            try:
                self._connection.send_command(*words)
                logs = self._read()
            except (redis.RedisError, OSError) as error:
                raise self._lost(error) from error
            self.is_stopped = True
            self._note_end(logs)
        return logs

    def _read(self) -> list[bytes]:
        read: Any = self._connection.read_response
        logs: list[bytes] = read(disable_decoding=True, timeout=self._patience)
        return logs

    def _lost(self, error: Exception) -> DebuggerError:
        return DebuggerError(f"{self.call.script}: the session was lost: {error}")

    def _talk(self, *words: bytes | str) -> list[Event]:
        if not all(words):
            raise DebuggerError("the debugger takes no empty words")
        size = sum(map(len, self._connection.pack_command(*words)))
        if size > _LONGEST_COMMAND:
            raise DebuggerError(
                f"the debugger takes commands of at most {_LONGEST_COMMAND} bytes on the wire: "
                f"this one has {size}"
            )
        return debug_lines.events(self._exchange(*words))

    def _ask(self, *words: bytes | str) -> list[Said]:
        return [one for one in self._talk(*words) if isinstance(one, Said)]


@contextlib.contextmanager
def _shielded() -> Iterator[None]:
    """Let Ctrl-C wait until the server has answered; a second Ctrl-C does not.

    Between a command and its answer a script cannot be aborted, and Valkey 9.1 would never
    give a script up that its debugger has left in a loop.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    came = False

    def note(*_: object) -> None:
        nonlocal came
        if came:
            raise KeyboardInterrupt
        came = True

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if came:
        raise KeyboardInterrupt


def walk(session: Debugger, limit: int = LIMIT) -> Iterator[Event]:
    """Step through a script to its end, and yield what happens.

    Raises:
        StillRunning: It reached ``limit`` lines, and has been aborted before the last.
    """
    if session.at is not None:
        yield session.at
    elif session.end is not None:
        yield session.end
    lines = 1
    while session.end is None:
        if lines >= limit:
            session.abort()
            raise StillRunning(limit)
        yield from session.step()
        lines += 1


def lines_run(
    url: str, call: Call[Any], *, forked: bool = False, limit: int = LIMIT
) -> Counter[int]:
    """Run a call under the debugger, and count how often each line was reached.

    A call that ends in an error counts like any other. In a fork nothing is written.

    Args:
        url: The server.
        call: What to run.
        forked: Leave the server's data unchanged.
        limit: Lines after which the script is aborted.

    Raises:
        ServerUnavailable: The server has no debugger, or cannot be reached.
        StillRunning: The script ran more than ``limit`` lines.
    """
    with Debugger(url, call, forked=forked) as session:
        return Counter(event.number for event in walk(session, limit) if isinstance(event, Stop))


def outcome(call: Call[Any], end: End) -> Any:
    """Return the typed reply of a script that has ended, as the runtime would.

    Raises:
        CallError: What became of the call, as in `redislua.runtime`.
    """
    if end.error is not None:
        raise answered(call, end.error) from end.error
    return decoded(call, end.reply)


def source_lines(call: Call[Any]) -> Sequence[str]:
    """Return a script's lines as people read them; line 1 is at index 0."""
    return [debug_lines.shown(line) for line in call.script.source.split(b"\n")]
