"""What every script of ``limit`` owes its callers, on every way of calling."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from redislua.bindings import limit
from redislua.errors import WrongType
from redislua.probe.snapshot import Snapshot
from redislua.runtime import Call, run

HOUR = timedelta(hours=1)
Ask = Callable[[Call[Any]], Any]
Dataset = Callable[[], Snapshot]


@dataclass(frozen=True)
class Limiter:
    """One script, asked for five an hour.

    Attributes:
        take: Builds a call for a subject and a cost.
        granted: The variant of a granted call.
        refused: The variant of a refused one.
        key: The key of subject ``s``.
    """

    take: Callable[[str, int], Call[Any]]
    granted: Any
    refused: Any
    key: str

    def of(self, cost: int = 1, subject: str = "s") -> Call[Any]:
        """A call for a cost."""
        return self.take(subject, cost)


LIMITERS = {
    "gcra": Limiter(
        lambda subject, cost: limit.gcra(subject=subject, limit=5, period=HOUR, burst=5, cost=cost),
        limit.GcraAllowed,
        limit.GcraLimited,
        "limit:{s}:gcra",
    ),
    "token_bucket": Limiter(
        lambda subject, cost: limit.token_bucket(
            subject=subject, capacity=5, refill=5, period=HOUR, cost=cost
        ),
        limit.TokenBucketAllowed,
        limit.TokenBucketLimited,
        "limit:{s}:bucket",
    ),
    "sliding_window": Limiter(
        lambda subject, cost: limit.sliding_window(
            subject=subject, limit=5, period=HOUR, cost=cost
        ),
        limit.SlidingWindowAllowed,
        limit.SlidingWindowLimited,
        "limit:{s}:log",
    ),
    "sliding_window_counter": Limiter(
        lambda subject, cost: limit.sliding_window_counter(
            subject=subject, limit=5, period=HOUR, cost=cost
        ),
        limit.SlidingWindowCounterAllowed,
        limit.SlidingWindowCounterLimited,
        "limit:{s}:window",
    ),
    "increment_with_limit": Limiter(
        lambda subject, cost: limit.increment_with_limit(
            subject=subject, limit=5, window=HOUR, amount=cost
        ),
        limit.IncrementWithLimitAdded,
        limit.IncrementWithLimitCapped,
        "limit:{s}:counter",
    ),
}
PEEKS: dict[str, Callable[[int], Call[Any]]] = {
    "gcra": lambda cost: limit.gcra(
        subject="s", limit=5, period=HOUR, burst=5, cost=cost, mode="peek"
    ),
    "token_bucket": lambda cost: limit.token_bucket(
        subject="s", capacity=5, refill=5, period=HOUR, cost=cost, mode="peek"
    ),
    "sliding_window_counter": lambda cost: limit.sliding_window_counter(
        subject="s", limit=5, period=HOUR, cost=cost, mode="peek"
    ),
}


@pytest.fixture(params=LIMITERS)
def limiter(request: pytest.FixtureRequest) -> Limiter:
    """Each script in turn."""
    return LIMITERS[request.param]


def test_five_are_granted_and_the_sixth_is_refused(call: Ask, limiter: Limiter) -> None:
    replies = [call(limiter.of()) for _ in range(7)]

    assert [type(reply) for reply in replies] == [limiter.granted] * 5 + [limiter.refused] * 2
    if limiter.key.endswith("counter"):
        assert [reply.value for reply in replies] == [1, 2, 3, 4, 5, 5, 5]
    else:
        assert [reply.remaining for reply in replies] == [4, 3, 2, 1, 0, 0, 0]


def test_a_cost_is_taken_whole_or_not_at_all(call: Ask, limiter: Limiter) -> None:
    """What is refused does not count: the smaller cost behind it still fits."""
    replies = [call(limiter.of(cost)) for cost in (3, 3, 2, 1)]

    assert [type(reply) for reply in replies] == [
        limiter.granted,
        limiter.refused,
        limiter.granted,
        limiter.refused,
    ]


def test_every_write_leaves_an_expiry(call: Ask, client: Any, limiter: Limiter) -> None:
    for cost in (1, 2, 2):
        assert isinstance(call(limiter.of(cost)), limiter.granted)
        assert client.keys("*") == [limiter.key.encode()]
        assert 0 < client.pttl(limiter.key) <= 2 * 3_600_000 + 1


def test_a_refusal_writes_nothing(call: Ask, dataset: Dataset, limiter: Limiter) -> None:
    call(limiter.of(4))
    before = dataset()

    assert isinstance(call(limiter.of(2)), limiter.refused)
    assert dataset() == before


def test_subjects_are_apart(call: Ask, limiter: Limiter) -> None:
    call(limiter.of(5))

    assert isinstance(call(limiter.of(1)), limiter.refused)
    assert isinstance(call(limiter.of(5, subject="t")), limiter.granted)


def test_a_key_of_another_type_is_an_error_and_untouched(
    call: Ask, client: Any, dataset: Dataset, limiter: Limiter
) -> None:
    client.rpush(limiter.key, "someone else's")
    before = dataset()

    with pytest.raises(WrongType):
        call(limiter.of())

    assert dataset() == before


def test_fifty_threads_are_granted_five(client: Any, limiter: Limiter) -> None:
    """However the calls interleave: the server runs one script at a time."""
    for turn in range(3):
        gate = threading.Barrier(10)

        def five_calls(
            _: int, subject: str = f"s{turn}", gate: threading.Barrier = gate
        ) -> list[Any]:
            gate.wait(timeout=30)
            return [run(client, limiter.of(subject=subject)) for _ in range(5)]

        with ThreadPoolExecutor(10) as pool:
            replies = [reply for part in pool.map(five_calls, range(10)) for reply in part]

        assert len(replies) == 50
        assert sum(isinstance(reply, limiter.granted) for reply in replies) == 5


@pytest.mark.parametrize("name", [name for name in LIMITERS if name != "sliding_window"])
def test_a_call_sent_twice_is_charged_and_never_granted_twice(call: Ask, name: str) -> None:
    """Conservative: after a lost reply a resend may over-charge, never under-protect."""
    limiter = LIMITERS[name]
    same = limiter.of(3)

    assert same.script.retry == "conservative"
    assert isinstance(call(same), limiter.granted)
    assert isinstance(call(same), limiter.refused)
    assert isinstance(call(limiter.of(2)), limiter.granted)
    assert isinstance(call(limiter.of(1)), limiter.refused)


@pytest.mark.parametrize("name", PEEKS)
def test_a_peek_writes_nothing_and_says_what_is_there(
    call: Ask, dataset: Dataset, name: str
) -> None:
    """On a subject never seen, on one in use and on an empty one."""
    limiter = LIMITERS[name]
    fresh = call(PEEKS[name](5))
    assert isinstance(fresh, limiter.granted)
    assert (fresh.remaining, fresh.reset_after) == (5, timedelta(0))
    assert dataset() == {}

    call(limiter.of(3))
    before = dataset()
    fits, does_not_fit = call(PEEKS[name](2)), call(PEEKS[name](3))
    assert isinstance(fits, limiter.granted)
    assert isinstance(does_not_fit, limiter.refused)
    assert fits.remaining == does_not_fit.remaining == 2
    assert timedelta(0) < does_not_fit.retry_after <= does_not_fit.reset_after
    assert dataset() == before


@pytest.mark.parametrize("name", PEEKS)
def test_a_cost_of_nothing_is_granted_and_writes_nothing(
    call: Ask, dataset: Dataset, name: str
) -> None:
    limiter = LIMITERS[name]
    assert isinstance(call(limiter.of(0)), limiter.granted)
    assert dataset() == {}

    call(limiter.of(5))
    before = dataset()
    assert isinstance(call(limiter.of(0)), limiter.granted)
    assert dataset() == before


@pytest.mark.parametrize(
    ("name", "reply"),
    [
        ("gcra", limit.GcraTooLarge(burst=5)),
        ("token_bucket", limit.TokenBucketTooLarge(capacity=5)),
        ("sliding_window", limit.SlidingWindowTooLarge(limit=5)),
        ("sliding_window_counter", limit.SlidingWindowCounterTooLarge(limit=5)),
    ],
)
def test_what_can_never_be_granted_is_said_so(
    call: Ask, dataset: Dataset, name: str, reply: object
) -> None:
    """A cost above the limit is no matter of waiting."""
    assert call(LIMITERS[name].of(6)) == reply
    assert dataset() == {}


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        *(("gcra", text) for text in ("", "abc", "-1", "1.5", "1e15", "9007199254740993")),
        *(("increment_with_limit", text) for text in ("", "abc", "1.5", " 1", "0x10", "nan")),
        ("increment_with_limit", "9007199254740992"),
        ("increment_with_limit", "-9007199254740992"),
        ("increment_with_limit", "9223372036854775807"),
    ],
)
def test_a_string_that_is_not_our_number_is_bad_state(
    call: Ask, client: Any, dataset: Dataset, name: str, stored: str
) -> None:
    """An error, and what was there stays there."""
    client.set(LIMITERS[name].key, stored)
    before = dataset()

    with pytest.raises(limit.BadStateError):
        call(LIMITERS[name].of())

    assert dataset() == before


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("token_bucket", {"v": "2", "b": "1000000", "t": "1"}),
        ("token_bucket", {"b": "1000000", "t": "1"}),
        ("token_bucket", {"v": "1", "b": "1000000"}),
        ("token_bucket", {"v": "1", "b": "-21", "t": "1"}),
        ("token_bucket", {"v": "1", "b": "inf", "t": "1"}),
        ("token_bucket", {"v": "1", "b": "1", "t": "9007199254740993"}),
        ("token_bucket", {"v": "1", "b": "9007199254740993", "t": "1"}),
        ("token_bucket", {"tokens": "5"}),
        ("sliding_window_counter", {"v": "2", "e": "1", "c": "0", "p": "0"}),
        ("sliding_window_counter", {"e": "1", "c": "0", "p": "0"}),
        ("sliding_window_counter", {"v": "1", "e": "1", "c": "0"}),
        ("sliding_window_counter", {"v": "1", "e": "1", "c": "nan", "p": "0"}),
        ("sliding_window_counter", {"v": "1", "e": "x", "c": "0", "p": "0"}),
        ("sliding_window_counter", {"v": "1", "e": "9007199254740993", "c": "0", "p": "0"}),
        ("sliding_window_counter", {"v": "1", "e": "1", "c": "1000000001", "p": "0"}),
        ("sliding_window_counter", {"v": "1", "e": "1", "c": "0", "p": "1000000001"}),
        ("sliding_window_counter", {"w": "5"}),
    ],
)
def test_a_hash_that_is_not_our_format_is_bad_state(
    call: Ask, client: Any, dataset: Dataset, name: str, stored: dict[str, str]
) -> None:
    """A newer format, a foreign hash, a damaged field: an error, and nothing is written."""
    client.hset(LIMITERS[name].key, mapping=stored)
    before = dataset()

    with pytest.raises(limit.BadStateError):
        call(LIMITERS[name].of())

    assert dataset() == before
