"""Which server a connection leads to, for scripts whose ``@requires`` asks for one."""

from __future__ import annotations

import re
from typing import Any, TypeAlias

from redislua.runtime.steps import Command, Requires

Product: TypeAlias = tuple[str, tuple[int, ...]]
"""``("valkey", (9, 1, 2))``; ``("", ())`` when the server did not say."""

ANY: Requires = {}
HELLO: Command = ("HELLO",)
"""Asks without changing the protocol. INFO would do worse: Valkey says redis_version 7.2.4."""


def product_of(hello: Any) -> Product:
    """Read a reply to HELLO, which no ACL refuses; an error, from a proxy, is no answer."""
    if isinstance(hello, list):  # RESP2
        hello = dict(zip(hello[::2], hello[1::2], strict=True))
    if not isinstance(hello, dict):
        return ("", ())
    digits = re.match(rb"[0-9.]*", hello[b"version"])
    parts = digits[0].split(b".") if digits else []
    return (hello[b"server"].decode(), tuple(int(part) for part in parts if part))


def lacking(product: Product, requires: Requires) -> str:
    """Say why a server is none of those required, or ``""``. One that did not say may pass."""
    name, version = product
    least = requires.get(name)
    if not name or (least is not None and version >= least):
        return ""
    bounds = (f"{other}>={_dotted(bound)}" for other, bound in requires.items())
    return f"needs {' or '.join(bounds)}; the server is {name} {_dotted(version)}"


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)
