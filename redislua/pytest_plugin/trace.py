"""``lua_trace``: which commands each call of a script ran, word for word."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import redis

from redislua.probe.monitor import Monitor, Seen
from redislua.runtime.watching.whois import known_scripts


@dataclass(frozen=True, slots=True)
class LuaCall:
    """One call of a script.

    Attributes:
        script: Full name, ``limit.gcra``, or the digest of a script that no binding has.
        keys: Its KEYS.
        args: Its ARGV.
        commands: What it ran, in order, each command with its words.
    """

    script: str
    keys: tuple[bytes, ...]
    args: tuple[bytes, ...]
    commands: tuple[tuple[bytes, ...], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The commands alone, in capitals: ``("TIME", "GET", "SET")``."""
        return tuple(words[0].decode("ascii", "replace").upper() for words in self.commands)


class LuaTrace:
    """Records all calls from entering to leaving its block. A context manager.

    It rests on MONITOR, which slows the server down.

    Args:
        url: The server.
    """

    def __init__(self, url: str) -> None:
        self._monitor = Monitor(url)
        self._url = url
        self._cached: Cached = Cached()
        self._calls: list[LuaCall] = []

    def __enter__(self) -> Self:
        with redis.Redis.from_url(self._url) as client:
            self._cached = Cached.on(client)
        self._monitor.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._monitor.__exit__(kind, error, traceback)

    def calls(self, script: str | None = None) -> list[LuaCall]:
        """Return the calls that were made until now, in order: all, or those of one script.

        A call that the server did not know the script of did not run, and is none.
        """
        self._read(self._monitor.collect())
        return [call for call in self._calls if script in (None, call.script)]

    def clear(self) -> None:
        """Forget the calls that were made until now."""
        self._read(self._monitor.collect())
        self._calls.clear()

    def _read(self, commands: list[Seen]) -> None:
        current: LuaCall | None = None
        inside: list[tuple[bytes, ...]] = []
        for seen in [*commands, None]:
            if seen is not None and seen.in_script:
                inside.append(seen.words)
                continue
            if current is not None:
                self._calls.append(
                    LuaCall(current.script, current.keys, current.args, tuple(inside))
                )
            inside = []
            current = None if seen is None else _call(seen, self._cached)


class Cached:
    """Which scripts a server has in its cache, as far as its commands tell."""

    def __init__(self) -> None:
        self._missing: set[str] = set()
        self._loaded: set[str] = set()
        self._is_empty = False

    @classmethod
    def on(cls, client: redis.Redis) -> Self:
        """Ask a server about the scripts of all imported bindings."""
        cached = cls()
        known = [*known_scripts()]
        if known:
            answers: Any = client.script_exists(*known)
            pairs = zip(known, answers, strict=True)
            cached._missing = {sha1 for sha1, is_there in pairs if not is_there}
        return cached

    @classmethod
    def empty(cls) -> Self:
        """The cache of a server that has just been started."""
        cached = cls()
        cached._is_empty = True
        return cached

    def has(self, sha1: str) -> bool:
        """Whether EVALSHA finds it."""
        if sha1 in self._loaded:
            return True
        return not self._is_empty and sha1 not in self._missing

    def note(self, seen: Seen) -> None:
        """Follow what a client's command does to the cache."""
        words = seen.words
        if seen.name in ("EVAL", "EVAL_RO") and len(words) > 1:
            self._loaded.add(digest(words[1]))
        elif seen.name == "SCRIPT" and len(words) > 1:
            verb = words[1].upper()
            if verb == b"LOAD" and len(words) > 2:
                self._loaded.add(digest(words[2]))
            elif verb == b"FLUSH":
                self._loaded.clear()
                self._is_empty = True


def digest(source: bytes) -> str:
    """The digest that EVALSHA takes."""
    return hashlib.sha1(source, usedforsecurity=False).hexdigest()


def _call(seen: Seen, cached: Cached) -> LuaCall | None:
    """The call that a command makes, without what it ran; None for any other command."""
    cached.note(seen)
    words = seen.words
    if seen.name in ("EVALSHA", "EVALSHA_RO") and len(words) > 2:
        sha1 = words[1].decode("ascii", "replace").lower()
        if not cached.has(sha1):
            return None
    elif seen.name in ("EVAL", "EVAL_RO") and len(words) > 2:
        sha1 = digest(words[1])
    else:
        return None
    count = int(words[2]) if words[2].isdigit() else 0
    script = known_scripts().get(sha1)
    name = script.name if script is not None else sha1
    return LuaCall(name, words[3 : 3 + count], words[3 + count :], ())
