"""Objects whose fields are read and changed one by one, each a hash.

::

    @dataclass(frozen=True)
    class User:
        name: str
        logins: int = 0
        mail: str | None = None

    users = RecordStore(client, User, ttl=timedelta(hours=1), namespace="shop")

    users.put("42", User("ada"))
    users.patch("42", mail="ada@example.org")  # False when it has expired meanwhile
    users.increment("42", "logins")
    user = users.get("42")

* A record is stored whole, with its expiry, in one step, and nothing of the one before is left.
* Two callers that patch different fields both have their way.
* What has expired is missing as a whole: neither a patch nor an increment brings a part of it
  back.
* Fields of str, bytes, bool, int and float are stored as plain text, which other programs and
  commands can read; whatever else as the codec writes it: of JSON a tuple comes back as a list.
  None is stored by leaving the field out.
* A class may change: fields that it no longer has are not read, and a new one needs a default,
  or None among its types, for the records that were stored without it.

A record has up to 64 fields of up to 4 KiB each. Records may live on a server that evicts if
they can be loaded again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Generic, TypedDict, TypeVar, Unpack

from redislua.patterns._aio import AsyncDriver
from redislua.patterns._blocking import Driver
from redislua.patterns._cache_terms import Failed
from redislua.patterns._record_fields import BadRecord, Layout
from redislua.patterns._record_store import Counted, Mode, RecordPlans
from redislua.patterns.codecs import JSON, Codec
from redislua.runtime import DEFAULT_DEADLINE, AsyncClient, BlockingClient

__all__ = ["AsyncRecordStore", "BadRecord", "Counted", "Failed", "Mode", "Options", "RecordStore"]

T = TypeVar("T")


class Options(TypedDict, total=False):
    """Keywords of `RecordStore` and `AsyncRecordStore`.

    Attributes:
        ttl: How long a record lives once it is stored; 1 day, at most 366.
        renew: Whether a patch gives a record its whole ``ttl`` again; no.
        codec: How fields become bytes that are no str, bytes, bool, int or float; JSON.
        namespace: Put before every key, with a colon.
        deadline: How long each call may take, a timedelta or seconds; 2 s.
    """

    ttl: timedelta
    renew: bool
    codec: Codec[Any]
    namespace: str
    deadline: timedelta | float


def _plans(kind: type[T], options: Options) -> RecordPlans[T]:
    return RecordPlans(
        Layout(kind, options.get("codec", JSON)),
        options.get("ttl", timedelta(days=1)),
        renew=options.get("renew", False),
        namespace=options.get("namespace", ""),
    )


class RecordStore(Generic[T]):
    """Records of one dataclass, with a blocking client. Threads may share it.

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Item:
    ...     name: str
    ...     stock: int = 0
    ...     tags: tuple[str, ...] | None = None
    >>> items = RecordStore(client, Item, ttl=timedelta(hours=1))
    >>> items.put("hat", Item("a hat", stock=2))
    True
    >>> items.increment("hat", "stock", -2, floor=0)
    Counted(added=True, value=0)
    >>> bool(items.increment("hat", "stock", -1, floor=0))
    False
    >>> items.patch("hat", name="the hat")
    True
    >>> items.get("hat")
    Item(name='the hat', stock=0, tags=None)
    >>> items.patch("coat", name="a coat")
    False
    >>> items.many(["hat", "coat"])["coat"] is None
    True
    """

    def __init__(self, client: BlockingClient, kind: type[T], **options: Unpack[Options]) -> None:
        """Send nothing yet.

        Args:
            client: A blocking client of redis-py or valkey-py.
            kind: A dataclass of up to 64 fields.
            options: See `Options`.

        Raises:
            InvalidArgument: It is no such class, or an option is out of its range.
        """
        self._plans: RecordPlans[T] = _plans(kind, options)
        self._driver = Driver(client, deadline=options.get("deadline", DEFAULT_DEADLINE))

    def put(self, key: str, record: T, *, mode: Mode = "any") -> bool:
        """Store a record whole, and say whether it was.

        Args:
            key: Its name, without braces.
            record: An object of the class, not all of whose fields are None.
            mode: ``absent`` stores only where none is, or the same already; ``present`` only
                over one that is there.

        Raises:
            InvalidArgument: A value is not of its field's type, or too long.
            CallError: The server could not be asked.
        """
        return self._driver.run(self._plans.put(key, record, mode))

    def patch(self, key: str, /, **changes: Any) -> bool:
        """Change some fields; False when there is no such record.

        Args:
            key: Its name.
            changes: The new values by the names of the fields; None removes one. A record
                whose last field is removed is gone.

        Raises:
            InvalidArgument: A value is not of its field's type, or there is no such field.
            BadRecord: Others have stored so many fields that this does not fit.
        """
        return self._driver.run(self._plans.patch(key, changes))

    def increment(
        self,
        key: str,
        field: str,
        amount: int = 1,
        *,
        floor: int | None = None,
        cap: int | None = None,
        create: bool = False,
    ) -> Counted | None:
        """Add to an integer field; None when there is no such record.

        A call whose reply is lost is not sent again: `OutcomeUnknown` says that it may have
        been counted.

        Args:
            key: Its name.
            field: A field of int, with no default but 0.
            amount: What to add; may be negative.
            floor: The sum may not be less: nothing is subtracted then.
            cap: The sum may not be more: nothing is added then.
            create: Make a record where none is; every other field needs a default, or None
                among its types.

        Raises:
            InvalidArgument: The class has no such field, or needs others.
            BadRecord: What is stored is no integer.
        """
        plan = self._plans.increment(key, field, amount, floor, cap, create=create)
        return self._driver.run(plan)

    def get(self, key: str) -> T | None:
        """Read a record; None when there is none.

        Raises:
            BadRecord: A field is missing that the class has no default for, or cannot be read.
        """
        return self._driver.run(self._plans.get(key))

    def many(self, keys: Iterable[str]) -> dict[str, T | Failed | None]:
        """Read many records, each key once, in as few writes as may be.

        What is wrong with one of them is that key's `Failed`, and hides no other.

        Args:
            keys: Their names, of any slots.
        """
        return self._driver.run(self._plans.many(keys))

    def remove(self, key: str) -> bool:
        """Remove a record; False when there was none."""
        return self._driver.run(self._plans.remove(key))


class AsyncRecordStore(Generic[T]):
    """`RecordStore` with an asyncio client, in one event loop."""

    def __init__(self, client: AsyncClient, kind: type[T], **options: Unpack[Options]) -> None:
        """Send nothing yet.

        Args:
            client: An asyncio client of redis-py or valkey-py.
            kind: A dataclass of up to 64 fields.
            options: See `Options`.

        Raises:
            InvalidArgument: It is no such class, or an option is out of its range.
        """
        self._plans: RecordPlans[T] = _plans(kind, options)
        self._driver = AsyncDriver(client, deadline=options.get("deadline", DEFAULT_DEADLINE))

    async def put(self, key: str, record: T, *, mode: Mode = "any") -> bool:
        """`RecordStore.put`."""
        return await self._driver.run(self._plans.put(key, record, mode))

    async def patch(self, key: str, /, **changes: Any) -> bool:
        """`RecordStore.patch`."""
        return await self._driver.run(self._plans.patch(key, changes))

    async def increment(
        self,
        key: str,
        field: str,
        amount: int = 1,
        *,
        floor: int | None = None,
        cap: int | None = None,
        create: bool = False,
    ) -> Counted | None:
        """`RecordStore.increment`."""
        plan = self._plans.increment(key, field, amount, floor, cap, create=create)
        return await self._driver.run(plan)

    async def get(self, key: str) -> T | None:
        """`RecordStore.get`."""
        return await self._driver.run(self._plans.get(key))

    async def many(self, keys: Iterable[str]) -> dict[str, T | Failed | None]:
        """`RecordStore.many`."""
        return await self._driver.run(self._plans.many(keys))

    async def remove(self, key: str) -> bool:
        """`RecordStore.remove`."""
        return await self._driver.run(self._plans.remove(key))
