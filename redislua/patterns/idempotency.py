"""Work that is done once for each key, whoever asks for it and however often.

::

    payments = Idempotency(client, namespace="shop", final=(CardDeclined,))

    @payments.idempotent(lambda order, amount: f"pay:{order}")
    def pay(order, amount):
        return gateway.charge(order, amount)

* The first caller of a key does the work, under a hold that is renewed beside it. Everybody
  who asks later gets what it returned, for ``ttl``.
* Who asks meanwhile waits for it, as long as ``wait`` says, and then gets `InProgress`; who
  waits is woken when it ends.
* The same key with other arguments is `KeyReused`: the first request binds a fingerprint of
  its arguments to the key.
* Work that raises may be tried again at once. What it raises of the classes in ``final`` is
  stored instead, and everybody after gets `WorkFailed`.
* When the caller died, the next one takes over once its hold is over. So work may be done
  twice when a process stops for longer than ``hold``, or dies between the work and the storing
  of its response: let the work itself carry the key where it can, to a payment provider for
  instance.

A key that is unknown to the server is a request that was never made: keep them on a server
that does not evict. What happens while the server cannot be asked is the application's choice:
``outage`` is ``raise`` (the `CallError`), or ``run``: the work is done without its key.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, ParamSpec, TypedDict, TypeVar, Unpack

from redislua.patterns._aio import AsyncDriver
from redislua.patterns._blocking import Driver
from redislua.patterns._idempotency import (
    IdempotencyPlans,
    InProgress,
    KeyReused,
    Outage,
    ResponseLost,
    Terms,
    WorkFailed,
    fingerprint,
)
from redislua.patterns.codecs import JSON, Codec
from redislua.runtime import DEFAULT_DEADLINE, AsyncClient, BlockingClient

__all__ = [
    "AsyncIdempotency",
    "Idempotency",
    "InProgress",
    "KeyReused",
    "Options",
    "Outage",
    "ResponseLost",
    "WorkFailed",
]

P = ParamSpec("P")
R = TypeVar("R")


class Options(TypedDict, total=False):
    """Keywords of `Idempotency` and `AsyncIdempotency`.

    Attributes:
        hold: How long a caller may be silent before another takes over; 30 s, at least 10 ms.
            It is renewed three times as often while the work goes on.
        ttl: How long a response is repeated, and a key known whose work never ends; 1 day.
        wait: How long a caller waits for another's work; 0, which is not at all.
        final: Classes of exceptions that are stored and repeated; none.
        codec: How responses become bytes; JSON. Up to 256 KiB each. Who gets a response
            that was stored gets what the codec makes of it.
        outage: What happens when the server cannot be asked: ``raise`` or ``run``.
        namespace: Put before every key, with a colon.
        deadline: How long each call may take, a timedelta or seconds; 2 s.
    """

    hold: timedelta
    ttl: timedelta
    wait: timedelta
    final: tuple[type[Exception], ...]
    codec: Codec[Any]
    outage: Outage
    namespace: str
    deadline: timedelta | float


def _plans(options: Options) -> IdempotencyPlans:
    terms = Terms.of(
        hold=options.get("hold", timedelta(seconds=30)),
        ttl=options.get("ttl", timedelta(days=1)),
        wait=options.get("wait", timedelta(0)),
        final=options.get("final", ()),
    )
    codec, outage = options.get("codec", JSON), options.get("outage", "raise")
    return IdempotencyPlans(terms, codec, options.get("namespace", ""), outage)


def _request(
    signature: inspect.Signature,
    request: Callable[..., object] | None,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> str:
    """The fingerprint of a decorated function's call."""
    if request is not None:
        return fingerprint(request(*args, **kwargs))
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    return fingerprint(bound.arguments)


class Idempotency:
    """Any number of keys, with a blocking client. Threads may share it.

    >>> payments = Idempotency(client, namespace="shop")
    >>> charged = []
    >>> @payments.idempotent(lambda order, amount: f"pay:{order}")
    ... def pay(order, amount):
    ...     charged.append(order)
    ...     return {"receipt": len(charged)}
    >>> pay(42, amount=10)
    {'receipt': 1}
    >>> pay(42, amount=10)
    {'receipt': 1}
    >>> pay(42, amount=11)
    Traceback (most recent call last):
    redislua.patterns._idempotency.KeyReused: 'pay:42' was used for another request before
    >>> payments.run("mail:42", lambda: "sent")
    'sent'
    """

    def __init__(self, client: BlockingClient, **options: Unpack[Options]) -> None:
        """Send nothing yet.

        Args:
            client: A blocking client of redis-py or valkey-py.
            options: See `Options`.
        """
        self._plans: IdempotencyPlans = _plans(options)
        self._driver = Driver(client, deadline=options.get("deadline", DEFAULT_DEADLINE))

    def run(self, key: str, work: Callable[[], R], *, request: object = None) -> R:
        """Do the work, or return what it returned before.

        Args:
            key: Its name, without braces; ``Idempotency-Key`` of an HTTP request together
                with its user, for instance.
            work: What to do once.
            request: What was asked, as JSON can express it: another request under the same
                key is refused. None is like any other.

        Raises:
            InProgress: Another caller is at it, for longer than ``wait``.
            KeyReused: The key was used for another request.
            WorkFailed: It failed for good before.
            ResponseLost: It was done before, and its response could not be stored.
            CallError: The server could not be asked, unless ``outage`` says otherwise.
        """
        return self._driver.run(self._plans.run(key, work, fingerprint(request)))

    def idempotent(
        self, key: Callable[P, str], *, request: Callable[P, object] | None = None
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Decorate a function: calls with the same key are one call.

        Args:
            key: Says the key, with the call's own arguments.
            request: Says what was asked, as JSON can express it; all arguments if not given.
        """

        def decorate(function: Callable[P, R]) -> Callable[P, R]:
            signature = inspect.signature(function)

            @functools.wraps(function)
            def once(*args: P.args, **kwargs: P.kwargs) -> R:
                asked = _request(signature, request, args, kwargs)
                work = functools.partial(function, *args, **kwargs)
                return self._driver.run(self._plans.run(key(*args, **kwargs), work, asked))

            return once

        return decorate


class AsyncIdempotency:
    """`Idempotency` with an asyncio client, in one event loop. Work may be a coroutine function.

    A task that is cancelled gives the key back, so that the work may be tried again.
    """

    def __init__(self, client: AsyncClient, **options: Unpack[Options]) -> None:
        """Send nothing yet.

        Args:
            client: An asyncio client of redis-py or valkey-py.
            options: See `Options`.
        """
        self._plans: IdempotencyPlans = _plans(options)
        self._driver = AsyncDriver(client, deadline=options.get("deadline", DEFAULT_DEADLINE))

    async def run(
        self, key: str, work: Callable[[], Awaitable[R] | R], *, request: object = None
    ) -> R:
        """`Idempotency.run`; ``work`` may return an awaitable."""
        return await self._driver.run(self._plans.run(key, work, fingerprint(request)))

    def idempotent(
        self, key: Callable[P, str], *, request: Callable[P, object] | None = None
    ) -> Callable[[Callable[P, Awaitable[R]]], Callable[P, Awaitable[R]]]:
        """`Idempotency.idempotent`, for coroutine functions."""

        def decorate(function: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
            signature = inspect.signature(function)

            @functools.wraps(function)
            async def once(*args: P.args, **kwargs: P.kwargs) -> R:
                asked = _request(signature, request, args, kwargs)
                work = functools.partial(function, *args, **kwargs)
                return await self._driver.run(self._plans.run(key(*args, **kwargs), work, asked))

            return once

        return decorate
