"""What a plan may rely on, whichever driver runs it."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import Any

import pytest

from redislua.bindings import cache, limit
from redislua.errors import ScriptError
from redislua.patterns import _background
from redislua.patterns._plan import (
    Plan,
    Stopped,
    ask,
    ask_many,
    do,
    hear,
    pop,
    share,
    sleep,
    spawn,
    stop,
    subscribe,
    unsubscribe,
)
from tests.patterns.stage import Stage

CHANNEL = b"cache:{k}:filled"
ASK = cache.get_or_lock(key="k", owner="a", hold=60_000)
FILL = cache.fill(key="k", owner="a", value=b"v", soft=60_000, hard=60_000)


def test_a_call_gives_its_reply_and_raises_its_error(stage: Stage, client: Any) -> None:
    def plan() -> Plan[list[Any]]:
        found: list[Any] = [(yield from ask(ASK))]
        try:
            yield from ask(limit.gcra(subject="u", limit=11, period=1_000, burst=5))
        except ScriptError as error:
            found.append(error)
        return found

    reply, error = stage.run(plan())

    assert reply == cache.GetOrLockFill()
    assert isinstance(error, limit.BadRateError)


def test_several_calls_of_several_slots_each_have_their_own_outcome(
    stage: Stage, client: Any
) -> None:
    bad = limit.gcra(subject="u", limit=11, period=1_000, burst=5)
    calls = [cache.read(key=f"k{number}") for number in range(20)]

    replies = stage.run(ask_many(bad, *calls))

    assert isinstance(replies[0], limit.BadRateError)
    assert set(replies[1:]) == {cache.ReadMissing()}


def test_what_the_application_gives_may_be_a_coroutine_for_asyncio(stage: Stage) -> None:
    async def later() -> int:
        await asyncio.sleep(0)
        return 7

    assert stage.run(do(lambda: 6)) == 6
    if stage.is_async:
        assert stage.run(do(later)) == 7


def test_what_the_application_raises_comes_to_the_plan(stage: Stage) -> None:
    def plan() -> Plan[str]:
        try:
            yield from do(lambda: 1 // 0)
        except ZeroDivisionError:
            return "caught"
        return "not raised"

    assert stage.run(plan()) == "caught"


# --- waiting --------------------------------------------------------------------------------


def test_what_is_published_after_subscribing_is_heard_even_before_listening(
    stage: Stage, client: Any
) -> None:
    def plan() -> Plan[list[bool]]:
        ear = yield from subscribe(CHANNEL, 5.0)
        assert ear is not None
        yield from ask(ASK)
        yield from ask(FILL)
        found = [(yield from hear(ear, 5.0)), (yield from hear(ear, 0.05))]
        yield from unsubscribe(ear)
        return found

    driver = stage.driver()
    for _ in range(3):  # listening again on a channel that was left
        client.flushall()
        assert stage.run(plan(), driver) == [True, False]


def test_every_listener_of_a_channel_hears(stage: Stage, client: Any) -> None:
    driver = stage.driver()

    def listener(number: int) -> Plan[bool]:
        ear = yield from subscribe(CHANNEL, 5.0)
        assert ear is not None
        heard: bool = yield from hear(ear, 10.0)
        yield from unsubscribe(ear)
        return heard

    def filler() -> Plan[None]:
        yield from sleep(0.5)
        yield from ask(ASK)
        yield from ask(FILL)

    *heard, _ = stage.together(
        *(lambda one=one: driver.run(listener(one)) for one in range(8)),
        lambda: driver.run(filler()),
    )

    assert heard == [True] * 8


def test_who_listens_is_woken_when_the_connection_is_lost(stage: Stage, client: Any) -> None:
    driver = stage.driver()

    def listener() -> Plan[list[bool]]:
        ear = yield from subscribe(CHANNEL, 5.0)
        assert ear is not None
        yield from do(lambda: kill_subscribers(client))
        found = [(yield from hear(ear, 10.0))]
        yield from unsubscribe(ear)
        again = yield from subscribe(CHANNEL, 5.0)
        assert again is not None
        yield from ask(ASK)
        yield from ask(FILL)
        found.append((yield from hear(again, 10.0)))
        yield from unsubscribe(again)
        return found

    assert stage.run(listener(), driver) == [True, True]


def kill_subscribers(client: Any) -> None:
    nodes = client.primaries() if hasattr(client, "primaries") else [client]
    for node in nodes:
        node.execute_command("CLIENT", "KILL", "TYPE", "pubsub")


# --- beside ---------------------------------------------------------------------------------


def test_a_plan_beside_runs_until_it_is_stopped(stage: Stage) -> None:
    beats: list[str] = []

    def heart() -> Plan[None]:
        try:
            while True:
                beats.append("beat")
                yield from sleep(0.01)
        except (Stopped, asyncio.CancelledError):
            beats.append("stopped")
            raise

    def plan() -> Plan[list[str]]:
        background = yield from spawn(heart())
        yield from sleep(0.3)
        yield from stop(background)
        at_the_end = list(beats)
        yield from sleep(0.05)
        return at_the_end

    found = stage.run(plan())

    assert found[:2] == ["beat", "beat"]
    assert found[-1] == "stopped"
    assert beats == found


def test_a_plan_that_is_stopped_before_it_is_due_never_begins(stage: Stage) -> None:
    begun: list[str] = []

    def plan() -> Plan[None]:
        stopped = yield from spawn(do(lambda: begun.append("x")), after=0.2)
        yield from spawn(do(lambda: begun.append("y")), after=0.2)
        yield from stop(stopped)
        yield from sleep(0.5)

    stage.run(plan())

    assert begun == ["y"]


def test_plans_that_are_stopped_before_they_are_due_are_forgotten(stage: Stage) -> None:
    """As the renewals of locks are, a thousand times in the time after which one is due."""
    begun: list[str] = []

    def plan() -> Plan[None]:
        early = yield from spawn(do(lambda: begun.append("early")), after=0.3)
        for _ in range(1_000):
            background = yield from spawn(do(lambda: begun.append("never")), after=60.0)
            yield from stop(background)
        yield from spawn(do(lambda: begun.append("now")), after=0.01)
        yield from sleep(0.6)
        yield from stop(early)

    stage.run(plan())

    assert sorted(begun) == ["early", "now"]
    assert len(_background._clock._due) < 200


def test_what_a_plan_beside_raises_is_logged(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    def plan() -> Plan[None]:
        yield from spawn(do(lambda: 1 // 0))
        yield from sleep(0.2)

    stage.run(plan())

    assert "a background task failed" in caplog.text
    assert "ZeroDivisionError" in caplog.text


# --- one for all ----------------------------------------------------------------------------


def test_many_callers_of_one_key_share_one_run(stage: Stage) -> None:
    driver, runs = stage.driver(), []

    def work() -> Plan[int]:
        runs.append("run")
        yield from sleep(0.5)
        return len(runs)

    found = stage.together(*([lambda: driver.run(share("key", work))] * 20))
    again = stage.run(share("key", work), driver)

    assert found == [1] * 20
    assert again == 2


def test_all_get_what_the_one_raised(stage: Stage) -> None:
    driver, runs = stage.driver(), []

    def work() -> Plan[int]:
        runs.append("run")
        yield from sleep(0.3)
        return 1 // 0

    found = stage.together(*([lambda: driver.run(share("key", work))] * 5))

    assert {type(one) for one in found} == {ZeroDivisionError}
    assert len(runs) == 1


# --- ends -----------------------------------------------------------------------------------


def test_a_cancelled_plan_cleans_up_before_its_task_ends(stage: Stage, client: Any) -> None:
    if not stage.is_async:
        pytest.skip("threads are not cancelled")
    driver, done = stage.driver(), []

    def plan() -> Plan[None]:
        yield from ask(ASK)
        try:
            yield from sleep(60.0)
        finally:
            done.append((yield from ask(FILL)))

    async def cancel() -> bool:
        task = asyncio.get_running_loop().create_task(driver.run(plan()))
        await asyncio.sleep(0.2)
        task.cancel()
        await asyncio.wait((task,))
        return task.cancelled()

    assert stage.surface.wait(cancel())
    assert done == [cache.FillStored()]


def test_one_of_several_that_share_may_be_cancelled(stage: Stage) -> None:
    if not stage.is_async:
        pytest.skip("threads are not cancelled")
    driver = stage.driver()

    def work() -> Plan[str]:
        yield from sleep(0.3)
        return "done"

    async def first_is_cancelled() -> list[Any]:
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(driver.run(share("key", work))) for _ in range(3)]
        await asyncio.sleep(0.1)
        tasks[0].cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    cancelled, *others = stage.surface.wait(first_is_cancelled())

    assert isinstance(cancelled, asyncio.CancelledError)
    assert others == ["done", "done"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_process_listens_and_works_beside_on_its_own(stage: Stage, client: Any) -> None:
    if stage.is_async:
        pytest.skip("an event loop is not taken over a fork")
    driver = stage.driver()

    def round_trip() -> Plan[bool]:
        done = threading.Event()
        ear = yield from subscribe(CHANNEL, 5.0)
        assert ear is not None
        yield from spawn(do(done.set), after=0.01)
        yield from pop(b"{q}", 0.01)
        yield from ask(ASK)
        yield from ask(FILL)
        heard = yield from hear(ear, 5.0)
        yield from unsubscribe(ear)
        return heard and done.wait(5.0)

    assert stage.run(round_trip(), driver)
    client.flushall()
    child = os.fork()
    if child == 0:
        os._exit(0 if driver.run(round_trip()) else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    client.flushall()
    assert stage.run(round_trip(), driver)
