"""The lines of a script on which there is something to run: as Lua's compiler lists them."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Any

__all__ = ["blanked", "executable"]

_HEADER = 12


def blanked(source: bytes) -> bytes:
    """The script without its shebang, its line kept: as the server compiles it."""
    return source[source.find(b"\n") :] if source.startswith(b"#!") else source


@lru_cache(maxsize=64)
def executable(source: bytes) -> frozenset[int]:
    """The lines that hold an instruction which can be reached, from 1.

    The compiler also writes some that cannot: a return behind every function, whatever
    stands at its end, and jumps behind a ``return`` inside ``if``.

    Raises:
        ValueError: Lua does not compile the text.
    """
    import lupa.lua51  # a C extension: only what compiles pays for it

    lua = lupa.lua51.LuaRuntime(encoding=None, register_eval=False, register_builtins=False)
    dump = lua.execute(
        b"return function(s) local f, e = loadstring(s, '=s') return f and string.dump(f) end"
    )
    code = dump(blanked(source))
    if code is None:
        raise ValueError("Lua does not compile the script")
    found: set[int] = set()
    _Dump(code).function(found)
    return frozenset(found)


class _Dump:
    """Reads what ``string.dump`` gives: ``ldump.c`` of Lua 5.1, in this machine's byte order."""

    def __init__(self, code: bytes) -> None:
        self._code = code
        self._at = _HEADER
        self._word, self._number = code[8], code[10]

    def function(self, lines: set[int]) -> None:
        """Read one function and those inside it, and add their lines."""
        self._string()
        self._skip(2 * 4 + 4)  # its first and last line, and four bytes
        code = [self._int() for _ in range(self._int())]
        for _ in range(self._int()):
            self._constant()
        for _ in range(self._int()):
            self.function(lines)
        own = [self._int() for _ in range(self._int())]
        lines.update(own[at] for at in _reached(code))
        for _ in range(self._int()):
            self._string()
            self._skip(2 * 4)
        for _ in range(self._int()):
            self._string()

    def _int(self) -> int:
        (found,) = struct.unpack_from("=I", self._code, self._at)
        self._skip(4)
        return int(found)

    def _string(self) -> None:
        size = int.from_bytes(self._code[self._at : self._at + self._word], _ORDER)
        self._skip(self._word + size)

    def _constant(self) -> None:
        kind = self._code[self._at]
        self._skip(1)
        if kind == 4:
            self._string()
        else:
            self._skip({0: 0, 1: 1, 3: self._number}[kind])

    def _skip(self, size: int) -> None:
        self._at += size


def _reached(code: list[int]) -> set[int]:
    """The instructions that the machine can come to, by their index."""
    found: set[int] = set()
    waiting = [0]
    while waiting:
        at = waiting.pop()
        if at not in found:
            found.add(at)
            waiting += _next(code, at)
    return found


def _next(code: list[int], at: int) -> tuple[int, ...]:
    """Where the machine goes from one instruction: the table of ``lopcodes.h``."""
    operation, third = code[at] & 0x3F, code[at] >> 14 & 0x1FF
    if operation == _RETURN:
        return ()
    if operation in _JUMPS:
        return (_target(code, at),)
    if operation in _TESTS:  # a test and the jump behind it are one step
        return at + 2, _target(code, at + 1)
    if operation == _FORLOOP:
        return at + 1, _target(code, at)
    skips = (operation == _LOADBOOL and third) or (operation == _SETLIST and not third)
    return (at + 2,) if skips else (at + 1,)


def _target(code: list[int], at: int) -> int:
    return at + 1 + (code[at] >> 14 & 0x3FFFF) - 0x1FFFF


_LOADBOOL, _RETURN, _FORLOOP, _SETLIST = 2, 30, 31, 34
_JUMPS = frozenset({22, 32})  # JMP, FORPREP
_TESTS = frozenset({23, 24, 25, 26, 27, 33})  # EQ, LT, LE, TEST, TESTSET, TFORLOOP

_ORDER: Any = "little" if struct.pack("=H", 1) == b"\x01\x00" else "big"
