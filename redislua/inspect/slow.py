"""The slowest scripts by name, from what SLOWLOG of each server holds.

SLOWLOG names a script by its digest or by the beginning of its text, and cuts long words
(``... (172 more bytes)``). The scripts of a registry are known by both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from redislua.runtime.watching import whois
from redislua.spec.model import Script

__all__ = ["Names", "SlowLog", "SlowScript"]

_CUT = re.compile(rb"\A(.*)\.\.\. \((\d+) more bytes\)\Z", re.DOTALL)
_BY_DIGEST = frozenset({b"EVALSHA", b"EVALSHA_RO"})
_BY_TEXT = frozenset({b"EVAL", b"EVAL_RO"})
_BY_NAME = frozenset({b"FCALL", b"FCALL_RO"})
_SHOWN = 60


class Names:
    """Finds the name of a script in an entry of SLOWLOG.

    Args:
        scripts: Those that are known by name. Of several that are the same the first counts.
    """

    def __init__(self, scripts: Iterable[Script] = ()) -> None:
        self._by_sha1: dict[str, str] = {}
        self._sources: list[tuple[bytes, str]] = []
        for script in scripts:
            name = f"{script.full_name}@{script.version}"
            if self._by_sha1.setdefault(script.sha1, name) == name:
                self._sources.append((script.source, name))

    def of(self, words: Sequence[bytes]) -> str | None:
        """Return the name of what a command ran; None for a command that runs no script.

        A script that is not known goes by its digest, or by the first line of its text.
        """
        command = words[0].upper() if words else b""
        if len(words) < 2:
            return None
        if command in _BY_DIGEST:
            sha1 = words[1].decode("latin-1").lower()
            imported = whois(sha1)
            return self._by_sha1.get(sha1) or (str(imported) if imported else f"sha1 {sha1}")
        if command in _BY_TEXT:
            return self._of_text(words[1])
        if command in _BY_NAME:
            return f"function {words[1].decode('utf-8', 'replace')}"
        return None

    def _of_text(self, text: bytes) -> str:
        cut = _CUT.match(text)
        begin, length = (text, len(text)) if cut is None else (cut[1], len(cut[1]) + int(cut[2]))
        for source, name in self._sources:
            if len(source) == length and source.startswith(begin):
                return name
        return f"EVAL {_first_line(begin)}"


def _first_line(text: bytes) -> str:
    """The first line that says something: no shebang, no dashes."""
    for line in text.decode("utf-8", "replace").splitlines():
        said = line.strip().lstrip("-").strip()
        if said and not line.startswith("#!"):
            return said if len(said) <= _SHOWN else f"{said[: _SHOWN - 1]}…"
    return "of an empty text"


@dataclass(frozen=True, slots=True)
class SlowScript:
    """One script as SLOWLOG knows it.

    Attributes:
        name: ``limit.gcra@1.0.0``.
        entries: How many entries it has.
        longest: Microseconds of the longest.
        total: Microseconds of all.
        node: The server of the longest.
        last: When the latest ran, seconds since 1970 by its server's clock.
    """

    name: str
    entries: int
    longest: int
    total: int
    node: str
    last: int


class SlowLog:
    """Adds up the entries of several servers, each entry once.

    Args:
        names: How scripts are called.
    """

    def __init__(self, names: Names) -> None:
        self._names = names
        self._next: dict[tuple[str, str], int] = {}
        self._found: dict[str, SlowScript] = {}

    def take(self, node: str, run_id: str, entries: Any) -> None:
        """Take a server's own reply to SLOWLOG GET.

        Args:
            node: The server.
            run_id: Its process: after a restart identifiers begin anew.
            entries: ``[id, seconds since 1970, microseconds, words, ...]`` each.
        """
        server = (node, run_id)
        first = self._next.get(server, 0)
        for number, when, took, words, *_ in entries:
            if number < first:
                continue
            self._next[server] = max(self._next.get(server, 0), number + 1)
            name = self._names.of(words)
            if name is not None:
                self._add(SlowScript(name, 1, took, took, node, when))

    def slowest(self, count: int) -> tuple[SlowScript, ...]:
        """The scripts with the longest entries, the longest first."""
        ordered = sorted(self._found.values(), key=lambda one: (-one.longest, one.name))
        return tuple(ordered[:count])

    def _add(self, new: SlowScript) -> None:
        old = self._found.get(new.name)
        if old is None:
            self._found[new.name] = new
            return
        self._found[new.name] = SlowScript(
            new.name,
            old.entries + 1,
            max(old.longest, new.longest),
            old.total + new.total,
            new.node if new.longest > old.longest else old.node,
            max(old.last, new.last),
        )
