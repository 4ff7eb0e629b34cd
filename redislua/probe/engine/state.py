"""One Lua state, in which one call is run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol, TypeAlias

from redislua.probe.engine.library import Library, Raised, is_word
from redislua.probe.engine.prelude import PRELUDE
from redislua.probe.engine.replies import from_lua, one_line, plain, to_lua
from redislua.probe.engine.run import Fault, NotOffered, Run, Sent, TooLong, copy_of
from redislua.probe.engine.wire import Failure, Reply
from redislua.runtime.call import Call
from redislua.syntax.commands.keys import upper

__all__ = ["Server", "State", "Watch"]

Watch: TypeAlias = Literal["none", "instructions", "lines"]


class Server(Protocol):
    """What a run asks of its server."""

    @property
    def names(self) -> dict[bytes, dict[bytes, bool]]:
        """Names of globals (``_G``) and of what is in each library."""

    @property
    def constants(self) -> dict[bytes, Any]:
        """The constants of ``redis``."""

    def send(self, words: tuple[bytes, ...]) -> Reply:
        """Answer a command as the server answers it to a script."""

    def ask(self, lua: bytes, *args: bytes) -> Reply:
        """Have the server itself run a piece of Lua."""

    def text(self, number: float) -> bytes:
        """A number as the server writes it into a command."""

    def speak(self, protocol: int) -> None:
        """Change to RESP2 or RESP3."""


class State:
    """One run: a Lua state of its own, so that nothing is left of the last one.

    Args:
        server: What answers its commands.
        call: What to run.
        fault: A command to fail, or None.
        clock: What TIME says, in microseconds since 1970, or None for the server's own.

    Attributes:
        is_elsewhere: Whether the connection was moved to another database or protocol.
    """

    def __init__(
        self, server: Server, call: Call[Any], fault: Fault | None, clock: int | None
    ) -> None:
        import lupa.lua51

        self._server = server
        self._call = call
        self._fault = fault
        self._clock = None if clock is None else _time_of(clock)
        self._commands: list[Sent] = []
        self._failure: Exception | None = None
        self._line: Callable[[], int] = int
        self.is_elsewhere = False
        self._lua: Any = lupa.lua51.LuaRuntime(
            encoding=None,
            register_eval=False,
            register_builtins=False,
            unpack_returned_tuples=True,
            attribute_filter=_nothing,
        )

    def run(self, text: bytes, watch: Watch, limit: int) -> Run:
        lua, table = self._lua, self._lua.table_from
        kind_of, rawget = lua.globals()[b"type"], lua.globals()[b"rawget"]
        library = Library(lua, self)
        prelude = lua.eval(b"function(...) return loadstring((...), '=redislua') end")(PRELUDE)
        names = table({name: table(found) for name, found in self._server.names.items()})
        functions = {b"call": self._called, b"pcall": self._pcalled, **library.functions()}
        main, self._line = prelude(
            names,
            table(self._server.constants),
            table(self._call.keys),
            table(self._call.args),
            table({name: self._kept(function) for name, function in functions.items()}),
            self._kept(self._refuse),
            self._raised,
        )
        ok, value, line, steps, stopped, hits, yes, no = main(text, watch.encode(), limit)
        if self._failure is not None:
            raise self._failure
        if stopped:
            raise TooLong(str(self._call.script), limit, line)
        reply: Reply = from_lua(rawget, kind_of, value) if ok else _error(rawget, value, line)
        is_error = isinstance(reply, Failure)
        known = copy_of(self._call.script.source).lines  # the copy has more, behind each loop
        return Run(
            call=self._call,
            reply=None if is_error else plain(reply),
            error=bytes(reply) if isinstance(reply, Failure) else b"",
            instructions=steps if watch == "instructions" else None,
            lines={line: count for line, count in hits.items() if line in known},
            ways=_ways(yes, no),
            commands=tuple(self._commands),
        )

    def _kept(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Keep what goes wrong on our side, which a script's pcall must not swallow."""

        def guarded(*given: Any) -> Any:
            try:
                return function(*given)
            except Raised:
                raise
            except Exception as error:
                self._failure = self._failure or error
                raise

        return guarded

    # --- redis.call ---------------------------------------------------------------------

    def _called(self, *given: Any) -> Any:
        reply = self._answer(given)
        if isinstance(reply, Failure):
            raise Raised(bytes(reply))
        return to_lua(self._lua, reply)

    def _pcalled(self, *given: Any) -> Any:
        reply = self._answer(given)
        value = to_lua(self._lua, reply)
        if isinstance(reply, Failure) and given and all(map(is_word, given)):
            value[b"ignore_error_stats_update"] = True
        return value

    def _raised(self, error: object) -> Any:
        """The table that a script sees of an error; None of what is not for it."""
        return self._lua.table_from({b"err": error.args[0]}) if isinstance(error, Raised) else None

    def _answer(self, given: tuple[Any, ...]) -> Reply:
        if not given or not all(is_word(one) for one in given):
            count = b"{}" if given else b""
            return self._server.ask(b"return redis.pcall(%s)" % count)
        words = tuple(one if isinstance(one, bytes) else self._server.text(one) for one in given)
        number = len(self._commands) + 1
        if self._fault is not None and self._fault.at == number:
            reply: Reply = Failure(self._fault.error)
        else:
            reply = self._reply(words)
        error = bytes(reply) if isinstance(reply, Failure) else b""
        self._commands.append(Sent(words, self._line(), error))
        return reply

    def _reply(self, words: tuple[bytes, ...]) -> Reply:
        name = upper(words[0])
        if name == "TIME" and len(words) == 1:
            if self._clock is None:
                self._clock = self._server.send(words)
            return self._clock
        self.is_elsewhere = self.is_elsewhere or name == "SELECT"
        return self._server.send(words)

    def speak(self, protocol: int) -> None:
        """Change to RESP2 or RESP3, up to the end of this run."""
        self.is_elsewhere = True
        self._server.speak(protocol)

    def ask(self, lua: bytes, *args: bytes) -> Reply:
        """Have the server itself run a piece of Lua."""
        return self._server.ask(lua, *args)

    def _refuse(self, library: bytes) -> None:
        raise NotOffered(str(self._call.script), library.decode())


def _nothing(*_: object) -> object:
    raise AttributeError("a script has no way to what is Python's")


def _time_of(clock: int) -> Reply:
    seconds, rest = divmod(clock, 1_000_000)
    return [b"%d" % seconds, b"%d" % rest]


def _error(rawget: Any, value: Any, line: int | None) -> Failure:
    """The error reply of a script that was stopped by an error."""
    text = rawget(value, b"err")
    text = text if isinstance(text, bytes) else b"ERR unknown error"
    place = b"" if line is None else b" script: on @user_script:%d." % line
    return Failure(one_line(text) + place)


def _ways(yes: Any, no: Any) -> dict[tuple[int, bool], int]:
    ways = {(number, True): count for number, count in yes.items()}
    ways.update({(number, False): count for number, count in no.items()})
    return ways
