"""Scripts and calls that the tests of the runtime send: small, and written by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from redislua.errors import ScriptError
from redislua.runtime import Call, RetryClass, Script


class BadStateError(ScriptError):
    """A declared error of the samples."""


DECLARED: Mapping[str, type[ScriptError]] = {"RLUA_BAD_STATE": BadStateError}


def script(body: str, *, flags: str = "", retry: RetryClass = "never") -> Script:
    """A script with a shebang; line 2 is the body's first."""
    source = f"#!lua{flags}\n{body}\n".encode()
    return Script(
        name="sample.script",
        version="1.2.3",
        file="sample/script.v1.lua",
        sha1=hashlib.sha1(source, usedforsecurity=False).hexdigest(),
        source=source,
        read_only="no-writes" in flags,
        retry=retry,
        errors=DECLARED,
    )


def call(body: str, *args: bytes, flags: str = "", retry: RetryClass = "never") -> Call[Any]:
    """A call of such a script on the key ``{sample}``; its reply is given as it came."""
    made = script(body, flags=flags, retry=retry)
    return Call(made, (b"{sample}",), args, decode=lambda reply: reply)


def incr(retry: RetryClass = "never", marker: bytes = b"") -> Call[int]:
    """A call that counts its own executions: its reply is the count."""
    made = script("return redis.call('INCR', KEYS[1])", retry=retry)
    return Call(made, (b"{sample}",), (marker,), decode=int)
