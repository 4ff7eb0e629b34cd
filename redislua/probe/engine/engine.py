"""Runs a script in lupa's Lua 5.1, every `redis.call` answered by a real server.

For what a server cannot give: how many instructions of Lua's machine a call takes, which way
each condition went, and what is left behind when the k-th command fails. Everything else is
better asked of the server itself, which this engine is not:

* a call is not atomic, takes 75 to 90 us a command, and tells nothing about time;
* ``cjson``, ``cmsgpack``, ``struct`` and ``bit`` are not there (`NotOffered`);
* neither the flags of the shebang nor the ACL are enforced;
* ``math.random`` gives another sequence, and ``os.clock`` this process's time;
* globals and libraries are seen through empty tables, so ``pairs(_G)`` finds nothing;
* a single call of a library function (``string.rep``) has no instruction limit.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from redislua.probe.engine.run import Fault, NotOffered, Run, copy_of
from redislua.probe.engine.state import State, Watch
from redislua.probe.engine.wire import Connection, Reply, Typed
from redislua.runtime.call import Call
from redislua.syntax.commands.keys import upper

__all__ = ["Engine"]

LIMIT = 20_000_000
"""Instructions after which a script is taken never to end: 5 ms are one or two millions."""

_NAMED = ("string", "table", "math", "os", "coroutine", "redis")
_PLAIN = 10**15
"""Whole numbers up to here every server writes alike."""


class Engine:
    """Runs calls against one server. A context manager; one call runs at a time.

    Args:
        url: The server: one of our own, without TLS.
        limit: Instructions that one call may take.
    """

    def __init__(self, url: str, *, limit: int = LIMIT) -> None:
        self._server = Connection(url)
        self._limit = limit
        try:
            self._names, self._constants = self._globals()
        except BaseException:
            self._server.close()
            raise
        self._rows: dict[str, tuple[int, bool] | None] = {}
        self._written: dict[float, bytes] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()

    def run(
        self,
        call: Call[Any],
        *,
        watch: Watch = "none",
        fault: Fault | None = None,
        clock: int | None = None,
    ) -> Run:
        """Run one call.

        Args:
            call: What to run.
            watch: ``instructions`` counts them, exactly and the same in every run;
                ``lines`` watches lines and forks, on a copy of the script with calls in it.
            fault: A command to fail.
            clock: What TIME says, in microseconds since 1970; the server's clock if None.
                Either way it stands still during the call.

        Raises:
            NotOffered: The script needs a library that is not here. Nothing was run.
            TooLong: The limit was reached.
        """
        copy = copy_of(call.script.source)
        for library in copy.libraries:
            raise NotOffered(str(call.script), library)
        one = State(self, call, fault, clock)
        text = copy.watched if watch == "lines" else copy.text
        try:
            return one.run(text, watch, self._limit)
        finally:
            if one.is_elsewhere:
                self._server.reset()

    def ask(self, lua: bytes, *args: bytes) -> Reply:
        """Have the server itself run a piece of Lua: where its own words are wanted."""
        return self._server.send((b"EVAL", lua, b"0", *args))

    def send(self, words: tuple[bytes, ...]) -> Reply:
        """Answer a command as the server answers it to a script."""
        row = self._row(words[0])
        if row is None or row[1] or not _takes(row[0], len(words)):
            # Refused, or not to be waited for: nothing is run on this connection.
            return self.ask(b"return redis.pcall(unpack(ARGV))", *words)
        return self._server.send(words)

    def speak(self, protocol: int) -> None:
        """Change to RESP2 or RESP3, for the rest of a run."""
        self._server.send((b"HELLO", b"%d" % protocol))

    def text(self, number: float) -> bytes:
        """A number as the server writes it into a command."""
        if isinstance(number, int) and abs(number) < _PLAIN:
            return b"%d" % number
        found = self._written.get(number)
        if found is None:
            echoed = self.ask(b"return redis.call('ECHO', tonumber(ARGV[1]))", b"%.17g" % number)
            found = self._written[number] = echoed if isinstance(echoed, bytes) else b""
        return found

    def _row(self, name: bytes) -> tuple[int, bool] | None:
        """Arity, and whether only the server itself may answer it; None if unknown."""
        wanted = upper(name)
        if wanted not in self._rows:
            found: Any = self._server.send((b"COMMAND", b"INFO", name))
            row = found[0] if isinstance(found, list) and found else None
            if row is not None:
                flags = row[2].value if isinstance(row[2], Typed) else row[2]
                row = (int(row[1]), bool({b"noscript", b"blocking"} & set(flags)))
            self._rows[wanted] = row
        return self._rows[wanted]

    def _globals(self) -> tuple[dict[bytes, dict[bytes, bool]], dict[bytes, Any]]:
        """The names that the server's scripts see, and the constants of ``redis``."""
        listing: Any = self.ask(_LISTING)
        names: dict[bytes, dict[bytes, bool]] = {}
        constants: dict[bytes, Any] = {}
        for library, name, kind, value in zip(*[iter(listing)] * 4, strict=True):
            names.setdefault(library, {})[name] = True
            if library == b"redis" and kind != b"function":
                constants[name] = int(value) if kind == b"number" else value
        return names, constants

    @property
    def names(self) -> dict[bytes, dict[bytes, bool]]:
        """Names of globals (``_G``) and of what is in each library."""
        return self._names

    @property
    def constants(self) -> dict[bytes, Any]:
        """The constants of ``redis``."""
        return self._constants


_LISTING = b"""
local found = {}
for _, library in ipairs({'_G', %s}) do
  for name, value in pairs(rawget(_G, library) or {}) do
    local kind = type(value)
    local text = kind == 'number' and string.format('%%.0f', value) or tostring(value)
    found[#found + 1], found[#found + 2] = library, name
    found[#found + 1], found[#found + 2] = kind, text
  end
end
return found
""" % b", ".join(b"'%s'" % name.encode() for name in _NAMED)


def _takes(arity: int, words: int) -> bool:
    return words == arity if arity >= 0 else words >= -arity
