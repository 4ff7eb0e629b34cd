"""`Cache` and `AsyncCache`: what callers see, alone, together, and when fetching fails."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from redislua.errors import CallError, InvalidArgumentValue, WrongType
from redislua.patterns.cache import (
    ABSENT,
    AsyncCache,
    Cache,
    Failed,
    FetchFailed,
    FetchTimeout,
    Found,
    Missing,
)
from redislua.patterns.codecs import BYTES, MsgspecCodec, PickleCodec
from tests.patterns.stage import Stage

ms = timedelta(milliseconds=1)
MINUTE = timedelta(minutes=1)


class Source:
    """A slow source that counts who asks it, in threads or tasks."""

    def __init__(self, stage: Stage, value: Any = "value", seconds: float = 0.0) -> None:
        self.stage = stage
        self.value = value
        self.seconds = seconds
        self.asked = 0
        self.began = threading.Event()

    def __call__(self) -> Any:
        self.asked += 1
        self.began.set()
        if self.stage.is_async:
            return self._later()
        time.sleep(self.seconds)
        return self._given()

    async def _later(self) -> Any:
        await asyncio.sleep(self.seconds)
        return self._given()

    def _given(self) -> Any:
        if isinstance(self.value, Exception):
            raise self.value
        return self.value

    def many(self, keys: Sequence[str]) -> Any:
        """The same for several keys; ``missing`` is left out."""
        values = self()
        if self.stage.is_async:
            return self._many(values, keys)
        return {key: f"{values} of {key}" for key in keys if key != "missing"}

    async def _many(self, values: Any, keys: Sequence[str]) -> Any:
        found = await values
        return {key: f"{found} of {key}" for key in keys if key != "missing"}


@pytest.fixture
def make(stage: Stage, client: Any) -> Callable[..., Any]:
    """``make(ttl=...)`` is a cache of the surface's kind on an empty server."""
    return lambda **options: stage.make(Cache, AsyncCache, **options)


def test_a_value_is_fetched_once_and_then_served(stage: Stage, make: Any) -> None:
    cache, source = make(), Source(stage, {"name": "Ada", "tags": [1, None]})

    found = [stage.call(lambda: cache.get_or_fetch("k", source)) for _ in range(3)]

    assert found == [{"name": "Ada", "tags": [1, None]}] * 3
    assert source.asked == 1


def test_an_absence_is_cached_and_none_is_a_value(stage: Stage, make: Any) -> None:
    """S8: a cached null is not a miss."""
    cache, nothing, null = make(), Source(stage, ABSENT), Source(stage, None)

    for _ in range(2):
        assert stage.call(lambda: cache.get_or_fetch("absent", nothing)) is ABSENT
        assert stage.call(lambda: cache.get_or_fetch("null", null)) is None

    assert (nothing.asked, null.asked) == (1, 1)
    assert stage.call(lambda: cache.get("absent")) is ABSENT
    assert stage.call(lambda: cache.get("null")) == Found(None)
    assert stage.call(lambda: cache.get("other")) == Missing()


def test_a_stampede_of_two_hundred_callers_is_one_fetch(stage: Stage, make: Any) -> None:
    """P28: in four processes, as it were, for callers of one process share a call anyway."""
    caches = [make() for _ in range(4)]
    source = Source(stage, seconds=0.3)

    found = stage.together(
        *[lambda one=one: one.get_or_fetch("k", source) for one in caches for _ in range(50)]
    )

    assert found == ["value"] * 200
    assert source.asked == 1


def test_who_waits_is_woken_when_the_value_is_there(stage: Stage, make: Any) -> None:
    """Not after the lease: it holds for a minute."""
    first, second = make(hold=MINUTE), make(hold=MINUTE)
    source = Source(stage, seconds=0.3)
    began = time.monotonic()

    stage.together(*[lambda one=one: one.get_or_fetch("k", source) for one in (first, second)])

    assert time.monotonic() - began < 30
    assert source.asked == 1


def test_a_failure_is_handed_on_at_once(stage: Stage, make: Any) -> None:
    """P28: nobody waits for a lease to end, and one fetch was made for all."""
    caches = [make(hold=MINUTE, cooldown=MINUTE, wait=MINUTE) for _ in range(4)]
    source = Source(stage, KeyError("no such user"), seconds=0.3)
    began = time.monotonic()

    found = stage.together(
        *[lambda one=one: one.get_or_fetch("k", source) for one in caches for _ in range(50)]
    )

    assert time.monotonic() - began < 30
    assert source.asked == 1
    kinds = [type(one) for one in found]
    assert (kinds.count(KeyError), kinds.count(FetchFailed)) == (50, 150)
    refused = next(one for one in found if isinstance(one, FetchFailed))
    assert (refused.key, refused.fails) == ("k", 1)
    assert timedelta(0) < refused.retry_after <= MINUTE


def test_after_the_cooldown_somebody_tries_again(stage: Stage, make: Any) -> None:
    cache = make(cooldown=ms)
    with pytest.raises(ValueError, match="out"):
        stage.call(lambda: cache.get_or_fetch("k", Source(stage, ValueError("out"))))
    time.sleep(0.02)

    assert stage.call(lambda: cache.get_or_fetch("k", Source(stage, "back"))) == "back"


def test_who_has_waited_long_enough_says_so(stage: Stage, make: Any) -> None:
    first, second = make(), make(wait=100 * ms)
    source = Source(stage, seconds=1.0)

    def late() -> Any:
        source.began.wait(5)
        return second.get_or_fetch("k", source)

    async def late_task() -> Any:
        await asyncio.sleep(0.2)
        return await second.get_or_fetch("k", source)

    value, timeout = stage.together(
        lambda: first.get_or_fetch("k", source), late_task if stage.is_async else late
    )

    assert value == "value"
    assert isinstance(timeout, FetchTimeout)
    assert timeout.waited >= 100 * ms


def test_a_stale_value_is_served_while_it_is_refreshed(stage: Stage, make: Any) -> None:
    cache = make(ttl=ms, stale_for=MINUTE, jitter=0)
    stage.call(lambda: cache.get_or_fetch("k", Source(stage, "old")))
    time.sleep(0.02)
    source = Source(stage, "new", seconds=0.1)

    served = stage.call(lambda: cache.get_or_fetch("k", source))
    stage.call(lambda: asyncio.sleep(0.4) if stage.is_async else time.sleep(0.4))

    assert served == "old"
    assert source.asked == 1
    assert stage.call(lambda: cache.get("k")) == Found("new", is_stale=True)


def test_a_refresh_that_fails_leaves_what_is_stale(
    stage: Stage, make: Any, caplog: pytest.LogCaptureFixture
) -> None:
    cache = make(ttl=ms, stale_for=MINUTE, cooldown=MINUTE, jitter=0)
    stage.call(lambda: cache.get_or_fetch("k", Source(stage, "old")))
    time.sleep(0.02)
    source = Source(stage, ValueError("down"))

    assert stage.call(lambda: cache.get_or_fetch("k", source)) == "old"
    stage.call(lambda: asyncio.sleep(0.3) if stage.is_async else time.sleep(0.3))
    assert stage.call(lambda: cache.get_or_fetch("k", source)) == "old"

    assert source.asked == 1
    assert "refreshing 'k' failed" in caplog.text


def test_what_was_fetched_before_an_invalidation_is_not_stored(stage: Stage, make: Any) -> None:
    """P22: and who asks after it does not share the fetch that began before it."""
    cache, other = make(), make()
    slow, quick = Source(stage, "old", seconds=0.5), Source(stage, "new")

    async def change() -> Any:
        await asyncio.sleep(0.2)
        await other.invalidate("k")
        await cache.invalidate("k")
        return await cache.get_or_fetch("k", quick)

    def change_in_thread() -> Any:
        slow.began.wait(5)
        other.invalidate("k")
        cache.invalidate("k")
        return cache.get_or_fetch("k", quick)

    old, new = stage.together(
        lambda: cache.get_or_fetch("k", slow), change if stage.is_async else change_in_thread
    )

    assert (old, new) == ("old", "new")
    assert stage.call(lambda: cache.get("k")) == Found("new")


def test_what_the_codec_cannot_read_is_fetched_anew(
    stage: Stage, make: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """P21: one bad entry is that entry's trouble."""
    stage.call(lambda: make(codec=BYTES).set("k", b"\xff not JSON"))
    cache = make()

    assert isinstance(stage.call(lambda: cache.get("k")), Failed)
    assert stage.call(lambda: cache.get_or_fetch("k", Source(stage, "good"))) == "good"
    assert stage.call(lambda: cache.get("k")) == Found("good")
    assert "cannot be read" in caplog.text


def test_what_cannot_be_stored_is_an_error_and_holds_nobody_up(stage: Stage, make: Any) -> None:
    cache = make(cooldown=ms, hold=MINUTE)

    with pytest.raises(TypeError, match="JSON"):
        stage.call(lambda: cache.get_or_fetch("k", Source(stage, {1, 2})))
    with pytest.raises(InvalidArgumentValue):
        stage.call(lambda: cache.get_or_fetch("big", Source(stage, "x" * 262_145)))
    time.sleep(0.02)

    assert stage.call(lambda: cache.get_or_fetch("k", Source(stage, "good"))) == "good"


@pytest.mark.parametrize(
    ("codec", "value"),
    [
        (BYTES, b"\x00\xff"),
        (PickleCodec(), {1, 2}),
        (MsgspecCodec(dict[str, int]), {"a": 1}),
    ],
    ids=["bytes", "pickle", "msgspec"],
)
def test_a_codec_of_ones_choice(stage: Stage, make: Any, codec: Any, value: Any) -> None:
    cache = make(codec=codec)

    stage.call(lambda: cache.set("k", value))

    assert stage.call(lambda: cache.get("k")) == Found(value)


def test_a_key_of_another_type_is_an_error_and_nothing_is_fetched(
    stage: Stage, make: Any, client: Any
) -> None:
    """Neither hides that the key is of another type."""
    client.set("cache:{k}:lease", "x", px=60_000)
    client.sadd("cache:{k}:entry", "not ours")
    source = Source(stage)

    for outage in ("raise", "fetch"):
        cache = make(outage=outage)
        with pytest.raises(WrongType):
            stage.call(partial(cache.get_or_fetch, "k", source))
    assert source.asked == 0


def test_every_key_expires(stage: Stage, make: Any, client: Any) -> None:
    cache = make(ttl=MINUTE, stale_for=MINUTE, negative_ttl=MINUTE)
    stage.call(lambda: cache.get_or_fetch("a", Source(stage)))
    stage.call(lambda: cache.get_or_fetch("b", Source(stage, ABSENT)))
    stage.call(lambda: cache.set("c", "v"))

    left = {key: client.pttl(key) for key in client.keys("*")}

    assert set(left) == {b"cache:{a}:entry", b"cache:{b}:entry", b"cache:{c}:entry"}
    assert all(50_000 < one <= 120_000 for one in left.values())


# --- several keys ---------------------------------------------------------------------------


def test_many_keys_each_have_their_own_result(stage: Stage, make: Any, client: Any) -> None:
    """P21, P24: over all nodes of a cluster, and one bad key hides no other."""
    cache, told = make(), []
    names = [f"k{number}" for number in range(600)]

    written = stage.call(
        lambda: cache.set_many(
            {name: name for name in names} | {"nothing": ABSENT, "bad": {1, 2}},
            progress=lambda done, whole: told.append((done, whole)),
        )
    )
    client.delete("cache:{k1}:entry")
    client.sadd("cache:{k1}:entry", "another type")
    found = stage.call(lambda: cache.get_many([*names, "nothing", "missing", "k0"]))

    assert (written.done, list(written.failed)) == (601, ["bad"])
    assert told[-1] == (601, 601)
    assert len(told) == 3
    assert isinstance(found.pop("k1"), Failed)
    assert found == {
        **{name: Found(name) for name in names if name != "k1"},
        "nothing": ABSENT,
        "missing": Missing(),
    }


def test_many_keys_are_forgotten(stage: Stage, make: Any) -> None:
    cache = make()
    stage.call(lambda: cache.set_many({"a": 1, "b": 2}))

    assert stage.call(lambda: cache.delete_many(["a", "b", "c"])).done == 3
    assert set(stage.call(lambda: cache.get_many(["a", "b"])).values()) == {Missing()}


def test_what_is_not_cached_of_many_is_fetched_at_once(stage: Stage, make: Any) -> None:
    """S8: no duplicates, absences known, and every key answered."""
    cache, source = make(), Source(stage)
    stage.call(lambda: cache.set("a", "cached"))

    keys = ["a", "b", "missing", "b", "c"]
    found = [stage.call(lambda: cache.get_or_fetch_many(keys, source.many)) for _ in range(2)]

    assert (
        found[0]
        == found[1]
        == {
            "a": Found("cached"),
            "b": Found("value of b"),
            "missing": ABSENT,
            "c": Found("value of c"),
        }
    )
    assert source.asked == 1


def test_several_who_want_many_fetch_each_key_once(stage: Stage, make: Any) -> None:
    caches, source = [make(), make()], Source(stage, seconds=0.3)
    fetched: list[str] = []

    def fetch(keys: Sequence[str]) -> Any:
        fetched.extend(keys)
        return source.many(keys)

    found = stage.together(
        lambda: caches[0].get_or_fetch_many(["a", "b", "c"], fetch),
        lambda: caches[1].get_or_fetch_many(["c", "b", "d"], fetch),
    )

    assert sorted(fetched) == ["a", "b", "c", "d"]
    assert found[0]["c"] == found[1]["c"] == Found("value of c")


def test_a_fetch_of_many_that_fails_frees_its_keys(stage: Stage, make: Any) -> None:
    cache, source = make(cooldown=ms, hold=MINUTE), Source(stage, ValueError("down"))
    with pytest.raises(ValueError, match="down"):
        stage.call(lambda: cache.get_or_fetch_many(["a", "b"], source.many))
    time.sleep(0.02)

    found = stage.call(lambda: cache.get_or_fetch_many(["a", "b"], Source(stage).many))

    assert found == {"a": Found("value of a"), "b": Found("value of b")}


# --- terms ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"ttl": timedelta(0)}, "ttl"),
        ({"hold": timedelta(hours=1)}, "hold"),
        ({"beta": -1}, "beta"),
        ({"beta": float("nan")}, "beta"),
        ({"jitter": 1}, "jitter"),
        ({"outage": "ignore"}, "outage"),
        ({"namespace": "a b"}, "namespace"),
        ({"stale_for": timedelta(days=-1)}, "stale_for"),
    ],
)
def test_bad_terms_are_refused_when_the_cache_is_made(
    make: Any, options: dict[str, Any], named: str
) -> None:
    with pytest.raises(InvalidArgumentValue, match=named):
        make(**options)


@pytest.mark.single_server("a port without a server")
def test_without_a_server_a_cache_may_fetch_all_the_same(stage: Stage, client: Any) -> None:
    package = type(stage.client)
    with_nobody = package(host="127.0.0.1", port=1)
    source = Source(stage)

    def make(**options: Any) -> Any:
        return (AsyncCache if stage.is_async else Cache)(with_nobody, deadline=0.2, **options)

    with pytest.raises(CallError):
        stage.call(lambda: make().get_or_fetch("k", source))
    assert stage.call(lambda: make(outage="fetch").get_or_fetch("k", source)) == "value"
    assert source.asked == 1
    stage.call(lambda: with_nobody.aclose() if stage.is_async else with_nobody.close())
