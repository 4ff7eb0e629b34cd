"""The caller itself is interrupted, cancelled, one of many, forked or in another event loop."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from redislua.runtime import arun, arun_many
from tests.faults.forms import KINDS, PATIENT, Form, Kind, opened
from tests.faults.grounds import Ground
from tests.faults.samples import COUNT, beside
from tests.runtime.proxy import Proxy

BLOCKING = [kind for kind in KINDS if not kind.is_async]
ASYNCIO = [kind for kind in KINDS if kind.is_async]

blocking_forms = pytest.mark.parametrize("form", BLOCKING, ids=str, indirect=True)
asyncio_forms = pytest.mark.parametrize("form", ASYNCIO, ids=str, indirect=True)


class Interrupt(BaseException):
    """What Ctrl-C raises, under a name of its own."""


@pytest.fixture
def interrupt() -> Iterator[Callable[[float], None]]:
    """``interrupt(seconds)`` raises `Interrupt` in this thread after so long."""

    def strike(*_: object) -> None:
        raise Interrupt

    before = signal.signal(signal.SIGALRM, strike)
    yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds) and None
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@blocking_forms
def test_an_interrupted_call_leaves_nothing_behind(
    form: Form, ground: Ground, network: Proxy, interrupt: Callable[[float], None]
) -> None:
    """Row 36: it was executed once, and its late reply meets nobody."""
    client = form.open(ground, through=network)
    form.run(client, COUNT)
    network.arm("delay", amount=0.15)
    interrupt(0.05)

    with pytest.raises(Interrupt):
        form.end(client, COUNT, deadline=PATIENT)

    ended = form.end(client, COUNT, deadline=PATIENT)
    assert (ended.own, ended.beside) == (3, form.beside(5, 6))
    time.sleep(0.15)
    assert form.run(client, COUNT) == ground.executions() == 4


async def begun(form: Form, client: Any) -> Any:
    """The call of an asyncio form, as a coroutine."""
    if form.is_alone:
        return await arun(client, COUNT, deadline=PATIENT)
    calls = (beside(), COUNT, beside())
    return await arun_many(client, *calls, atomic=form.is_atomic, deadline=PATIENT)


@asyncio_forms
@pytest.mark.parametrize("how", ["cancel", "wait_for"])
def test_a_cancelled_call_leaves_nothing_behind(
    form: Form, ground: Ground, network: Proxy, how: str
) -> None:
    """Row 37: it was executed once, and its late reply meets nobody."""
    client = form.open(ground, through=network)
    form.run(client, COUNT)
    network.arm("delay", amount=0.15)

    async def cancelled() -> None:
        if how == "wait_for":
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(begun(form, client), 0.05)
            return
        task = asyncio.create_task(begun(form, client))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    form.caller.wait(cancelled())

    ended = form.end(client, COUNT, deadline=PATIENT)
    assert (ended.own, ended.beside) == (3, form.beside(5, 6))
    form.caller.wait(asyncio.sleep(0.15))
    assert form.run(client, COUNT) == ground.executions() == 4


@blocking_forms
def test_threads_share_a_client(form: Form, ground: Ground) -> None:
    """Row 38: sixteen threads, and every reply goes to the caller whose it is."""
    client = form.open(ground)

    with ThreadPoolExecutor(16) as threads:
        replies = list(threads.map(lambda _: form.run(client, COUNT, deadline=PATIENT), range(160)))

    assert sorted(replies) == list(range(1, 161))
    assert ground.executions() == 160


@asyncio_forms
def test_tasks_share_a_client(form: Form, ground: Ground) -> None:
    """Rows 38 and 41: more tasks than redis-py's pool has connections."""
    client = form.open(ground)

    async def crowd() -> list[Any]:
        return await asyncio.gather(*(begun(form, client) for _ in range(90)))

    replies = form.caller.wait(crowd())

    own = [reply if form.is_alone else reply[1] for reply in replies]
    assert sorted(own) == list(range(1, 91))
    assert ground.executions() == 90


def test_a_child_process_calls_on_the_client_of_its_parent(form: Form, ground: Ground) -> None:
    """Row 39: parent and child disturb each other nowhere, before, between and after."""
    client = form.open(ground)
    assert form.run(client, COUNT) == 1

    child = os.fork()
    if child == 0:
        os._exit(_in_child(form.kind, client))

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert form.run(client, COUNT) == ground.executions() == 4


def _in_child(kind: Kind, client: Any) -> int:
    """Two calls; the exit status. The parent's event loop is not the child's to run."""
    try:
        with asyncio.Runner() as runner, opened(kind, runner) as form:
            assert [form.run(client, COUNT) for _ in range(2)] == [2, 3]
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


@blocking_forms
def test_a_client_of_one_connection_survives_a_fork(form: Form, one_server: Ground) -> None:
    """Row 39: redis-py's ``single_connection_client`` crosses replies; its pool does not."""
    client = form.open(one_server, single_connection_client=True)
    assert form.run(client, COUNT) == 1

    child = os.fork()
    if child == 0:
        os._exit(_in_child(form.kind, client))

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert form.run(client, COUNT) == one_server.executions() == 4


@asyncio_forms
def test_a_client_in_a_second_event_loop(form: Form, ground: Ground) -> None:
    """Row 40: each loop has connections of its own, so both work, side by side."""
    client = form.open(ground)
    assert form.run(client, COUNT) == 1

    ended: list[Any] = []

    def elsewhere() -> None:
        ended.append(asyncio.run(begun(form, client)))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()

    assert (ended[0] if form.is_alone else ended[0][1]) == 2
    assert form.run(client, COUNT) == ground.executions() == 3


@pytest.mark.parametrize("connections", [1, 2])
def test_a_small_pool_is_enough_for_many_callers(
    form: Form, ground: Ground, connections: int
) -> None:
    """Row 41: an exhausted pool sends nothing, and is waited for."""
    client = form.open(ground, max_connections=connections)

    if form.kind.is_async:

        async def crowd() -> list[Any]:
            return await asyncio.gather(*(begun(form, client) for _ in range(12)))

        done = form.caller.wait(crowd())
        replies = [one if form.is_alone else one[1] for one in done]
    else:
        with ThreadPoolExecutor(6) as threads:
            replies = list(
                threads.map(lambda _: form.run(client, COUNT, deadline=PATIENT), range(12))
            )

    assert sorted(replies) == list(range(1, 13))
    assert ground.executions() == 12
