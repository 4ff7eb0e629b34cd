"""Properties of ``limit.sliding_window`` under a clock that the test sets."""

from __future__ import annotations

from dataclasses import dataclass, field

import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.limit.clocked import Clocked

MANY = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
PERIOD_US = 1_000_000


@dataclass
class Log:
    """The window as a list of times: what the script must equal while time goes forward."""

    limit: int
    times_us: list[int] = field(default_factory=list)

    def call(self, now_us: int, cost: int) -> tuple[str, list[int]]:
        """What the script answers to a fresh token at this time."""
        self.times_us = [time for time in self.times_us if time > now_us - PERIOD_US]
        excess = len(self.times_us) + cost - self.limit
        if excess > 0:
            wait_us = self.times_us[excess - 1] + PERIOD_US - now_us
            return "Limited", [self.limit - len(self.times_us), -(-wait_us // 1000)]
        self.times_us += [now_us] * cost
        reset_us = self.times_us[0] + PERIOD_US - now_us
        return "Allowed", [self.limit - len(self.times_us), -(-reset_us // 1000)]


def steps(low: int) -> st.SearchStrategy[list[tuple[int, int]]]:
    """Per call: the clock's step in microseconds (often none), and the cost."""
    step = st.one_of(st.just(0), st.integers(1, 3), st.integers(low, 1_200_000))
    return st.lists(st.tuples(step, st.integers(1, 4)), min_size=1, max_size=50)


@MANY
@given(limit=st.integers(4, 12), script=steps(0))
def test_the_answers_are_those_of_an_exact_log(
    client: redis.Redis, limit: int, script: list[tuple[int, int]]
) -> None:
    """Verdict, remaining, retry_after and reset_after, call by call."""
    window, log = Clocked(client, "sliding_window"), Log(limit)
    window.restart()

    for number, (step_us, cost) in enumerate(script):
        window.now_us += step_us
        expected = log.call(window.now_us, cost)
        assert window.call(limit, PERIOD_US, cost, f"t{number}") == expected


@MANY
@given(limit=st.integers(4, 12), script=steps(-1_500_000))
def test_no_window_holds_more_than_its_limit(
    client: redis.Redis, limit: int, script: list[tuple[int, int]]
) -> None:
    """In any span shorter than a period, a clock set back adding no time to it."""
    window = Clocked(client, "sliding_window")
    window.restart()
    granted = []
    for number, (step_us, cost) in enumerate(script):
        window.now_us += step_us
        variant, _ = window.call(limit, PERIOD_US, cost, f"t{number}")
        granted.append((max(step_us, 0), cost if variant == "Allowed" else 0))

    for first in range(len(granted)):
        elapsed_us, entries = 0, granted[first][1]
        for step_us, cost in granted[first + 1 :]:
            elapsed_us += step_us
            if elapsed_us >= PERIOD_US:
                break
            entries += cost
            assert entries <= limit


@MANY
@given(limit=st.integers(4, 12), script=steps(0), cost=st.integers(1, 4))
def test_retry_after_is_the_first_millisecond_that_grants(
    client: redis.Redis, limit: int, script: list[tuple[int, int]], cost: int
) -> None:
    """After retry_after the same call is granted, one millisecond earlier it is not."""
    window = Clocked(client, "sliding_window")
    window.restart()
    for number, (step_us, taken) in enumerate(script):
        window.now_us += step_us
        window.call(limit, PERIOD_US, taken, f"t{number}")
    variant, numbers = window.call(limit, PERIOD_US, cost, "last")
    asked_us = window.now_us

    if variant == "Limited":
        retry_after = numbers[1]
        assert 1 <= retry_after <= PERIOD_US // 1000
        window.now_us = asked_us + (retry_after - 1) * 1000
        assert window.call(limit, PERIOD_US, cost, "last")[0] == "Limited"
        window.now_us = asked_us + retry_after * 1000
        assert window.call(limit, PERIOD_US, cost, "last")[0] == "Allowed"


@MANY
@given(limit=st.integers(4, 12), script=steps(0), late_us=st.integers(0, PERIOD_US - 1))
def test_the_same_token_again_changes_nothing(
    client: redis.Redis, limit: int, script: list[tuple[int, int]], late_us: int
) -> None:
    """Within a period a resend of a granted call is told so and leaves the log as it was."""
    window = Clocked(client, "sliding_window")
    window.restart()
    for number, (step_us, cost) in enumerate(script):
        window.now_us += step_us
        variant, numbers = window.call(limit, PERIOD_US, cost, f"t{number}")
        before = client.zrange(window.key, 0, -1, withscores=True)
        again = window.call(limit, PERIOD_US, cost, f"t{number}")
        assert client.zrange(window.key, 0, -1, withscores=True) == before
        if variant == "Allowed":
            assert again == ("Replayed", numbers[:1])
        else:
            assert again == (variant, numbers)
    if variant == "Allowed":
        window.now_us += late_us
        assert window.call(limit, PERIOD_US, cost, f"t{number}")[0] == "Replayed"


def test_a_token_is_new_again_after_a_period(client: redis.Redis) -> None:
    """Its entries stop counting, and it counts afresh, at the boundary exactly."""
    window = Clocked(client, "sliding_window")
    for token in ("a", "b"):
        window.call(3, PERIOD_US, 1, token)
    window.now_us += PERIOD_US - 1
    assert window.call(3, PERIOD_US, 1, "a") == ("Replayed", [1])

    window.now_us += 1

    assert window.call(3, PERIOD_US, 1, "a") == ("Allowed", [2, 1000])
    assert client.zcard(window.key) == 1


def test_calls_of_one_microsecond_all_count(client: redis.Redis) -> None:
    """The clock stands still and each call still is an entry of its own."""
    window = Clocked(client, "sliding_window")

    variants = [window.call(5, PERIOD_US, 1, f"t{number}")[0] for number in range(50)]

    assert variants == ["Allowed"] * 5 + ["Limited"] * 45
    assert client.zcard(window.key) == 5


def test_tokens_that_look_like_entries_stay_apart(client: redis.Redis) -> None:
    """An entry's name is split at its last colon: no token can stand for another's entry."""
    window = Clocked(client, "sliding_window")

    tokens = ["a", "a:1", "a:1:1", "a:2", ":1", "\x00", "1"]
    replies = [window.call(100, PERIOD_US, 3, token)[0] for token in tokens]

    assert replies == ["Allowed"] * len(tokens)
    assert client.zcard(window.key) == 3 * len(tokens)


def test_a_clock_set_back_refuses_for_a_period_at_most(client: redis.Redis) -> None:
    """All entries lie ahead; the first refused call moves them to the present."""
    window = Clocked(client, "sliding_window")
    for number in range(200):
        window.call(200, PERIOD_US, 1, f"old{number}")
    window.now_us -= 3_600_000_000

    assert window.call(200, PERIOD_US, 1, "new") == ("Limited", [0, 1000])
    assert window.call(200, PERIOD_US, 1, "old7") == ("Replayed", [0])
    window.now_us += PERIOD_US - 1
    assert window.call(200, PERIOD_US, 1, "new") == ("Limited", [0, 1])
    window.now_us += 1
    assert window.call(200, PERIOD_US, 100, "new") == ("Allowed", [100, 1000])


def test_a_clock_set_back_moves_256_entries_with_each_refusal(client: redis.Redis) -> None:
    """A large window is moved in bounded pieces, and counts in full meanwhile."""
    window = Clocked(client, "sliding_window")
    for number in range(10):
        window.call(1000, PERIOD_US, 100, f"old{number}")
    window.now_us -= 3_600_000_000
    ahead = []
    for number in range(5):
        assert window.call(1000, PERIOD_US, 1, f"new{number}") == ("Limited", [0, 1000])
        ahead.append(client.zcount(window.key, f"({window.now_us}", "+inf"))

    assert ahead == [744, 488, 232, 0, 0]
    window.now_us += PERIOD_US
    assert window.call(1000, PERIOD_US, 1, "new")[0] == "Allowed"


def test_a_lowered_limit_waits_for_the_entries_in_excess(client: redis.Redis) -> None:
    """More entries than the limit now allows: remaining is 0 and the wait is for the right one."""
    window = Clocked(client, "sliding_window")
    for number in range(6):
        window.call(6, PERIOD_US, 1, f"t{number}")
        window.now_us += 100_000

    assert window.call(2, PERIOD_US, 1, "last") == ("Limited", [0, 800])
