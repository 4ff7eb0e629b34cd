"""A process that is forked while other threads share a connection."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import pytest
import redis

from redislua.runtime import run
from redislua.runtime.pools import pools
from tests.runtime.coalescing.crowd import Sharing, echo, eventually
from tests.runtime.coalescing.gate import Gate

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def in_child(do: Callable[[], bool]) -> bool:
    """Whether something that is done in a forked process ends well."""
    child = os.fork()
    if child == 0:
        well = False
        try:
            well = do()
        finally:
            os._exit(0 if well else 1)
    return os.waitpid(child, 0)[1] == 0


def test_calls_of_a_child_and_of_its_parents_threads_never_meet(
    sharing: Sharing, gate: Gate
) -> None:
    """The child has neither the thread nor the connections; the parent's go on undisturbed."""
    run(sharing.client, echo(0))
    gate.shut()
    written = sharing.begin(echo(1), echo(2))
    queued = [sharing.queue(echo(number)) for number in range(3, 8)]
    assert eventually(lambda: sharing.waiting() == len(queued))

    assert in_child(lambda: run(sharing.client, echo(100)) == b"100")
    gate.open()
    assert written.result() == (b"1", b"2")
    assert [one.result() for one in queued] == [(b"%d" % number,) for number in range(3, 8)]


def test_a_crowd_in_a_child_shares_a_connection_of_its_own(sharing: Sharing, gate: Gate) -> None:
    run(sharing.client, echo(0))
    gate.shut()
    written = sharing.begin(echo(1))

    def crowd() -> bool:
        replies: list[bytes] = []
        threads = [
            threading.Thread(
                target=lambda one: replies.append(run(sharing.client, one)), args=(call,)
            )
            for call in [echo(number) for number in range(100, 120)]
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sorted(replies) == [b"%d" % number for number in range(100, 120)]

    assert in_child(crowd)
    gate.open()
    assert written.result() == (b"1",)


def test_a_lock_that_another_thread_holds_at_the_fork_stops_no_child(
    sharing: Sharing, gate: Gate
) -> None:
    pool = sharing.pool
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with pools._lock, pool._lock, pool._coalescer.lock:
            held.set()
            let_go.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()

    def call_and_close() -> bool:
        reply: bytes = run(sharing.client, echo(1))
        pool.close()
        another = redis.Redis(host="127.0.0.1", port=gate.port)
        return reply == b"1" and run(another, echo(2)) == b"2"

    assert in_child(call_and_close)
    let_go.set()
    thread.join()
