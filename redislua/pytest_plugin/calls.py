"""Each call of a script as SLOWLOG tells it: its server time, and the commands inside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redislua.probe.slowlog import SlowLog
from redislua.server import Server

_CALLS = frozenset({b"EVALSHA", b"EVALSHA_RO"})
_NEVER_INSIDE = frozenset(
    b"AUTH CLIENT CONFIG DISCARD EVAL EVAL_RO EXEC FCALL FCALL_RO HELLO MULTI RESET SCRIPT SLOWLOG "
    b"UNWATCH WATCH".split()
)
_NO_CLIENT = frozenset({b"", b"?:0"})


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """One call.

    Attributes:
        sha1: Digest of the script.
        microseconds: What it held the server for.
        commands: The commands that it ran, in order, each with its words: 32 of them at most
            and of 128 bytes each at most, which is what SLOWLOG keeps.
    """

    sha1: str
    microseconds: int
    commands: tuple[tuple[bytes, ...], ...]


class CallLog(SlowLog):
    """Collects every call with what it ran. A context manager.

    At threshold 0 the commands inside a script stand right before the script's own entry.
    Redis logs them without an address, Valkey with that of the client who called; so on
    Valkey a command that the same connection sent right before a call is taken for the
    script's. Bindings call on connections of their own, which send nothing else.

    Args:
        server: The server, which should be private.
    """

    def __init__(self, server: Server) -> None:
        super().__init__(server.url)
        self._is_valkey = server.version.startswith("Valkey")

    def calls(self) -> list[LoggedCall]:
        """Return the calls since the last collection, oldest first."""
        found: list[LoggedCall] = []
        before: list[tuple[bytes, Sequence[bytes]]] = []
        for _, _, microseconds, words, address, *_ in self._drain():
            name = words[0].upper()
            if name in _CALLS and len(words) > 1:
                own = frozenset({address}) if self._is_valkey else _NO_CLIENT
                sha1 = words[1].decode("ascii", "replace").lower()
                found.append(LoggedCall(sha1, microseconds, _inside(before, own)))
            if name in _CALLS or name in _NEVER_INSIDE:
                before.clear()
            else:
                before.append((address, words))
        return found


def _inside(
    before: Sequence[tuple[bytes, Sequence[bytes]]], own: frozenset[Any]
) -> tuple[tuple[bytes, ...], ...]:
    """The commands right before a call whose address says that they are the script's."""
    commands: list[tuple[bytes, ...]] = []
    for address, words in reversed(before):
        if address not in own:
            break
        commands.append(tuple(words))
    return tuple(reversed(commands))
