"""Workers whose server comes and goes, behind a network that loses and cuts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis

from redislua.patterns import _worker
from redislua.patterns._plan import Plan, do, sleep
from redislua.patterns.delayed_queue import AsyncDelayedQueue, DelayedQueue, Job
from tests.patterns.stage import Stage
from tests.patterns.workers import Handler, beside, fill, until
from tests.runtime.proxy import Fault, Proxy

HOUR = timedelta(hours=1)

Make = Callable[..., Any]


@pytest.fixture
def make(stage: Stage, client: Any) -> Make:
    """``make()`` is a queue of the surface's kind on an empty server."""
    return lambda **options: stage.make(DelayedQueue, AsyncDelayedQueue, "q", **options)


@pytest.fixture
def faulty(stage: Stage, client: Any, proxy: Proxy) -> Iterator[Any]:
    """``faulty(deadline=...)`` is a queue behind a faulty network."""
    if stage.surface.way.is_cluster:
        pytest.skip("the proxy stands before one server")
    kind, package = (AsyncDelayedQueue, redis.asyncio) if stage.is_async else (DelayedQueue, redis)
    opened: Any = package.Redis.from_url(proxy.url)
    yield lambda **options: kind(opened, "q", **options)
    stage.call(opened.aclose if stage.is_async else opened.close)


@pytest.mark.parametrize("fault", ["drop_reply", "reset", "blackhole"])
def test_jobs_are_done_once_whatever_reply_is_lost(
    stage: Stage, make: Make, faulty: Any, proxy: Proxy, fault: Any
) -> None:
    """P26: what was claimed although the reply was lost is found by the same receipt."""
    fill(stage, make(), 40)
    queue, work = faulty(deadline=0.2, lease=HOUR), Handler(stage)
    proxy.storm(Fault(fault), rate=0.1, seed=1)

    beside(stage, until(lambda: len(work.ended) >= 40), queue.worker(work, concurrency=3))

    assert proxy.met > 2
    assert sorted(job.value for job in work.ended) == list(range(40))
    counts = stage.call(make().counts)
    assert (counts.due, counts.in_flight, counts.dead) == (0, 0, 0)


def test_a_worker_waits_for_its_server(
    stage: Stage, make: Make, faulty: Any, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    queue, work = faulty(deadline=0.3), Handler(stage)
    proxy.storm(Fault("reset"), rate=1.0, seed=1)

    def script() -> Plan[None]:
        yield from until(lambda: "can be claimed" in caplog.text)
        yield from do(lambda: make().schedule("v"))
        proxy.calm()
        yield from until(lambda: work.ended)

    beside(stage, script(), queue.worker(work))


def test_the_end_of_a_job_is_said_once_the_server_can_be_told(
    stage: Stage, make: Make, faulty: Any, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_worker, "POLL", 0.1)
    queue, ended = faulty(deadline=0.3), list[Any]()

    def handler(job: Job[Any]) -> None:
        ended.append(job)
        proxy.storm(Fault("reset"), rate=1.0, seed=1)

    def script() -> Plan[None]:
        yield from until(lambda: ended)
        yield from sleep(0.5)
        proxy.calm()
        for _ in range(100):
            if (yield from do(make().counts)).in_flight == 0:
                return
            yield from sleep(0.1)

    fill(stage, make(), 1)
    beside(stage, script(), queue.worker(handler))

    counts = stage.call(make().counts)
    assert (counts.due, counts.in_flight, len(ended)) == (0, 0, 1)
