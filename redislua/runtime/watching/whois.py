"""From what a server says back to the script that it means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TypeAlias

from redislua.runtime.call import SCRIPTS_BY_SHA1, Script

__all__ = ["Said", "known_scripts", "whois"]

Said: TypeAlias = "str | bytes | BaseException | Mapping[str, object] | Iterable[object]"
"""A text, an error, or an entry of SLOWLOG or MONITOR in the shape that a client gives it."""

_DIGEST = re.compile(r"(?<![0-9a-fA-F])[0-9a-fA-F]{40}(?![0-9a-fA-F])")


def known_scripts() -> Mapping[str, Script]:
    """Return every script of this process by its sha1: those of the modules it has imported."""
    return MappingProxyType(SCRIPTS_BY_SHA1)


def whois(said: Said) -> Script | None:
    """Return the script whose digest stands in what a server said, or None.

    >>> whois("0000000000000000000000000000000000000000") is None
    True
    >>> whois(gcra.script.sha1).name
    'limit.gcra'
    >>> for entry in client.slowlog_get():
    ...     script = whois(entry)

    Args:
        said: A sha1, a line of MONITOR or of a log, an entry of SLOWLOG (redis-py's dict or
            the server's own list), a server's error, or any text with a digest in it,
            in either case.

    Known are the scripts of the modules that this process has imported. Of several digests
    the first known one counts. A line that carries a script's source instead of its
    digest (SCRIPT LOAD, EVAL) gives None; so does an error of Valkey 9.1, which names none.
    """
    for text in _texts(said):
        for digest in _DIGEST.findall(text):
            script = SCRIPTS_BY_SHA1.get(digest.lower())
            if script is not None:
                return script
    return None


def _texts(said: object) -> Iterator[str]:
    """Find every text in what a client made of a server's words, in order."""
    if isinstance(said, str):
        yield said
    elif isinstance(said, bytes):
        yield said.decode("latin-1")  # digests are ASCII; what is around them may be anything
    elif isinstance(said, BaseException):
        yield str(said)
    elif isinstance(said, Mapping):
        yield from _texts(said.values())
    elif isinstance(said, Iterable):
        for part in said:
            yield from _texts(part)
