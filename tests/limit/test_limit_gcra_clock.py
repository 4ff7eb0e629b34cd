"""Properties of ``limit.gcra`` under a clock that the test sets."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.limit.clocked import EPOCH_US, Clocked

MANY = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@dataclass(frozen=True)
class Rate:
    """A configuration that the script accepts, and the arguments it makes."""

    limit: int
    period_us: int
    burst: int

    @property
    def token_us(self) -> int:
        """Time of one token, rounded up."""
        return -(-self.period_us // self.limit)

    def earned(self, elapsed_us: int) -> Fraction:
        """What the rate gives in a time, exactly."""
        return Fraction(elapsed_us * self.limit, self.period_us)

    def call(self, gcra: Clocked, cost: int = 1, mode: str = "consume") -> tuple[str, list[int]]:
        """Take, or look."""
        return gcra.call(self.limit, self.period_us, self.burst, cost, mode, 0)


@st.composite
def rates(draw: st.DrawFn, least_burst: int = 1) -> Rate:
    """Rates from one token in weeks to one in 100 us, most with an uneven quotient."""
    limit = draw(st.integers(1, 1_000_000))
    period_us = draw(st.integers(max(1_000, 100 * limit), 3_000_000_000_000))
    most = min(40, 31_622_400_000_000 * limit // period_us)
    return Rate(limit, period_us, draw(st.integers(least_burst, most)))


def steps(low: int) -> st.SearchStrategy[list[tuple[int, int]]]:
    """Per call: the clock's step in hundredths of a token's time, and the cost."""
    return st.lists(st.tuples(st.integers(low, 300), st.integers(0, 5)), min_size=1, max_size=40)


@MANY
@given(rate=rates(), script=steps(-500))
def test_no_interval_is_granted_more_than_burst_and_rate(
    client: redis.Redis, rate: Rate, script: list[tuple[int, int]]
) -> None:
    """The bound of the header, for every interval; a clock set back adds no time."""
    gcra = Clocked(client, "gcra")
    gcra.restart()
    granted = []
    for hundredths, cost in script:
        step_us = hundredths * rate.token_us // 100
        gcra.now_us += step_us
        variant, _ = rate.call(gcra, cost)
        granted.append((max(step_us, 0), cost if variant == "Allowed" else 0))

    for first in range(len(granted)):
        elapsed_us, tokens = 0, granted[first][1]
        for step_us, cost in granted[first + 1 :]:
            elapsed_us += step_us
            tokens += cost
            assert tokens <= rate.burst + rate.earned(elapsed_us)


@MANY
@given(rate=rates(least_burst=3), script=st.lists(st.integers(1, 199), min_size=5, max_size=40))
def test_whoever_keeps_asking_is_granted_99_percent_of_the_rate(
    client: redis.Redis, rate: Rate, script: list[int]
) -> None:
    """Asked before the burst is full again, at least 99 % of what was earned is granted."""
    gcra = Clocked(client, "gcra")
    gcra.restart()
    assert rate.call(gcra, rate.burst) == (
        "Allowed",
        [0, -(-rate.burst * rate.token_us // 1000)],
    )
    tokens = 0
    for hundredths in script:
        gcra.now_us += hundredths * rate.token_us // 100
        _, (remaining, _) = rate.call(gcra, 0, "peek")
        assert rate.call(gcra, remaining)[0] == "Allowed"
        tokens += remaining

    assert tokens > rate.earned(gcra.now_us - EPOCH_US) * Fraction(99, 100) - 1


@MANY
@given(rate=rates(), script=steps(-300), cost=st.integers(1, 40))
def test_retry_after_is_the_first_millisecond_that_grants(
    client: redis.Redis, rate: Rate, script: list[tuple[int, int]], cost: int
) -> None:
    """After retry_after the same call is granted, one millisecond earlier it is not."""
    gcra = Clocked(client, "gcra")
    gcra.restart()
    for hundredths, taken in script:
        gcra.now_us += hundredths * rate.token_us // 100
        rate.call(gcra, taken)
    cost = min(cost, rate.burst)
    variant, numbers = rate.call(gcra, cost)
    asked_us = gcra.now_us

    if variant == "Limited":
        _, retry_after, reset_after = numbers
        assert 1 <= retry_after <= reset_after
        gcra.now_us = asked_us + (retry_after - 1) * 1000
        assert rate.call(gcra, cost, "peek")[0] == "Limited"
        gcra.now_us = asked_us + retry_after * 1000
        assert rate.call(gcra, cost, "peek")[0] == "Allowed"


@MANY
@given(rate=rates(), script=steps(0))
def test_reset_after_is_when_the_whole_burst_is_there(
    client: redis.Redis, rate: Rate, script: list[tuple[int, int]]
) -> None:
    """After reset_after, and not a millisecond earlier, remaining is the burst."""
    gcra = Clocked(client, "gcra")
    gcra.restart()
    for hundredths, cost in script:
        gcra.now_us += hundredths * rate.token_us // 100
        rate.call(gcra, cost)
    _, (_, reset_after) = rate.call(gcra, 0, "peek")
    asked_us = gcra.now_us
    gcra.now_us = asked_us + reset_after * 1000

    assert rate.call(gcra, 0, "peek") == ("Allowed", [rate.burst, 0])
    if reset_after:
        gcra.now_us -= 1000
        assert rate.call(gcra, 0, "peek")[1][0] < rate.burst


@MANY
@given(rate=rates(), back_us=st.integers(1, 10**15))
def test_a_clock_set_back_refuses_for_one_burst_at_most(
    client: redis.Redis, rate: Rate, back_us: int
) -> None:
    """The first call after the jump already says how long, and it is true."""
    gcra = Clocked(client, "gcra")
    gcra.restart()
    rate.call(gcra, rate.burst)
    gcra.now_us -= back_us
    variant, (remaining, retry_after, _) = rate.call(gcra, rate.burst)

    assert (variant, remaining) == ("Limited", 0)
    assert retry_after == -(-rate.burst * rate.token_us // 1000)
    gcra.now_us += retry_after * 1000
    assert rate.call(gcra, rate.burst)[0] == "Allowed"


@pytest.mark.parametrize(("limit", "burst"), [(3, 3), (7, 1000), (333, 50), (1, 1), (997, 997)])
def test_a_burst_is_exactly_burst_calls_at_one_moment(
    client: redis.Redis, limit: int, burst: int
) -> None:
    """Also where the time of a token is not a whole number of microseconds."""
    gcra = Clocked(client, "gcra")
    rate = Rate(limit, 1_000_000, burst)

    replies = [rate.call(gcra) for _ in range(burst + 1)]

    assert [numbers[0] for _, numbers in replies[:-1]] == list(range(burst - 1, -1, -1))
    assert replies[-1][0] == "Limited"


def test_five_per_second_waits_200_ms(client: redis.Redis) -> None:
    """The sequence of the header's first promise, to the millisecond."""
    gcra = Clocked(client, "gcra")
    rate = Rate(5, 1_000_000, 5)

    replies = [rate.call(gcra) for _ in range(6)]

    assert replies == [
        ("Allowed", [4, 200]),
        ("Allowed", [3, 400]),
        ("Allowed", [2, 600]),
        ("Allowed", [1, 800]),
        ("Allowed", [0, 1000]),
        ("Limited", [0, 200, 1000]),
    ]


def test_a_debt_is_kept_up_to_max_debt(client: redis.Redis) -> None:
    """A time beyond the burst, as a later correction leaves it, is forgiven at most to max_debt."""
    gcra = Clocked(client, "gcra")
    owed_us = gcra.now_us + (5 + 3) * 200_000

    client.set(gcra.key, owed_us)
    with_debt = gcra.call(5, 1_000_000, 5, 1, "consume", 10)
    kept = client.get(gcra.key)
    without = gcra.call(5, 1_000_000, 5, 1, "consume", 0)

    assert with_debt == ("Limited", [0, 800, 1600])
    assert kept == b"%d" % owed_us
    assert without == ("Limited", [0, 200, 1000])


def test_the_largest_rates_are_kept_exactly(client: redis.Redis) -> None:
    """366 days and a thousand million tokens: nothing is rounded on the way."""
    gcra = Clocked(client, "gcra")
    year_us = 31_622_400_000_000

    slow = Rate(1, year_us, 1)
    first, second = slow.call(gcra), slow.call(gcra)
    gcra.restart()
    fast = Rate(1_000_000_000, year_us, 1_000_000_000)
    taken = fast.call(gcra, 999_999_999)

    assert (first, second) == (
        ("Allowed", [0, 31_622_400_000]),
        ("Limited", [0, 31_622_400_000, 31_622_400_000]),
    )
    assert taken == ("Allowed", [1, -(-999_999_999 * 31_623 // 1000)])
