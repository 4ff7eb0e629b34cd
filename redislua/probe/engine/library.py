"""The functions of ``redis`` besides ``call`` and ``pcall``."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Protocol

from redislua.probe.engine.wire import Reply

__all__ = ["Host", "Library", "Raised", "is_word"]


class Raised(Exception):
    """An error that a function raises in the script; its argument is the error's text."""


class Host(Protocol):
    """What the functions need of the run."""

    def speak(self, protocol: int) -> None:
        """Change to RESP2 or RESP3."""

    def ask(self, lua: bytes, *args: bytes) -> Reply:
        """Have the server itself run a piece of Lua."""


class Library:
    """The functions, for one Lua state.

    Args:
        lua: A `lupa.lua51.LuaRuntime`.
        host: The run.
    """

    def __init__(self, lua: Any, host: Host) -> None:
        self._lua = lua
        self._host = host

    def functions(self) -> dict[bytes, Callable[..., Any]]:
        """Each by its name. One that fails raises `Raised`."""
        return {
            b"error_reply": self._error_reply,
            b"status_reply": self._status_reply,
            b"sha1hex": self._sha1hex,
            b"log": self._log,
            b"setresp": self._setresp,
            b"acl_check_cmd": self._acl_check_cmd,
            b"breakpoint": lambda *_: False,
            b"debug": lambda *_: None,
            b"replicate_commands": lambda *_: True,
            b"set_repl": lambda *_: None,
        }

    def _error_reply(self, *given: Any) -> Any:
        if len(given) != 1 or not isinstance(given[0], bytes):
            return self._err(b"ERR wrong number or type of arguments")
        code, blank, rest = given[0].removeprefix(b"-").partition(b" ")
        if not blank:
            return self._err(b"ERR " + code)
        return self._err(code.rstrip(b"\r\n") + b" " + rest.rstrip(b"\r\n"))

    def _err(self, text: bytes) -> Any:
        return self._lua.table_from({b"err": text})

    def _status_reply(self, *given: Any) -> Any:
        if len(given) != 1 or not isinstance(given[0], bytes):
            return self._err(b"ERR wrong number or type of arguments")
        return self._lua.table_from({b"ok": given[0]})

    def _sha1hex(self, *given: Any) -> Any:
        if len(given) != 1:
            raise self._said(b"redis.sha1hex")
        text = b"" if not is_word(given[0]) else _tostring(given[0])
        return hashlib.sha1(text, usedforsecurity=False).hexdigest().encode()

    def _log(self, *given: Any) -> None:
        if len(given) < 2:
            raise self._said(b"redis.log")
        if isinstance(given[0], bool) or not isinstance(given[0], int | float):
            raise self._said(b"redis.log, 'x', 'y'")
        if not 0 <= given[0] <= 3:
            raise self._said(b"redis.log, -1, 'y'")

    def _setresp(self, *given: Any) -> None:
        if len(given) != 1:
            raise self._said(b"redis.setresp")
        if given[0] not in (2, 3) or isinstance(given[0], bool):
            raise self._said(b"redis.setresp, 4")
        self._host.speak(int(given[0]))

    def _acl_check_cmd(self, *given: Any) -> bool:
        words = [_tostring(one) for one in given if is_word(one)]
        found = self._host.ask(
            b"local ok, found = pcall(redis.acl_check_cmd, unpack(ARGV)) "
            b"if not ok then return found end return found and 1 or 0",
            *words,
        )
        if isinstance(found, bytes):
            raise Raised(found)
        return bool(found)

    def _said(self, misuse: bytes) -> Raised:
        """What the server says of a misuse: products word it differently."""
        found = self._host.ask(b"return select(2, pcall(%s))" % misuse)
        return Raised(found if isinstance(found, bytes) else b"ERR")


def is_word(value: Any) -> bool:
    """Whether a Lua value can stand in a command: text or a number."""
    return isinstance(value, bytes | int | float) and not isinstance(value, bool)


def _tostring(value: bytes | float) -> bytes:
    """A number as Lua writes it."""
    return value if isinstance(value, bytes) else b"%.14g" % value
