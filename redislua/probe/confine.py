"""Run a call so that the server itself refuses whatever the call does not declare.

A throw-away ACL user gets, for each call, the rights to exactly its keys and channels,
and the call runs as that user. What is refused stands in ACL LOG, which names the key,
so an access is found even where the script swallows the error with ``redis.pcall``.

What a server's ACL cannot tell:

* A space, another white character or a NUL in a key has no place in an ACL rule and
  becomes ``?``: at that position any byte passes.
* The key rules of EVALSHA are read-write, so a write to a key that should only be read
  is found in ``no-writes`` scripts alone, which run by EVALSHA_RO.
* COPY with ``DB`` reaches its declared key in another database.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias, TypeVar, cast
from urllib.parse import urlsplit

import redis
from redis.client import NEVER_DECODE

from redislua.errors import RedisLuaError, ServerUnavailable
from redislua.runtime.blocking import drive
from redislua.runtime.call import Call
from redislua.runtime.plan import DEFAULT_DEADLINE, ends, single
from redislua.runtime.pools import pools
from redislua.runtime.route import Route

Reply = TypeVar("Reply")

Kind: TypeAlias = Literal["key", "channel", "command"]

_GLOB = frozenset(b"*?[]\\^-")
_NOT_IN_A_RULE = frozenset(b" \t\n\v\f\r\0")

# Everything that works on the keys it is given. SORT counts as dangerous for its cost
# and for BY and GET, which need the right to every key; RESTORE for its payload.
# Commands that see the whole keyspace, or leave the database, are taken away.
_COMMANDS = (
    *("+@all", "-@admin", "-@dangerous", "+sort", "+sort_ro", "+restore"),
    *("-scan", "-randomkey", "-dbsize", "-move", "-select"),
)

_LOG_ENTRIES = 1_000  # more than acllog-max-len keeps by default (128)


class UndeclaredAccess(RedisLuaError):
    """A script used a key, a channel or a command that its call does not entitle it to.

    Attributes:
        script: Full name and version, ``limit.gcra@1.0.0``.
        kind: ``key``, ``channel`` or ``command``.
        name: The key, the channel, or the command in lower case.
        call: The call that was run.
    """

    def __init__(self, call: Call[Any], kind: Kind, name: bytes) -> None:
        super().__init__(call, kind, name)
        self.script = str(call.script)
        self.kind = kind
        self.name = name
        self.call = call

    def __str__(self) -> str:
        shown = repr(self.name)[1:]
        if self.kind == "command":
            return f"{self.script}: {self.name.decode().upper()} does not keep to the declared keys"
        if self.kind == "channel":
            declared = _listed(self.call.channels)
            return (
                f"{self.script}: channel {shown} is not declared; channels of the call: {declared}"
            )
        if self.name in self.call.keys:
            return f"{self.script}: key {shown} is written by a script that is flags=no-writes"
        return f"{self.script}: key {shown} is not in KEYS; keys of the call: {_listed(self.call.keys)}"


class Confined:
    """Runs calls under exactly the rights they declare. A context manager.

    Entering creates the user on the server, leaving deletes it. One call runs at a
    time. The connection of ``url`` must be allowed ACL SETUSER, DELUSER and LOG.

    Args:
        url: The server, ``redis://127.0.0.1:6400/0`` or ``unix:///path?db=0``.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._owner: Any = redis.Redis.from_url(url)
        self._name = ""
        self._password = ""
        self._client: redis.Redis | None = None

    def __enter__(self) -> Self:
        try:
            self._log_in()
        except BaseException:
            self._owner.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._log_out()
        finally:
            self._owner.close()

    def run(self, call: Call[Reply]) -> Reply:
        """Run ``call`` with nothing but its rights, and return its reply.

        A ``no-writes`` script runs by EVALSHA_RO with the right to read its keys.

        Raises:
            UndeclaredAccess: The script tried something else, even if it went on. What
                it wrote before stays: a script is not rolled back.
            CallError: What became of the call, as in `redislua.runtime`.
        """
        until = ends(call.script.name, DEFAULT_DEADLINE)
        with self.entitled(call) as client:
            plan = single(call, route=Route(reads=call.script.read_only), until=until)
            return drive(pools.of(client), plan, until)

    @contextlib.contextmanager
    def entitled(self, call: Call[Any]) -> Iterator[redis.Redis]:
        """Lend a client that may do exactly what ``call`` declares, for one block.

        Raises:
            UndeclaredAccess: At the end of the block, if the server refused something.
        """
        if self._client is None:
            raise RuntimeError("Confined is used outside its with block")
        self._owner.execute_command("ACL", "SETUSER", self._name, *self._rules(call))
        try:
            yield self._client
        except Exception as error:
            try:
                self._raise_refused(call, error)
            except redis.RedisError:
                # A script holds the server: there is no log to read, and the call's own
                # end says more than that.
                raise error from None
            raise
        self._raise_refused(call, None)

    def _log_in(self) -> None:
        self._name = f"redislua-confined-{secrets.token_hex(8)}"
        self._password = secrets.token_hex(32)
        try:
            self._owner.execute_command("ACL", "SETUSER", self._name, "reset")
        except redis.exceptions.NoPermissionError as error:
            raise ServerUnavailable(
                "confinement needs a user that may run ACL SETUSER, ACL DELUSER and ACL LOG: "
                f"{error}"
            ) from error
        self._client = redis.Redis.from_url(_with_user(self._url, self._name, self._password))

    def _log_out(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()
            self._owner.execute_command("ACL", "DELUSER", self._name)

    def _rules(self, call: Call[Any]) -> list[bytes | str]:
        right = b"%R~" if call.script.read_only else b"~"
        keys = [right + _literal(key) for key in call.keys]
        channels = [b"&" + _literal(channel) for channel in call.channels]
        # SELECT of the database that the connection is in: what a new connection sends.
        database = f"+select|{self._owner.connection_pool.connection_kwargs.get('db', 0)}"
        return ["reset", "on", f">{self._password}", "resetkeys", "resetchannels", *keys, *channels,
                *_COMMANDS, database]  # fmt: skip

    def _raise_refused(self, call: Call[Any], cause: Exception | None) -> None:
        """Raise UndeclaredAccess if ACL LOG holds an entry of our user."""
        refused = [entry for entry in self._log() if entry[b"username"] == self._name.encode()]
        if not refused:
            return
        # A new name for the next call, so that every entry of a name is of one call.
        self._log_out()
        self._log_in()
        first = refused[-1]  # newest first
        kind = cast("Kind", first[b"reason"].decode())
        raise UndeclaredAccess(call, kind, first[b"object"]) from cause

    def _log(self) -> list[dict[bytes, Any]]:
        # In two words, because redis-py's parser of "ACL LOG" decodes the object's bytes.
        reply = self._owner.execute_command("ACL", "LOG", _LOG_ENTRIES, **{NEVER_DECODE: []})
        return [
            entry if isinstance(entry, dict) else dict(zip(entry[::2], entry[1::2], strict=True))
            for entry in reply
        ]


def _literal(name: bytes) -> bytes:
    """Return the glob pattern that matches ``name``, and as little else as a rule can say."""
    pattern = bytearray()
    for byte in name:
        if byte in _NOT_IN_A_RULE:
            pattern += b"?"
        else:
            pattern += b"\\%c" % byte if byte in _GLOB else b"%c" % byte
    return bytes(pattern)


def _listed(names: Iterable[bytes]) -> str:
    return ", ".join(repr(name)[1:] for name in names) or "none"


def _with_user(url: str, name: str, password: str) -> str:
    """Return ``url`` with another login; redis-py lets the login of a URL win."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{name}:{password}@{place}").geturl()
