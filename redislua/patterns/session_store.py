"""Sessions of users: logins, what they carry, and logout everywhere.

::

    store = SessionStore(client, key=SECRET, idle=timedelta(minutes=30), namespace="shop")

    token = store.create("ann", {"theme": "dark"})  # goes into a cookie: Secure, HttpOnly
    session = store.load(token)                     # None when the user has to log in
    store.patch(token, {"cart": [7, 9]})            # other fields stay as others left them
    token = store.rotate(token)                     # after a login, or a change of rights
    store.destroy_all("ann")                        # logout everywhere

* A session ends ``idle`` after it was used last, and ``absolute`` after it began however much
  it is used.
* Logout everywhere takes one call and no longer for ten thousand sessions than for one, and
  nothing that is under way brings one of them back.
* Fields are changed one by one, so two requests at once do not undo each other's work; with
  ``rev`` a change of what was read in between is a `SessionConflict`.
* The server sees hashes: neither the token nor the name of the user is stored in it. Who reads
  the whole server can use no session. The token's first half is a keyed hash of the user (``key``
  must be the same in every process), which finds the session's slot in a cluster.

Keep sessions on a server that does not evict: what is evicted is logged out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, TypedDict, Unpack

from redislua.patterns._aio import AsyncDriver
from redislua.patterns._blocking import Driver
from redislua.patterns._session_store import (
    Policy,
    Session,
    SessionConflict,
    SessionGone,
    SessionInfo,
    SessionPlans,
    SessionTooLarge,
    Terms,
    TooManySessions,
)
from redislua.patterns.codecs import JSON, Codec
from redislua.runtime import DEFAULT_DEADLINE, AsyncClient, BlockingClient

__all__ = [
    "AsyncSessionStore",
    "Options",
    "Policy",
    "Session",
    "SessionConflict",
    "SessionGone",
    "SessionInfo",
    "SessionStore",
    "SessionTooLarge",
    "TooManySessions",
]

NOTHING: Mapping[str, Any] = {}


class Options(TypedDict, total=False):
    """Keywords of `SessionStore` and `AsyncSessionStore`.

    Attributes:
        idle: For how long a session lives on after it was used last; 30 min.
        absolute: For how long it lives on after it began; 7 days.
        max_sessions: How many a user may have; 100, up to 10 000.
        policy: What a login does that would be one too many: ``evict_oldest`` ends those that
            were not used for longest, ``reject`` is `TooManySessions`; ``evict_oldest``.
        codec: How values of fields become bytes; JSON.
        namespace: Put before every key, with a colon.
        deadline: How long each call may take, a timedelta or seconds; 2 s.
    """

    idle: timedelta
    absolute: timedelta
    max_sessions: int
    policy: Policy
    codec: Codec[Any]
    namespace: str
    deadline: timedelta | float


def _plans(key: bytes, options: Options) -> SessionPlans:
    terms = Terms.of(
        idle=options.get("idle", timedelta(minutes=30)),
        absolute=options.get("absolute", timedelta(days=7)),
        most=options.get("max_sessions", 100),
        policy=options.get("policy", "evict_oldest"),
    )
    return SessionPlans(terms, key, options.get("codec", JSON), options.get("namespace", ""))


class SessionStore:
    """The sessions of all users, with a blocking client. Threads may share it.

    >>> store = SessionStore(client, key=b"0123456789abcdef", idle=timedelta(minutes=30))
    >>> token = store.create("ann", {"theme": "dark"})
    >>> store.patch(token, {"cart": [7]})
    2
    >>> store.load(token).data
    {'theme': 'dark', 'cart': [7]}
    >>> new = store.rotate(token)
    >>> store.load(token) is None, store.load(new) is None
    (True, False)
    >>> len(store.sessions("ann")), store.destroy_all("ann"), store.load(new)
    (1, 1, None)
    """

    def __init__(self, client: BlockingClient, key: bytes, **options: Unpack[Options]) -> None:
        """Send nothing yet.

        Args:
            client: A blocking client of redis-py or valkey-py.
            key: A secret of at least 16 random bytes, the same in every process: it hides the
                users' names. With another one everybody has to log in.
            options: See `Options`.
        """
        self._plans = _plans(key, options)
        self._driver = Driver(client, deadline=options.get("deadline", DEFAULT_DEADLINE))

    def create(self, user: str, data: Mapping[str, Any] = NOTHING) -> str:
        """Begin a session; the token to give to the client, 66 characters.

        Args:
            user: Whose session: a name that never goes to another user.
            data: Up to 64 fields of any names up to 64 bytes, encoded by the codec.

        Raises:
            TooManySessions: The user has ``max_sessions``, and the policy is ``reject``.
            SessionTooLarge: All fields together are longer than 16 KiB.
        """
        return self._driver.run(self._plans.create(user, data))

    def load(self, token: str) -> Session | None:
        """Return a session, which was thereby used; None if it is over, or never was."""
        return self._driver.run(self._plans.load(token))

    def patch(
        self,
        token: str,
        sets: Mapping[str, Any] = NOTHING,
        *,
        unset: Iterable[str] = (),
        rev: int | None = None,
    ) -> int:
        """Store some fields and remove others; the new revision. All else stays as it is.

        Args:
            token: The session's.
            sets: Fields to store.
            unset: Names of fields to remove.
            rev: Change it only if this is still its revision.

        Raises:
            SessionGone: It is over.
            SessionConflict: Its revision is another one.
            SessionTooLarge: It would be too large; nothing was changed.
        """
        return self._driver.run(self._plans.patch(token, sets, unset, rev))

    def rotate(self, token: str) -> str:
        """Give a session another token; the old one is worth nothing from then on.

        Raises:
            SessionGone: It is over.
        """
        return self._driver.run(self._plans.rotate(token))

    def destroy(self, token: str) -> bool:
        """End a session; whether there was one to end."""
        return self._driver.run(self._plans.destroy(self._plans.address(token)))

    def destroy_id(self, user: str, id: str) -> bool:  # noqa: A002
        """End one of the user's sessions, by its id of `sessions`."""
        return self._driver.run(self._plans.destroy(self._plans.of_user(user, id)))

    def destroy_all(self, user: str, *, keep: str | None = None) -> int:
        """End all sessions of a user; how many there were.

        Args:
            user: Whose.
            keep: The token of a session that goes on.
        """
        return self._driver.run(self._plans.destroy_all(user, keep))

    def sessions(self, user: str) -> list[SessionInfo]:
        """List the user's sessions, the one that was used last first."""
        return self._driver.run(self._plans.sessions(user))


class AsyncSessionStore:
    """`SessionStore` with an asyncio client, in one event loop."""

    def __init__(self, client: AsyncClient, key: bytes, **options: Unpack[Options]) -> None:
        """Send nothing yet.

        Args:
            client: An asyncio client of redis-py or valkey-py.
            key: As for `SessionStore`.
            options: See `Options`.
        """
        self._plans = _plans(key, options)
        self._driver = AsyncDriver(client, deadline=options.get("deadline", DEFAULT_DEADLINE))

    async def create(self, user: str, data: Mapping[str, Any] = NOTHING) -> str:
        """`SessionStore.create`."""
        return await self._driver.run(self._plans.create(user, data))

    async def load(self, token: str) -> Session | None:
        """`SessionStore.load`."""
        return await self._driver.run(self._plans.load(token))

    async def patch(
        self,
        token: str,
        sets: Mapping[str, Any] = NOTHING,
        *,
        unset: Iterable[str] = (),
        rev: int | None = None,
    ) -> int:
        """`SessionStore.patch`."""
        return await self._driver.run(self._plans.patch(token, sets, unset, rev))

    async def rotate(self, token: str) -> str:
        """`SessionStore.rotate`."""
        return await self._driver.run(self._plans.rotate(token))

    async def destroy(self, token: str) -> bool:
        """`SessionStore.destroy`."""
        return await self._driver.run(self._plans.destroy(self._plans.address(token)))

    async def destroy_id(self, user: str, id: str) -> bool:  # noqa: A002
        """`SessionStore.destroy_id`."""
        return await self._driver.run(self._plans.destroy(self._plans.of_user(user, id)))

    async def destroy_all(self, user: str, *, keep: str | None = None) -> int:
        """`SessionStore.destroy_all`."""
        return await self._driver.run(self._plans.destroy_all(user, keep))

    async def sessions(self, user: str) -> list[SessionInfo]:
        """`SessionStore.sessions`."""
        return await self._driver.run(self._plans.sessions(user))
