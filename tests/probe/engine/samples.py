"""Calls of scripts that a test writes itself."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from redislua.runtime.call import Call, Script


def script_call(
    source: str | bytes, keys: Sequence[bytes] = (), args: Sequence[bytes] = ()
) -> Call[Any]:
    """A call of any text, whose reply is left as it comes."""
    text = source.encode() if isinstance(source, str) else source
    sha1 = hashlib.sha1(text, usedforsecurity=False).hexdigest()
    script = Script("test.it", "1.0.0", "test/it.v1.lua", sha1, text, False, "safe", {})
    return Call(script, tuple(keys), tuple(args), lambda reply: reply)
