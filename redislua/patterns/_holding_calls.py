"""What is asked of the server to hold something: a lock, or a slot of a semaphore."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Protocol

from redislua.bindings import lock, semaphore
from redislua.runtime import Call, encode

__all__ = ["Calls", "LockCalls", "SemaphoreCalls"]


class Calls(Protocol):
    """The scripts of a family for one name."""

    name: str
    wake: bytes
    longest_ticket: int

    def acquire(self, owner: str, hold: timedelta, ticket: str | None) -> Call[Any]:
        """Take it."""

    def refused(self, reply: Any) -> timedelta | None:
        """For how long, or None when it was granted."""

    def fence(self, reply: Any) -> str:
        """The fence of what was granted."""

    def extend(self, owner: str, hold: timedelta) -> Call[Any]:
        """Keep it."""

    def is_lost(self, reply: Any) -> bool:
        """Whether it could not be kept."""

    def release(self, owner: str) -> Call[Any]:
        """Give it back."""

    def is_released(self, reply: Any) -> bool:
        """Whether it was held until then."""


class LockCalls:
    """`Calls` of a lock."""

    longest_ticket = 16

    def __init__(
        self, name: str, *, namespace: str, grace: timedelta, keep_fence: timedelta
    ) -> None:
        encode.namespace_prefix("Lock", namespace)
        self.name = name
        self.wake = lock.acquire_keys(name=name, namespace=namespace).wake
        self._namespace = namespace
        self._grace = grace
        self._keep_fence = keep_fence

    def acquire(self, owner: str, hold: timedelta, ticket: str | None) -> Call[Any]:
        return lock.acquire(
            name=self.name,
            owner=owner,
            hold=hold,
            ticket=ticket,
            keep_fence=self._keep_fence,
            namespace=self._namespace,
        )

    def refused(self, reply: Any) -> timedelta | None:
        return reply.retry_after if isinstance(reply, lock.AcquireHeld) else None

    def fence(self, reply: Any) -> str:
        fence: str = reply.fence
        return fence

    def extend(self, owner: str, hold: timedelta) -> Call[Any]:
        return lock.extend(name=self.name, owner=owner, hold=hold, namespace=self._namespace)

    def is_lost(self, reply: Any) -> bool:
        return isinstance(reply, lock.ExtendLost)

    def release(self, owner: str) -> Call[Any]:
        return lock.release(
            name=self.name, owner=owner, grace=self._grace, namespace=self._namespace
        )

    def is_released(self, reply: Any) -> bool:
        return isinstance(reply, lock.ReleaseReleased)

    def inspect(self) -> Call[lock.InspectReply]:
        """Look who holds it."""
        return lock.inspect(name=self.name, namespace=self._namespace)


class SemaphoreCalls:
    """`Calls` of a semaphore."""

    longest_ticket = 48

    def __init__(self, name: str, limit: int, *, namespace: str, grace: timedelta) -> None:
        encode.namespace_prefix("Semaphore", namespace)
        self.name = name
        self.wake = semaphore.acquire_keys(name=name, namespace=namespace).wake
        self._limit = limit
        self._namespace = namespace
        self._grace = grace

    def acquire(self, owner: str, hold: timedelta, ticket: str | None) -> Call[Any]:
        return semaphore.acquire(
            name=self.name,
            owner=owner,
            limit=self._limit,
            hold=hold,
            ticket=ticket,
            namespace=self._namespace,
        )

    def refused(self, reply: Any) -> timedelta | None:
        return reply.retry_after if isinstance(reply, semaphore.AcquireFull) else None

    def fence(self, reply: Any) -> str:
        del reply
        return ""

    def extend(self, owner: str, hold: timedelta) -> Call[Any]:
        return semaphore.renew(name=self.name, owner=owner, hold=hold, namespace=self._namespace)

    def is_lost(self, reply: Any) -> bool:
        return isinstance(reply, semaphore.RenewLost)

    def release(self, owner: str) -> Call[Any]:
        return semaphore.release(
            name=self.name, owner=owner, grace=self._grace, namespace=self._namespace
        )

    def is_released(self, reply: Any) -> bool:
        return isinstance(reply, semaphore.ReleaseReleased)
