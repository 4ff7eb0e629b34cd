"""Which failures of a plain command may be tried again, and for how long.

redis-py asks one policy for connecting and for commands, and the two end in the same
exception: a command whose reply was lost would be sent again. Here a failure to connect
has a class of its own, and a command is sent again only after a failure that proves it
was not executed. Times, not counts, bound a policy: nested policies then add up and do
not multiply.
"""

from __future__ import annotations

import ssl
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import redis
import redis.asyncio.retry
import redis.asyncio.sentinel
import redis.retry
import redis.sentinel
from redis.backoff import FullJitterBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    ClusterError,
    MaxConnectionsError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
    SlotNotCoveredError,
    TryAgainError,
)

__all__ = ["NotConnected", "Patience", "anothing", "is_read_only", "nothing", "nothing_sent"]

T = TypeVar("T")

# A pause is drawn evenly from 0 to 20 ms, then to 40 ms, … to 250 ms.
_BASE, _CAP = 0.010, 0.250
_BACKOFF = FullJitterBackoff(cap=_CAP, base=_BASE)
_CAUGHT = (RedisError, RedisClusterException)  # the second is not one of the first
_RETRY = redis.retry.Retry(_BACKOFF, -1, _CAUGHT)
_ASYNC_RETRY = redis.asyncio.retry.Retry(_BACKOFF, -1, _CAUGHT)  # type: ignore[arg-type]

_FINAL = (AuthenticationError, AuthorizationError)
_WAITS_FOR_CONNECTION = (
    MaxConnectionsError,
    redis.sentinel.MasterNotFoundError,
    redis.sentinel.SlaveNotFoundError,
    redis.asyncio.sentinel.MasterNotFoundError,
    redis.asyncio.sentinel.SlaveNotFoundError,
)
_REFUSED = (BusyLoadingError, TryAgainError, ClusterError, SlotNotCoveredError)


class NotConnected(redis.ConnectionError):
    """No connection could be made: nothing of the command was sent.

    The client library's own exception is the ``__cause__``.
    """


_SAYS_MORE = (NotConnected, BusyLoadingError, *_FINAL, *_WAITS_FOR_CONNECTION)


@contextmanager
def nothing_sent() -> Iterator[None]:
    """Errors of connecting leave this block as `NotConnected`, or as a class that says more."""
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError) as error:
        if isinstance(error, _SAYS_MORE):
            raise
        raise NotConnected(str(error)) from error


@dataclass(frozen=True, slots=True)
class Patience:
    """How a client tries again.

    Attributes:
        seconds: For how long after the first try a further one may begin.
        resend: Send again also what may have been executed.
        to_primary: READONLY is the end of a failover, and not a mistake of the caller.
    """

    seconds: float
    resend: bool = False
    to_primary: bool = True

    def connecting(self, attempt: Callable[[], T]) -> T:
        """Return what an attempt to connect returns, tried again until it succeeds."""
        return _RETRY.call_with_retry(attempt, nothing, self._within(_may_connect))

    async def aconnecting(self, attempt: Callable[[], Any]) -> Any:
        """`connecting` for an asyncio attempt."""
        return await _ASYNC_RETRY.call_with_retry(attempt, anothing, self._within(_may_connect))

    def running(self, attempt: Callable[[], T], after: Callable[[Exception], Any]) -> T:
        """Return what a command returns, sent again while that is safe.

        Args:
            attempt: Sends the command.
            after: Called after each refusal, before the pause.

        Raises:
            NotConnected: Nothing was sent until the end.
        """
        outer = sys.exception()
        with _no_node_named(outer):
            return _RETRY.call_with_retry(
                attempt, after, self._within(partial(self._may_send, outer))
            )

    async def arunning(self, attempt: Callable[[], Any], after: Callable[[Exception], Any]) -> Any:
        """`running` for an asyncio command; ``after`` is awaited."""
        outer = sys.exception()
        with _no_node_named(outer):
            return await _ASYNC_RETRY.call_with_retry(
                attempt, after, self._within(partial(self._may_send, outer))
            )

    def _within(self, allowed: Callable[[Exception], bool]) -> Callable[[Exception], bool]:
        until = time.monotonic() + self.seconds
        return lambda error: time.monotonic() < until and allowed(error)

    def _may_send(self, outer: BaseException | None, error: Exception) -> bool:
        """Decide on an error; ``outer`` is what the caller was handling when it sent."""
        if isinstance(error, _FINAL):
            return False
        if is_read_only(error, outer):
            return self.to_primary
        if self.resend and isinstance(error, redis.ConnectionError | redis.TimeoutError):
            return _may_connect(error)
        return isinstance(error, _REFUSED) or _is_unsent(error, outer)


def is_read_only(error: Exception, outer: BaseException | None) -> bool:
    """True for READONLY: redis-py's Sentinel connections hide it behind a ConnectionError.

    The READONLY is the context of that error. Any error has the context ``outer`` that is
    raised while a caller handles that one: there it proves nothing.
    """
    context = error.__context__
    return isinstance(error, ReadOnlyError) or (
        isinstance(error, redis.ConnectionError)
        and isinstance(context, ReadOnlyError)
        and context is not outer
    )


def _is_unsent(error: Exception, outer: BaseException | None) -> bool:
    """True where no byte of the command left, and another attempt can help."""
    if isinstance(error, (NotConnected, *_WAITS_FOR_CONNECTION)):
        return _may_connect(error)
    return _finds_no_node(error, outer) and _may_connect(error.__cause__)


def _finds_no_node(error: Exception, outer: BaseException | None) -> bool:
    """True where a cluster client found no node before it sent the command.

    It says so also after a lost reply, and then in place of it: that is the context.
    """
    context = error.__context__
    return (
        isinstance(error, RedisClusterException)
        and isinstance(error.__cause__, redis.ConnectionError | redis.TimeoutError)
        and (isinstance(context, NotConnected | None) or context in (outer, error.__cause__))
    )


@contextmanager
def _no_node_named(outer: BaseException | None) -> Iterator[None]:
    """Give a cluster's failure to connect the class that it has elsewhere."""
    try:
        yield
    except RedisClusterException as error:
        if not _finds_no_node(error, outer):
            raise
        if isinstance(error.__cause__, _FINAL):
            raise error.__cause__ from None
        raise NotConnected(str(error)) from error


def _may_connect(error: BaseException | None) -> bool:
    """True where another attempt to connect can help: not after a wrong password or certificate."""
    if isinstance(error, _FINAL) or not isinstance(
        error, redis.ConnectionError | redis.TimeoutError
    ):
        return False
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return False
        cause = cause.__cause__ or cause.__context__
    return True


def nothing(_error: Exception) -> None:
    """Nothing to do between two attempts."""


async def anothing(_error: Exception) -> None:
    """Nothing to do between two attempts."""
