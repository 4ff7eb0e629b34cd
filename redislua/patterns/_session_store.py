"""What `SessionStore` and `AsyncSessionStore` do, as plans."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, NamedTuple, TypeAlias

from redislua.bindings import session as scripts
from redislua.errors import InvalidArgumentType, InvalidArgumentValue, RedisLuaError
from redislua.patterns._plan import Plan, ask
from redislua.patterns._spans import milliseconds
from redislua.patterns.codecs import Codec
from redislua.runtime import encode

__all__ = [
    "Policy",
    "Session",
    "SessionConflict",
    "SessionGone",
    "SessionInfo",
    "SessionPlans",
    "SessionTooLarge",
    "Terms",
    "TooManySessions",
]

Policy: TypeAlias = Literal["evict_oldest", "reject"]
"""What a login does that would be one session too many."""

LONGEST = timedelta(days=366)
LEAST_KEY = 16
"""Bytes that the key of a store must have."""

_TOKEN = re.compile(r"([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})")
_USER_BYTES = 16
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Session:
    """A session that is valid.

    Attributes:
        id: What `SessionStore.sessions` calls it: a hash of its secret.
        data: Its fields, decoded.
        rev: Its revision, for `SessionStore.patch`.
        idle_left: For how long it lives on if nobody uses it.
        absolute_left: For how long it lives on at the latest.
    """

    id: str
    data: dict[str, Any]
    rev: int
    idle_left: timedelta
    absolute_left: timedelta


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """One of a user's sessions.

    Attributes:
        id: Its name for `SessionStore.destroy_id`.
        left: For how long it lives on if nobody uses it.
    """

    id: str
    left: timedelta


class SessionGone(RedisLuaError):
    """The session is over, was logged out, or never was: the user has to log in."""

    def __init__(self) -> None:
        super().__init__("there is no such session any more")


class SessionConflict(RedisLuaError):
    """Another caller has changed the session since it was read.

    Attributes:
        rev: Its revision now.
    """

    def __init__(self, rev: int) -> None:
        super().__init__(f"the session was changed: its revision is {rev}")
        self.rev = rev


SessionTooLarge = scripts.TooLargeError
"""A session would have more than 64 fields, or more than 16 KiB of them."""


class TooManySessions(RedisLuaError):
    """The user has as many sessions as there may be, and the policy is ``reject``.

    Attributes:
        sessions: How many there are.
    """

    def __init__(self, sessions: int) -> None:
        super().__init__(f"the user has {sessions} sessions already")
        self.sessions = sessions


@dataclass(frozen=True, slots=True)
class Terms:
    """How sessions live; milliseconds.

    Attributes:
        idle: For how long after it was used last.
        absolute: For how long after it began.
        most: How many a user may have.
        policy: What happens when there would be more.
    """

    idle: int
    absolute: int
    most: int
    policy: Policy

    @classmethod
    def of(cls, *, idle: timedelta, absolute: timedelta, most: int, policy: Policy) -> Terms:
        """Check what the application says."""
        return cls(
            idle=milliseconds("SessionStore", "idle", idle, least=100, most=LONGEST),
            absolute=milliseconds("SessionStore", "absolute", absolute, least=100, most=LONGEST),
            most=most,
            policy=policy,
        )


class _Address(NamedTuple):
    """Where a session lies: its user's tag, and its id."""

    user: str
    sid: str


class SessionPlans:
    """The plans of one store."""

    def __init__(self, terms: Terms, key: bytes, codec: Codec[Any], namespace: str) -> None:
        encode.namespace_prefix("SessionStore", namespace)
        if not isinstance(key, bytes):
            raise InvalidArgumentType("SessionStore", "key", key, "bytes")
        if len(key) < LEAST_KEY:
            expected = f"at least {LEAST_KEY} random bytes, the same in every process"
            raise InvalidArgumentValue("SessionStore", "key", f"{len(key)} bytes", expected)
        self._terms = terms
        self._key = key
        self._codec = codec
        self._namespace = namespace
        self._create(_Address("a", "a"), {})  # whatever is wrong with the terms is said now

    # --- tokens --------------------------------------------------------------------------------

    def _tag(self, user: str) -> str:
        """What stands for a user in keys and tokens: nobody can tell who without the key."""
        digest = hmac.digest(self._key, user.encode(), "sha256")[:_USER_BYTES]
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def _new_token(self, tag: str) -> str:
        return f"{tag}.{secrets.token_urlsafe(_SECRET_BYTES)}"

    def address(self, token: str) -> _Address | None:
        """Where the session of a token lies; None for what no store has given out."""
        found = _TOKEN.fullmatch(token)
        if found is None:
            return None
        return _Address(found[1], hashlib.sha256(found[2].encode()).hexdigest())

    def _known(self, token: str) -> _Address:
        address = self.address(token)
        if address is None:
            raise SessionGone
        return address

    # --- plans ---------------------------------------------------------------------------------

    def _create(self, address: _Address, fields: Mapping[str, bytes]) -> Any:
        return scripts.create(
            user=address.user,
            sid=address.sid,
            idle=self._terms.idle,
            absolute=self._terms.absolute,
            max_sessions=self._terms.most,
            policy=self._terms.policy,
            fields=fields,
            namespace=self._namespace,
        )

    def _encoded(self, data: Mapping[str, Any]) -> dict[str, bytes]:
        return {name: self._codec.encode(value) for name, value in data.items()}

    def create(self, user: str, data: Mapping[str, Any]) -> Plan[str]:
        """Begin a session: its token."""
        token = self._new_token(self._tag(user))
        reply = yield from ask(self._create(self._known(token), self._encoded(data)))
        if isinstance(reply, scripts.CreateTooMany):
            raise TooManySessions(reply.sessions)
        if isinstance(reply, scripts.CreateRevoked):  # everybody was logged out meanwhile
            raise SessionGone
        return token

    def load(self, token: str) -> Plan[Session | None]:
        """Use a session."""
        address = self.address(token)
        if address is None:
            return None
        call = scripts.touch(user=address.user, sid=address.sid, namespace=self._namespace)
        reply = yield from ask(call)
        if not isinstance(reply, scripts.TouchLive):
            return None
        data = {row.name: self._codec.decode(row.value) for row in reply.fields}
        return Session(address.sid, data, reply.rev, reply.idle_left, reply.absolute_left)

    def patch(
        self, token: str, sets: Mapping[str, Any], unset: Iterable[str], rev: int | None
    ) -> Plan[int]:
        """Change fields: the new revision."""
        address = self._known(token)
        call = scripts.patch(
            user=address.user,
            sid=address.sid,
            rev=rev,
            sets=self._encoded(sets),
            unsets=[scripts.PatchUnsetsRow(name) for name in unset],
            namespace=self._namespace,
        )
        reply = yield from ask(call)
        if isinstance(reply, scripts.PatchPatched):
            return reply.rev
        if isinstance(reply, scripts.PatchConflict):
            raise SessionConflict(reply.rev)
        raise SessionGone

    def rotate(self, token: str) -> Plan[str]:
        """Give it another token."""
        address = self._known(token)
        new_token = self._new_token(address.user)
        call = scripts.rotate(
            user=address.user,
            sid=address.sid,
            new_sid=self._known(new_token).sid,
            namespace=self._namespace,
        )
        reply = yield from ask(call)
        if isinstance(reply, scripts.RotateRotated | scripts.RotateReplayed):
            return new_token
        raise SessionGone

    def destroy(self, address: _Address | None) -> Plan[bool]:
        """End a session: whether it was there."""
        if address is None:
            return False
        call = scripts.destroy(user=address.user, sid=address.sid, namespace=self._namespace)
        reply = yield from ask(call)
        return isinstance(reply, scripts.DestroyDestroyed)

    def of_user(self, user: str, id: str) -> _Address:  # noqa: A002
        """Where a user's session of that id lies."""
        return _Address(self._tag(user), id)

    def destroy_all(self, user: str, keep: str | None) -> Plan[int]:
        """End all sessions of a user but one: how many."""
        address = None if keep is None else self.address(keep)
        call = scripts.revoke_all(
            user=self._tag(user),
            keep=None if address is None else address.sid,
            namespace=self._namespace,
        )
        reply = yield from ask(call)
        return reply.sessions

    def sessions(self, user: str) -> Plan[list[SessionInfo]]:
        """All sessions of a user, the one that was used last first."""
        found: dict[str, SessionInfo] = {}
        offset: int | None = 0
        while offset is not None:
            call = scripts.list(user=self._tag(user), offset=offset, namespace=self._namespace)
            reply = yield from ask(call)
            for row in reply.rows:  # one that moved on between two pages is met twice
                found.setdefault(row.sid, SessionInfo(row.sid, row.left))
            offset = reply.next
        return list(found.values())
