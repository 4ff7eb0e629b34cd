"""The thread that writes for many: it may not start, and what it waits for may not come."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis

from redislua.errors import NotExecuted
from redislua.runtime import run
from redislua.runtime.connections.threads import PATIENCE
from tests.runtime.coalescing.crowd import Sharing, echo, eventually
from tests.runtime.coalescing.gate import Gate
from tests.runtime.samples import incr

NO_THREAD = "can't start new thread"

REPLY = b"$1\r\n1\r\n"

STARTED = threading.Thread.start


@pytest.fixture
def on_start(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """``on_start(do)`` has ``do()`` run before a thread of the package starts."""

    def order(do: Callable[[], None]) -> None:
        def start(thread: threading.Thread) -> None:
            if thread.name == "redislua":
                do()
            STARTED(thread)

        monkeypatch.setattr(threading.Thread, "start", start)

    return order


def refuse() -> None:
    """What Python says where the system has no thread left."""
    raise RuntimeError(NO_THREAD)


def test_a_call_queued_while_the_thread_of_another_fails_to_start_is_executed(
    sharing: Sharing, on_start: Any
) -> None:
    """The one was told that there is a thread; a moment later there is none."""
    begun, failed = threading.Event(), threading.Event()

    def fail_once() -> None:
        if not begun.is_set():
            begun.set()
            failed.wait()
            refuse()

    on_start(fail_once)
    first = sharing.queue(echo(1), deadline=0.02)  # no time to be tried again
    begun.wait()
    second = sharing.queue(echo(2), deadline=3)
    assert eventually(lambda: sharing.waiting() == 2)
    failed.set()

    assert isinstance(first.result()[0], NotExecuted)
    assert second.result() == (b"2",)


class _Slow:
    """The queue's lock: after its first release nothing happens in that thread for a while."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self.released, self.go_on = threading.Event(), threading.Event()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *exc: object) -> None:
        self._lock.release()
        if not self.released.is_set():
            self.released.set()
            self.go_on.wait()


def test_a_call_whose_own_thread_did_not_start_is_never_sent_twice(
    sharing: Sharing, client: redis.Redis, on_start: Any
) -> None:
    """Another caller's thread starts, and takes the call along, before it can be withdrawn."""
    lock: Any = _Slow()
    sharing.pool._coalescer.lock = lock
    failures = [RuntimeError(NO_THREAD)]

    def fail_once() -> None:
        if failures:
            raise failures.pop()

    on_start(fail_once)
    first = sharing.queue(incr("never"))
    lock.released.wait()
    # Until the first is told: it is executed now, or later when it is tried again.
    assert sharing.queue(echo(1)).result() == (b"1",)
    lock.go_on.set()

    assert first.result() == (1,)
    assert client.get("{sample}") == b"1"


def test_a_call_that_waits_while_no_thread_can_be_started_is_executed_when_one_can(
    sharing: Sharing, gate: Gate, on_start: Any
) -> None:
    """Those before it are silent, so it goes on elsewhere: as soon as there is a thread for it."""
    run(sharing.client, echo(0))
    gate.shut()
    before = sharing.begin(echo(1))
    refused = threading.Semaphore(0)

    def fail_twice() -> None:
        if failures:
            refused.release()
            raise failures.pop()

    failures = [RuntimeError(NO_THREAD), RuntimeError(NO_THREAD)]
    on_start(fail_twice)
    waiting = sharing.queue(echo(2))

    assert waiting.result() == (b"2",)
    assert refused.acquire(blocking=False)
    assert refused.acquire(blocking=False)
    assert not before.done()


def test_looking_the_server_up_again_while_no_thread_can_be_started_fails_no_call(
    sharing: Sharing, gate: Gate, on_start: Any
) -> None:
    run(sharing.client, echo(0))
    gate.shut()
    before = sharing.begin(echo(1))
    waiting = sharing.queue(echo(2))
    assert eventually(lambda: sharing.waiting() == 1)
    failures = [RuntimeError(NO_THREAD)]

    def fail_once() -> None:
        if failures:
            raise failures.pop()

    on_start(fail_once)
    sharing.pool.renew()

    assert waiting.result() == (b"2",)
    assert not failures
    assert not before.done()


def test_a_lone_call_behind_a_write_that_falls_silent_later_goes_on_another_connection(
    sharing: Sharing, gate: Gate
) -> None:
    """When it first looks replies still come; soon after none comes any more."""
    run(sharing.client, echo(0))
    gate.shut()
    flowing = sharing.begin(echo(1))
    silent = [sharing.queue(echo(n)) for n in (2, 3)]  # in one write
    assert eventually(lambda: sharing.waiting() == 2 and gate.kept == 2 * len(REPLY))
    gate.leak(len(REPLY))
    assert flowing.result() == (b"1",)
    lone = sharing.queue(echo(4), deadline=3)
    assert eventually(lambda: sharing.waiting() == 1)
    time.sleep(PATIENCE / 2)
    assert eventually(lambda: gate.kept == 3 * len(REPLY))
    gate.leak(len(REPLY))

    assert lone.result() == (b"4",)
    assert sum(one.done() for one in silent) == 1
