"""`Idempotency` and `AsyncIdempotency`: work that is done once, whatever happens to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from redislua.bindings import idempotency as scripts
from redislua.errors import CallError, InvalidArgumentType, InvalidArgumentValue
from redislua.patterns import _idempotency
from redislua.patterns.codecs import BYTES
from redislua.patterns.idempotency import (
    AsyncIdempotency,
    Idempotency,
    InProgress,
    KeyReused,
    ResponseLost,
    WorkFailed,
)
from redislua.runtime import run
from tests.patterns.stage import Stage
from tests.patterns.work import Declined, Work

ms = timedelta(milliseconds=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def make(stage: Stage, client: Any) -> Callable[..., Any]:
    """``make(hold=...)`` is a set of keys of the surface's kind on an empty server."""
    return lambda **options: stage.make(Idempotency, AsyncIdempotency, **options)


def key_of(name: str = "k") -> bytes:
    return scripts.begin_keys(key=name).request


# --- one after the other ------------------------------------------------------------------------


def test_work_is_done_once_and_its_response_repeated(stage: Stage, make: Any) -> None:
    keys, work = make(), Work(stage, {"receipt": 7, "lines": [None, "é"]})

    found = [stage.call(lambda: keys.run("k", work)) for _ in range(3)]

    assert found == [{"receipt": 7, "lines": [None, "é"]}] * 3
    assert work.done == 1


def test_keys_and_namespaces_do_not_know_of_each_other(stage: Stage, make: Any) -> None:
    work = Work(stage)
    for keys in (make(), make(namespace="shop")):
        for name in ("a", "b"):
            stage.call(partial(keys.run, name, work))

    assert work.done == 4


def test_a_response_is_what_the_codec_makes_of_it(stage: Stage, make: Any) -> None:
    keys, work = make(codec=BYTES), Work(stage, b"\x00\xff")

    assert [stage.call(lambda: keys.run("k", work)) for _ in range(2)] == [b"\x00\xff"] * 2


def test_another_request_under_the_same_key_is_refused(stage: Stage, make: Any) -> None:
    keys, work = make(), Work(stage)
    stage.call(lambda: keys.run("k", work, request={"a": 1, "b": [2]}))

    assert stage.call(lambda: keys.run("k", work, request={"b": [2], "a": 1})) == "done"
    for other in ({"a": 1}, None, "", 1):
        with pytest.raises(KeyReused) as caught:
            stage.call(partial(keys.run, "k", work, request=other))
        assert caught.value.key == "k"
    assert work.done == 1


def test_a_response_is_repeated_for_its_ttl(stage: Stage, make: Any, client: Any) -> None:
    keys, work = make(ttl=timedelta(hours=1)), Work(stage)
    stage.call(lambda: keys.run("k", work))

    assert 3_500_000 < client.pttl(key_of()) <= 3_600_000
    client.delete(key_of())
    stage.call(lambda: keys.run("k", work))
    assert work.done == 2


# --- failures -----------------------------------------------------------------------------------


def test_work_that_raises_is_tried_again(stage: Stage, make: Any) -> None:
    keys, bad, good = make(), Work(stage, Declined("no")), Work(stage)

    for _ in range(2):
        with pytest.raises(Declined):
            stage.call(lambda: keys.run("k", bad))
    assert stage.call(lambda: keys.run("k", good)) == "done"
    assert stage.call(lambda: keys.run("k", bad)) == "done"
    assert (bad.done, good.done) == (2, 1)


@pytest.mark.parametrize("words", ["no funds", "é" * 9_000, "\x00" * 9_000, ""])
def test_a_failure_for_good_is_repeated(stage: Stage, make: Any, words: str) -> None:
    keys, work = make(final=(Declined,)), Work(stage, Declined(words))

    with pytest.raises(Declined):
        stage.call(lambda: keys.run("k", work))
    for _ in range(2):
        with pytest.raises(WorkFailed) as caught:
            stage.call(lambda: keys.run("k", work))
        assert (caught.value.key, caught.value.kind) == ("k", "Declined")
        assert words.startswith(caught.value.message)
        assert len(caught.value.message) >= min(len(words), 300)
    assert work.done == 1


def test_a_failure_that_something_else_has_stored_is_a_failure(
    stage: Stage, make: Any, client: Any
) -> None:
    for number, response in enumerate((None, b"\xff", b"[]", b"{}")):
        name, owner = f"k{number}", "a"
        request = _idempotency.fingerprint(None)
        stage.surface.call(
            scripts.begin(key=name, owner=owner, hold=1_000, ttl=1_000, fingerprint=request)
        )
        stage.surface.call(scripts.fail(key=name, owner=owner, mode="final", response=response))
        with pytest.raises(WorkFailed):
            stage.call(partial(make().run, name, Work(stage)))


@pytest.mark.parametrize("value", [object(), "x" * 300_000, float("nan")])
def test_work_whose_response_cannot_be_stored_is_not_done_again(
    stage: Stage, make: Any, value: Any
) -> None:
    """The one who did it has its value; nobody else is to do it."""
    keys, work = make(), Work(stage, value)

    assert stage.call(lambda: keys.run("k", work)) is value
    with pytest.raises(ResponseLost) as caught:
        stage.call(lambda: keys.run("k", work))
    assert caught.value.key == "k"
    assert caught.value.reason
    assert work.done == 1


@pytest.mark.single_server("maxmemory is one server's")
def test_work_that_ends_on_a_full_server_is_not_done_again(
    stage: Stage, make: Any, client: Any
) -> None:
    before: Any = client.config_get("maxmemory*")
    keys, done = make(), []

    def work() -> str:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", 1)
        done.append(1)
        return "done"

    try:
        assert stage.call(lambda: keys.run("k", work)) == "done"
    finally:
        for name in ("maxmemory", "maxmemory-policy"):
            client.config_set(name, before[name])
    with pytest.raises(ResponseLost):
        stage.call(lambda: keys.run("k", work))
    assert done == [1]


# --- at the same time ---------------------------------------------------------------------------


def test_of_many_callers_one_works_and_all_get_its_response(stage: Stage, make: Any) -> None:
    several, work = [make(wait=MINUTE) for _ in range(4)], Work(stage, seconds=0.3)
    began = time.monotonic()

    found = stage.together(*[lambda keys=keys: keys.run("k", work) for keys in several * 5])

    assert found == ["done"] * 20
    assert work.done == 1
    assert time.monotonic() - began < 20  # woken, and not when the hold of 30 s had ended


def test_who_does_not_wait_is_told_that_somebody_works(stage: Stage, make: Any) -> None:
    keys, work = make(), Work(stage, seconds=0.3)

    found = stage.together(*[lambda: keys.run("k", work)] * 5)

    refused = [one for one in found if isinstance(one, InProgress)]
    assert found.count("done") == work.done == 1
    assert len(refused) == 4
    assert all(0 * ms < one.retry_after <= timedelta(seconds=30) for one in refused)


def test_who_waits_too_long_is_told_so(stage: Stage, make: Any) -> None:
    keys, work = make(wait=100 * ms), Work(stage, seconds=0.5)

    found = stage.together(*[lambda: keys.run("k", work)] * 2)

    assert [type(one) for one in found if one != "done"] == [InProgress]
    assert work.done == 1


def test_when_the_one_that_works_fails_the_next_takes_its_turn(stage: Stage, make: Any) -> None:
    """At once: the hold is a minute."""
    keys = make(wait=timedelta(minutes=2), hold=MINUTE)
    bad, good = Work(stage, Declined(), seconds=0.3), Work(stage)
    began = time.monotonic()

    def second() -> Any:
        bad.began.wait(10)
        return keys.run("k", good)

    async def later() -> Any:
        await asyncio.sleep(0.1)
        return await keys.run("k", good)

    found = stage.together(lambda: keys.run("k", bad), later if stage.is_async else second)

    assert isinstance(found[0], Declined)
    assert found[1] == "done"
    assert time.monotonic() - began < 30


# --- callers that die, and holds ----------------------------------------------------------------


def test_the_work_of_a_caller_that_died_is_taken_over(stage: Stage, make: Any, client: Any) -> None:
    keys, work = make(wait=MINUTE), Work(stage)
    request = _idempotency.fingerprint(None)
    died = scripts.begin(key="k", owner="dead", hold=300, ttl=60_000, fingerprint=request)
    stage.surface.call(died)

    assert stage.call(lambda: keys.run("k", work)) == "done"


def test_work_that_takes_longer_than_its_hold_is_not_taken_over(stage: Stage, make: Any) -> None:
    """The hold is renewed beside the work."""
    keys, work = make(hold=400 * ms, wait=MINUTE), Work(stage, seconds=1.0)

    found = stage.together(*[lambda: keys.run("k", work)] * 4)

    assert found == ["done"] * 4
    assert work.done == 1


def test_after_the_work_nothing_is_renewed(stage: Stage, make: Any, client: Any) -> None:
    keys = make(hold=30 * ms)
    stage.call(lambda: keys.run("k", Work(stage, seconds=0.1)))
    client.hset(key_of(), mapping={"s": "running", "l": 1})
    time.sleep(0.1)

    assert client.hget(key_of(), "l") in (b"1", "1")


def test_work_that_was_taken_over_is_said_so_and_keeps_its_value(
    stage: Stage, make: Any, client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    keys = make()
    request = _idempotency.fingerprint(None)

    def work() -> str:
        client.hset(key_of(), "l", 1)
        other = scripts.begin(key="k", owner="b", hold=9_000, ttl=9_000, fingerprint=request)
        run(client, other)
        run(client, scripts.complete(key="k", owner="b", response=b'"theirs"', ttl=9_000))
        return "mine"

    assert stage.call(lambda: keys.run("k", work)) == "mine"
    assert "taken over" in caplog.text
    assert stage.call(lambda: keys.run("k", work)) == "theirs"


def test_a_task_that_is_cancelled_gives_the_key_back(stage: Stage, make: Any) -> None:
    if not stage.is_async:
        pytest.skip("threads are not cancelled")
    keys, slow, quick = make(hold=MINUTE), Work(stage, seconds=60), Work(stage)

    async def cancel() -> Any:
        task = asyncio.get_running_loop().create_task(keys.run("k", slow))
        await asyncio.to_thread(slow.began.wait, 10)
        task.cancel()
        await asyncio.wait((task,))
        return await keys.run("k", quick)

    assert stage.surface.wait(cancel()) == "done"


# --- no server ----------------------------------------------------------------------------------


@pytest.fixture
def gone(stage: Stage) -> Any:
    """A client of a server that is not there."""
    kind = type(stage.client)
    if "Cluster" in kind.__name__:
        pytest.skip("a client of a cluster asks its nodes when it is made")
    return kind.from_url("redis://127.0.0.1:1")


def test_what_happens_without_a_server_is_the_applications_choice(stage: Stage, gone: Any) -> None:
    kind = AsyncIdempotency if stage.is_async else Idempotency
    work = Work(stage)

    with pytest.raises(CallError):
        stage.call(lambda: kind(gone, deadline=0.2).run("k", work))
    assert work.done == 0
    assert stage.call(lambda: kind(gone, deadline=0.2, outage="run").run("k", work)) == "done"


@pytest.mark.single_server("another's password is wrong on one server")
def test_a_response_is_stored_once_the_server_can_be_asked_again(
    stage: Stage, make: Any, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller has it at once; who repeats the request waits for it to be stored."""
    monkeypatch.setattr(_idempotency, "PAUSE", 0.05)
    keys = make(deadline=0.2, wait=MINUTE)

    def work() -> str:
        client.client_pause(600, all=False)
        return "done"

    assert stage.call(lambda: keys.run("k", work)) == "done"
    again = Work(stage)
    patient = make(wait=MINUTE, deadline=5.0)
    assert stage.call(lambda: patient.run("k", again)) == "done"
    assert again.done == 0


# --- decorated functions ------------------------------------------------------------------------


def test_calls_of_a_decorated_function_with_one_key_are_one_call(stage: Stage, make: Any) -> None:
    keys, charged = make(), []

    def charge(order: int, amount: int = 5) -> str:
        """Take money."""
        charged.append(order)
        return f"{order}: {amount}"

    async def acharge(order: int, amount: int = 5) -> str:
        """Take money."""
        return charge(order, amount)

    pay = keys.idempotent(lambda order, **_: f"pay:{order}")(acharge if stage.is_async else charge)

    assert stage.call(lambda: pay(1)) == "1: 5"
    assert stage.call(lambda: pay(order=1, amount=5)) == "1: 5"
    assert stage.call(lambda: pay(2, amount=7)) == "2: 7"
    with pytest.raises(KeyReused):
        stage.call(lambda: pay(1, amount=6))
    assert charged == [1, 2]
    assert (pay.__name__[-6:], pay.__doc__) == ("charge", "Take money.")


def test_arguments_that_json_cannot_express_need_a_request(stage: Stage, make: Any) -> None:
    keys, seen = make(), []

    def handle(message: object) -> str:
        seen.append(message)
        return "done"

    async def ahandle(message: object) -> str:
        return handle(message)

    function = ahandle if stage.is_async else handle
    plain = keys.idempotent(lambda _: "k")(function)
    told = keys.idempotent(lambda _: "k", request=lambda _: "same")(function)

    with pytest.raises(InvalidArgumentType, match="JSON"):
        stage.call(lambda: plain(object()))
    for _ in range(2):
        assert stage.call(lambda: told(object())) == "done"
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"hold": timedelta(0)}, "hold"),
        ({"hold": timedelta(days=2)}, "hold"),
        ({"ttl": timedelta(seconds=1)}, "ttl"),
        ({"ttl": timedelta(days=400)}, "ttl"),
        ({"wait": timedelta(seconds=-1)}, "wait"),
        ({"outage": "hope"}, "outage"),
        ({"namespace": "a b"}, "namespace"),
    ],
)
def test_what_cannot_be_is_refused_when_it_is_said(make: Any, options: Any, name: str) -> None:
    with pytest.raises(InvalidArgumentValue) as caught:
        make(**options)
    assert caught.value.parameter == name
