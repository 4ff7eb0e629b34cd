"""What a pattern does, without I/O: plans, and the steps that they ask of a driver.

A method of a pattern is a generator. It yields a step, a driver does it
(`redislua.patterns._blocking.Driver` for threads, `redislua.patterns._aio.AsyncDriver` for
asyncio) and sends its result back, or throws what it raised into the plan. So each pattern is
written once, and its blocking and its asyncio class differ in the driver alone.

Plans take the steps by ``yield from`` the functions below, which carry the types:

    reply = yield from ask(lock.acquire(...))

A plan that holds something gives it back in ``except BaseException`` or ``finally``. Both are
also reached when a task is cancelled or a thread interrupted, and steps work in them: a driver
ends such a plan before it passes the cancellation on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from redislua.runtime import Call

__all__ = [
    "Ask",
    "AskMany",
    "Background",
    "Do",
    "Ear",
    "Hear",
    "Plan",
    "Pop",
    "Share",
    "Sleep",
    "Spawn",
    "Step",
    "Stop",
    "Stopped",
    "Subscribe",
    "Unsubscribe",
    "ask",
    "ask_many",
    "do",
    "hear",
    "pop",
    "share",
    "sleep",
    "spawn",
    "stop",
    "subscribe",
    "unsubscribe",
]

T = TypeVar("T")


Ear: TypeAlias = Any
"""A subscription to one channel, each driver's own. Messages since the last `Hear` are one."""

Background: TypeAlias = Any
"""A plan that runs beside the one that spawned it, each driver's own."""


@dataclass(slots=True, frozen=True)
class Ask:
    """Run one call: its reply, or the `CallError` that it raises.

    Attributes:
        call: The call.
        seconds: What it may take, where not as long as the pattern's deadline says.
    """

    call: Call[Any]
    seconds: float | None = None


@dataclass(slots=True, frozen=True)
class AskMany:
    """Run several calls in as few writes as may be: a tuple of replies and `CallError`s.

    Attributes:
        calls: The calls, of any slots.
        seconds: What all may take, where not as long as the pattern's deadline says.
    """

    calls: tuple[Call[Any], ...]
    seconds: float | None = None


@dataclass(slots=True, frozen=True)
class Sleep:
    """Wait.

    Attributes:
        seconds: How long.
    """

    seconds: float


@dataclass(slots=True, frozen=True)
class Do:
    """Call a function of the application: what it returns, awaited where that can be.

    Attributes:
        function: Without arguments. For asyncio it may return an awaitable.
    """

    function: Callable[[], Any]


@dataclass(slots=True, frozen=True)
class Pop:
    """Wait at the end of a queue for one element of a list: the element, or None.

    Waiters of one list are served in the order in which they came (BLPOP). The wait has a
    connection to itself.

    Attributes:
        key: The list.
        seconds: How long to wait at most.
        taken: Gets the element, also when the wait was cancelled in the moment in which it
            came: who was to have it can still hand it on.
    """

    key: bytes
    seconds: float
    taken: list[bytes] = field(default_factory=list, compare=False)


@dataclass(slots=True, frozen=True)
class Subscribe:
    """Listen to a sharded channel: an `Ear` once the server says so, or None if it cannot be.

    Whoever waits for a change subscribes, looks whether it has happened already, and only
    then hears: what is published in between is not missed.

    Attributes:
        channel: Its name.
        seconds: How long subscribing may take.
    """

    channel: bytes
    seconds: float


@dataclass(slots=True, frozen=True)
class Hear:
    """Wait for a message: True when one came since the last time, or when the connection was
    lost, so that one may have been missed.

    Attributes:
        ear: What `Subscribe` gave.
        seconds: How long to wait at most.
    """

    ear: Ear
    seconds: float


@dataclass(slots=True, frozen=True)
class Unsubscribe:
    """Stop listening.

    Attributes:
        ear: What `Subscribe` gave.
    """

    ear: Ear


@dataclass(slots=True, frozen=True)
class Spawn:
    """Run a plan beside this one: a `Background`. What it raises is logged.

    Attributes:
        plan: The plan.
        after: Seconds before it begins: one that is stopped earlier costs next to nothing.
    """

    plan: Plan[Any]
    after: float = 0.0


@dataclass(slots=True, frozen=True)
class Stop:
    """Stop a background plan, and wait until it has ended.

    It gets `Stopped` (of asyncio a cancellation) where it sleeps, hears or pops. A plan that
    stops itself does not wait.

    Attributes:
        background: What `Spawn` gave.
    """

    background: Background


@dataclass(slots=True, frozen=True)
class Share:
    """Run a plan, or wait for the one that another caller in this process runs for this key.

    All get its result, or what it raised. One caller's cancellation does not end it for the
    others.

    Attributes:
        key: What is run; begin it with the object whose it is.
        plan: Makes the plan, for the caller that runs it.
    """

    key: Hashable
    plan: Callable[[], Plan[Any]]


class Stopped(BaseException):
    """Thrown into a background plan that is to end. Not an `Exception`, like a cancellation."""


Step: TypeAlias = (
    Ask | AskMany | Sleep | Do | Pop | Subscribe | Hear | Unsubscribe | Spawn | Stop | Share
)

Plan: TypeAlias = Generator[Step, Any, T]
"""A method of a pattern; T is what it returns."""


def ask(call: Call[T], seconds: float | None = None) -> Plan[T]:
    """`Ask`."""
    reply: T = yield Ask(call, seconds)
    return reply


def ask_many(*calls: Call[Any], seconds: float | None = None) -> Plan[tuple[Any, ...]]:
    """`AskMany`."""
    replies: tuple[Any, ...] = yield AskMany(calls, seconds)
    return replies


def sleep(seconds: float) -> Plan[None]:
    """`Sleep`."""
    yield Sleep(seconds)


def do(function: Callable[[], Awaitable[T] | T]) -> Plan[T]:
    """`Do`."""
    result: T = yield Do(function)
    return result


def pop(key: bytes, seconds: float, taken: list[bytes] | None = None) -> Plan[bytes | None]:
    """`Pop`."""
    element: bytes | None = yield Pop(key, seconds, [] if taken is None else taken)
    return element


def subscribe(channel: bytes, seconds: float) -> Plan[Ear | None]:
    """`Subscribe`."""
    ear: Ear | None = yield Subscribe(channel, seconds)
    return ear


def hear(ear: Ear, seconds: float) -> Plan[bool]:
    """`Hear`."""
    heard: bool = yield Hear(ear, seconds)
    return heard


def unsubscribe(ear: Ear) -> Plan[None]:
    """`Unsubscribe`."""
    yield Unsubscribe(ear)


def spawn(plan: Plan[Any], after: float = 0.0) -> Plan[Background]:
    """`Spawn`."""
    background: Background = yield Spawn(plan, after)
    return background


def stop(background: Background) -> Plan[None]:
    """`Stop`."""
    yield Stop(background)


def share(key: Hashable, plan: Callable[[], Plan[T]]) -> Plan[T]:
    """`Share`."""
    result: T = yield Share(key, plan)
    return result
