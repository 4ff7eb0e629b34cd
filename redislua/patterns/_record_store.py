"""What `RecordStore` and `AsyncRecordStore` do, as plans."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from redislua.bindings import record as scripts
from redislua.errors import InvalidArgumentValue
from redislua.patterns._cache_terms import Failed
from redislua.patterns._chunks import chunks
from redislua.patterns._plan import Plan, ask, ask_many
from redislua.patterns._record_fields import BadRecord, Layout
from redislua.patterns._spans import milliseconds
from redislua.runtime import Call, encode

__all__ = ["Counted", "Mode", "RecordPlans"]

T = TypeVar("T")

Mode: TypeAlias = Literal["any", "absent", "present"]
"""Where a record is stored: everywhere, only where none is, only over one that is there."""

LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Counted:
    """What became of an increment. It is true if the amount was added.

    Attributes:
        added: Whether the amount was added: it was not if the sum is out of its bounds.
        value: What the field holds now.
    """

    added: bool
    value: int

    def __bool__(self) -> bool:
        return self.added


class RecordPlans(Generic[T]):
    """The plans of the records of one class."""

    def __init__(self, layout: Layout[T], ttl: timedelta, *, renew: bool, namespace: str) -> None:
        encode.namespace_prefix("RecordStore", namespace)
        self._layout = layout
        self._ttl = milliseconds("RecordStore", "ttl", ttl, most=LONGEST)
        self._renew = renew
        self._namespace = namespace
        self._names = tuple(scripts.GetNamesRow(name) for name in layout.fields)

    def put(self, key: str, record: T, mode: Mode) -> Plan[bool]:
        """Store it whole."""
        values = self._layout.values(record, "RecordStore.put")
        sets, _ = self._layout.stored(values, "RecordStore.put")
        if not sets:
            expected = "a value that is not None: a record without fields does not exist"
            raise InvalidArgumentValue("RecordStore.put", "record", record, expected)
        reply = yield from ask(
            scripts.put(key=key, ttl=self._ttl, mode=mode, fields=sets, namespace=self._namespace)
        )
        return isinstance(reply, scripts.PutStored)

    def patch(self, key: str, changes: Mapping[str, Any]) -> Plan[bool]:
        """Change fields of a record that is there."""
        sets, deletes = self._layout.stored(changes, "RecordStore.patch")
        reply = yield from ask(
            scripts.patch(
                key=key,
                ttl=self._ttl if self._renew else None,
                sets=sets,
                deletes=[scripts.PatchDeletesRow(name) for name in deletes],
                namespace=self._namespace,
            )
        )
        if isinstance(reply, scripts.PatchTooMany):
            raise BadRecord(key, f"it would have {reply.fields} fields")
        return isinstance(reply, scripts.PatchPatched)

    def increment(
        self,
        key: str,
        field: str,
        amount: int,
        floor: int | None,
        cap: int | None,
        *,
        create: bool,
    ) -> Plan[Counted | None]:
        """Add to a field."""
        call = scripts.increment(
            key=key,
            field=self._layout.counter(field, creates=create),
            amount=amount,
            floor=floor,
            cap=cap,
            create_ttl=self._ttl if create else None,
            namespace=self._namespace,
        )
        try:
            reply = yield from ask(call)
        except (scripts.NotIntegerError, scripts.TooLargeError) as error:
            raise BadRecord(key, str(error)) from error
        if isinstance(reply, scripts.IncrementMissing):
            return None
        return Counted(isinstance(reply, scripts.IncrementAdded), reply.value)

    def get(self, key: str) -> Plan[T | None]:
        """Read it."""
        reply = yield from ask(self._get(key))
        return self._loaded(key, reply)

    def many(self, keys: Iterable[str]) -> Plan[dict[str, T | Failed | None]]:
        """Read each, so many at a time; what fails is that key's own result."""
        calls = {key: self._get(key) for key in keys}
        results: dict[str, T | Failed | None] = {}
        for some in chunks(calls):
            replies = yield from ask_many(*(calls[key] for key in some))
            for key, reply in zip(some, replies, strict=True):
                results[key] = self._result(key, reply)
        return results

    def remove(self, key: str) -> Plan[bool]:
        """Remove it."""
        reply = yield from ask(scripts.remove(key=key, namespace=self._namespace))
        return isinstance(reply, scripts.RemoveRemoved)

    def _get(self, key: str) -> Call[scripts.GetReply]:
        return scripts.get(key=key, names=self._names, namespace=self._namespace)

    def _loaded(self, key: str, reply: scripts.GetReply) -> T | None:
        if isinstance(reply, scripts.GetMissing):
            return None
        return self._layout.loaded(key, {row.field: row.value for row in reply.fields})

    def _result(self, key: str, reply: scripts.GetReply | Exception) -> T | Failed | None:
        if isinstance(reply, Exception):
            return Failed(reply)
        try:
            return self._loaded(key, reply)
        except Exception as error:  # whatever the class raises is this key's own trouble
            return Failed(error)
