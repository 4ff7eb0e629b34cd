"""`Worker` and `AsyncWorker`: waking, leases, stopping, and a server that comes and goes."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from redislua.bindings import queue as scripts
from redislua.patterns import _plan, _worker
from redislua.patterns._plan import Plan, do, sleep
from redislua.patterns.delayed_queue import AsyncDelayedQueue, DelayedQueue, Job
from redislua.runtime import run
from tests.patterns.stage import Stage
from tests.patterns.workers import Handler, beside, fill, until

ms = timedelta(milliseconds=1)
HOUR = timedelta(hours=1)
PATIENCE = 30.0

Make = Callable[..., Any]


@pytest.fixture
def make(stage: Stage, client: Any) -> Make:
    """``make(lease=...)`` is a queue of the surface's kind on an empty server."""
    return lambda **options: stage.make(DelayedQueue, AsyncDelayedQueue, "q", **options)


# --- many at once -------------------------------------------------------------------------------


def test_each_of_many_jobs_is_done_once_by_one_of_several_workers(stage: Stage, make: Make) -> None:
    queues, work = [make() for _ in range(3)], Handler(stage)
    fill(stage, queues[0], 120)
    workers = [queue.worker(work, concurrency=4) for queue in queues]

    beside(stage, until(lambda: len(work.ended) >= 120), *workers)

    assert sorted(job.value for job in work.ended) == list(range(120))
    assert {job.attempt for job in work.ended} == {1}
    counts = stage.call(queues[0].counts)
    assert (counts.due, counts.in_flight, counts.dead) == (0, 0, 0)


def test_a_worker_does_as_many_jobs_at_once_as_it_may(stage: Stage, make: Make) -> None:
    queue, work = make(), Handler(stage, 0.05)
    fill(stage, queue, 12)
    worker = queue.worker(work, concurrency=3)

    stage.call(lambda: worker.run(until_empty=True))

    assert work.most == 3
    assert len(work.ended) == 12
    assert not any(job.is_held for job in work.ended)


def test_a_worker_runs_once_at_a_time(stage: Stage, make: Make) -> None:
    worker = make().worker(Handler(stage))

    def script() -> Plan[None]:
        yield from sleep(0.2)
        with pytest.raises(RuntimeError, match="runs already"):
            yield from do(worker.run)

    beside(stage, script(), worker)


# --- waking -------------------------------------------------------------------------------------


def test_an_idle_worker_is_woken_by_a_job(stage: Stage, make: Make) -> None:
    """It would look again in half a minute."""
    queue, work = make(), Handler(stage)
    took: list[float] = []

    def script() -> Plan[None]:
        yield from sleep(0.5)
        for number in range(3):
            began = time.monotonic()
            yield from do(lambda: queue.schedule("v"))
            yield from until(lambda: len(work.ended) > number)  # noqa: B023
            took.append(time.monotonic() - began)

    beside(stage, script(), queue.worker(work))

    assert max(took) < _worker.IDLE / 2


def test_a_job_that_comes_before_the_one_that_is_waited_for_wakes_the_worker(
    stage: Stage, make: Make
) -> None:
    queue, work = make(), Handler(stage)
    stage.call(partial(queue.schedule, "last", id="last", delay=HOUR))

    def script() -> Plan[None]:
        yield from sleep(0.3)
        yield from do(lambda: queue.schedule("second", id="second", delay=400 * ms))
        yield from do(lambda: queue.schedule("first", id="first"))
        yield from until(lambda: len(work.ended) == 2)

    beside(stage, script(), queue.worker(work))

    assert work.began == ["first", "second"]


@pytest.mark.single_server("the calls of one server are counted")
def test_an_idle_worker_does_not_poll(stage: Stage, make: Make, client: Any) -> None:
    def calls() -> int:
        found = client.info("commandstats").get("cmdstat_evalsha", {"calls": 0})
        return int(found["calls"])

    queue, counted = make(), list[int]()
    stage.call(partial(queue.schedule, "v", delay=HOUR))

    def script() -> Plan[None]:
        yield from sleep(0.5)
        counted.append(calls())
        yield from sleep(1.0)
        counted.append(calls())

    beside(stage, script(), queue.worker(Handler(stage)))

    assert counted[1] - counted[0] <= 1


# --- leases -------------------------------------------------------------------------------------


def test_work_that_takes_longer_than_its_lease_is_done_once(stage: Stage, make: Make) -> None:
    """Leases are renewed beside the work."""
    queues, work = [make(lease=600 * ms) for _ in range(2)], Handler(stage, 1.5)
    fill(stage, queues[0], 2)
    workers = [queue.worker(work, concurrency=2) for queue in queues]

    beside(stage, until(lambda: len(work.ended) >= 2), *workers)

    assert sorted(work.began) == ["j000", "j001"]
    assert {job.attempt for job in work.ended} == {1}


def test_the_jobs_of_a_worker_that_died_are_done_by_another(stage: Stage, make: Make) -> None:
    queue, work = make(), Handler(stage)
    fill(stage, queue, 1)
    stage.surface.call(scripts.claim(name="q", receipt="dead", lease=300))

    beside(stage, until(lambda: work.ended), queue.worker(work))

    assert [job.attempt for job in work.ended] == [2]


def test_a_job_that_another_has_taken_is_no_longer_held(
    stage: Stage, make: Make, client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    queue, held = make(lease=300 * ms), list[bool]()

    def handler(job: Job[Any]) -> Any:
        held.append(job.is_held)
        replaced = scripts.schedule(name="q", id=job.id, payload=b"1", mode="replace", delay=HOUR)
        run(client, replaced)
        return later(job) if stage.is_async else finish(job)

    def finish(job: Job[Any]) -> None:
        for _ in range(300):
            time.sleep(0.01)
            if not job.is_held:
                break
        held.append(job.is_held)

    async def later(job: Job[Any]) -> None:
        await asyncio.to_thread(finish, job)

    fill(stage, queue, 1)
    worker = queue.worker(handler)
    stage.call(lambda: worker.run(until_empty=True))

    assert held == [True, False]
    assert "no longer this worker's" in caplog.text
    assert "went to another worker" in caplog.text
    assert stage.call(queue.counts).due == 1


def test_after_the_work_nothing_is_renewed(stage: Stage, make: Make, client: Any) -> None:
    queue, work = make(lease=300 * ms), Handler(stage, 0.2)
    fill(stage, queue, 1)
    worker = queue.worker(work)
    before = set(threading.enumerate())

    stage.call(lambda: worker.run(until_empty=True))

    if stage.is_async:
        assert stage.surface.wait(others()) == []
    else:
        beside_us = {one for one in threading.enumerate() if "clock" not in one.name} - before
        for thread in beside_us:
            thread.join(PATIENCE)
            assert not thread.is_alive()


async def others() -> list[asyncio.Task[Any]]:
    """Tasks of plans that still run."""
    await asyncio.sleep(0.05)
    found = asyncio.all_tasks() - {asyncio.current_task()}
    return [task for task in found if "_beside" in repr(task)]


# --- stopping -----------------------------------------------------------------------------------


def test_a_worker_that_is_stopped_ends_what_it_has_begun_and_leaves_the_rest(
    stage: Stage, make: Make
) -> None:
    queue, work = make(), Handler(stage, 0.5)
    fill(stage, queue, 5)

    beside(stage, until(lambda: len(work.began) == 2), queue.worker(work, concurrency=2))

    assert len(work.ended) == 2
    counts = stage.call(queue.counts)
    assert (counts.ready, counts.in_flight, counts.dead) == (3, 0, 0)


def test_a_worker_that_was_stopped_before_does_nothing(stage: Stage, make: Make) -> None:
    queue, work = make(), Handler(stage)
    fill(stage, queue, 1)
    worker = queue.worker(work)
    worker.stop()

    stage.call(worker.run)

    assert work.began == []


def test_the_jobs_of_a_cancelled_worker_go_to_the_next_at_once(stage: Stage, make: Make) -> None:
    if not stage.is_async:
        pytest.skip("threads are not cancelled")
    queue, slow, quick = make(lease=HOUR), Handler(stage, 60.0), Handler(stage)
    fill(stage, queue, 3)

    async def cancel() -> bool:
        running = queue.worker(slow, concurrency=2).run()
        task = asyncio.get_running_loop().create_task(running)
        await asyncio.sleep(0.3)
        task.cancel()
        await asyncio.wait((task,))
        await queue.worker(quick).run(until_empty=True)
        return task.cancelled()

    assert stage.surface.wait(cancel())
    assert len(slow.began) == 2
    assert [(job.id, job.attempt) for job in sorted(quick.ended, key=lambda job: job.id)] == [
        ("j000", 2),
        ("j001", 2),
        ("j002", 1),
    ]


def test_what_was_claimed_and_not_begun_when_it_was_cancelled_is_given_back(
    stage: Stage, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not stage.is_async:
        pytest.skip("threads are not cancelled")
    queue, work = make(lease=HOUR), Handler(stage)
    fill(stage, queue, 2)
    driver_spawn = _plan.spawn

    def never(plan: Plan[Any], after: float = 0.0) -> Plan[Any]:
        return driver_spawn(plan, after=after or 60.0)

    monkeypatch.setattr(_worker, "spawn", never)

    async def cancel() -> None:
        running = queue.worker(work, concurrency=2).run()
        task = asyncio.get_running_loop().create_task(running)
        await asyncio.sleep(0.3)
        task.cancel()
        await asyncio.wait((task,))

    stage.surface.wait(cancel())

    assert work.began == []
    counts = stage.call(queue.counts)
    assert (counts.ready, counts.in_flight) == (2, 0)
    assert stage.surface.wait(others()) == []


@pytest.mark.parametrize("how", ["handler", "interrupt"])
def test_a_signal_stops_a_worker_after_its_jobs(stage: Stage, make: Make, how: str) -> None:
    """SIGTERM by a handler that the application sets, Ctrl-C by itself."""
    if stage.is_async or threading.current_thread() is not threading.main_thread():
        pytest.skip("signals come to the main thread")
    queue, work = make(), Handler(stage, 0.5)
    fill(stage, queue, 3)
    worker = queue.worker(work)
    before = signal.signal(signal.SIGUSR1, lambda *_: worker.stop())
    sent = signal.SIGUSR1 if how == "handler" else signal.SIGINT
    main = threading.main_thread().ident
    assert main is not None
    timer = threading.Timer(0.2, lambda: signal.pthread_kill(main, sent))
    timer.start()

    try:
        if how == "handler":
            worker.run()
        else:
            with pytest.raises(KeyboardInterrupt):
                worker.run()
    finally:
        timer.join()
        signal.signal(signal.SIGUSR1, before)

    assert len(work.began) == len(work.ended) == 1
    counts = stage.call(queue.counts)
    assert (counts.ready, counts.in_flight) == (2, 0)
