"""The server's verdict on syntax, without a server: Lua 5.1's own parser, through lupa.

A chunk is compiled and never run. lupa's default runtime reaches Python from Lua,
so running anything here would be code execution at build time.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from redislua.errors import HeaderError
from redislua.syntax.brackets import flatten_nested

_CHUNK = b"=user_script"


def compile_error(file: str, source: bytes) -> HeaderError | None:
    """Compile a script as the server would, and return what is wrong with it.

    The shebang is no Lua: the server takes it away, keeping its newline, and so does
    this. Line numbers are those of the file.
    """
    if source.startswith(b"\x1b"):
        return HeaderError(file, "the file is Lua bytecode", "Lua source text")
    body = source
    if body.startswith(b"#!"):
        body = body[body.find(b"\n") :] if b"\n" in body else b""
    failure = _load()(flatten_nested(body), _CHUNK)
    if failure is None:
        return None
    message = failure.decode("utf-8", "replace")
    line, problem = _split(message)
    lines = source.decode("utf-8", "replace").split("\n")
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    column, width = _near(problem, text)
    return HeaderError(
        file,
        problem,
        "a script that Lua 5.1 compiles",
        line=line,
        column=column,
        width=width,
        text=text,
    )


def _split(message: str) -> tuple[int, str]:
    """``user_script:12: unexpected symbol near 'x'`` as line and message."""
    place, _, problem = message.partition(": ")
    number = place.rpartition(":")[2]
    if place.startswith("user_script:") and number.isdecimal():
        return int(number), problem
    return 0, message


def _near(problem: str, text: str) -> tuple[int, int]:
    """Find the token that the message names, for the caret."""
    token = problem.rpartition(" near '")[2].removesuffix("'")
    at = text.find(token) if token and token != problem else -1
    if at >= 0:
        return at + 1, len(token)
    stripped = text.lstrip()
    return len(text) - len(stripped) + 1, max(1, len(stripped))


@cache
def _load() -> Any:
    """A Lua function that compiles text and returns the error message, or nothing."""
    import lupa.lua51  # a C extension: only what compiles pays for it

    runtime = lupa.lua51.LuaRuntime(
        encoding=None, register_eval=False, register_builtins=False, unpack_returned_tuples=True
    )
    return runtime.execute(
        b"""
        local loadstring = loadstring
        return function(text, name)
            local chunk, message = loadstring(text, name)
            if not chunk then return message end
        end
        """
    )
