"""Properties of ``limit.sliding_window_counter`` under a clock that the test sets."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.limit.clocked import Clocked

MANY = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
YEAR_US = 31_622_400_000_000


@dataclass
class Windows:
    """Two windows in integers without a bound: what the script must equal."""

    ends_us: int = 0
    current: int = 0
    previous: int = 0

    def call(self, limit: int, period_us: int, now_us: int, cost: int) -> tuple[str, int]:
        """The verdict and what remains. A refusal is stored only where it cuts the end back."""
        ends_us, current, previous = self.ends_us, self.current, self.previous
        if now_us >= ends_us + period_us:
            ends_us, current, previous = now_us + period_us, 0, 0
        elif now_us >= ends_us:
            ends_us, current, previous = ends_us + period_us, 0, current
        self.ends_us = min(self.ends_us, now_us + period_us)
        left_us = min(ends_us - now_us, period_us)
        estimate = current - (-previous * left_us // period_us)
        if estimate + cost > limit:
            return "Limited", max(limit - estimate, 0)
        self.ends_us, self.current, self.previous = now_us + left_us, current + cost, previous
        return "Allowed", limit - estimate - cost


@dataclass(frozen=True)
class Rule:
    """A configuration."""

    limit: int
    period_us: int


rules = st.builds(
    Rule,
    st.one_of(st.integers(1, 20), st.integers(1, 1_000_000_000)),
    st.one_of(st.integers(1_000, 2_000_000), st.integers(1_000, YEAR_US)),
)


def steps(low: int) -> st.SearchStrategy[list[tuple[int, int]]]:
    """Per call, in thousandths: the clock's step of the period, the cost of the limit."""
    step = st.one_of(st.just(0), st.integers(0, 100), st.integers(low, 2_100))
    return st.lists(st.tuples(step, st.integers(1, 600)), min_size=1, max_size=40)


def price(rule: Rule, thousandths: int) -> int:
    """A part of the limit, at least 1."""
    return rule.limit * thousandths // 1000 or 1


@MANY
@given(rule=rules, script=steps(-3_000))
def test_the_estimate_is_exact_at_every_size(
    client: redis.Redis, rule: Rule, script: list[tuple[int, int]]
) -> None:
    """Verdict and remaining equal those of integers without a bound, to 366 days and 10^9."""
    window, windows = Clocked(client, "sliding_window_counter"), Windows()
    window.restart()

    for step, part in script:
        window.now_us += rule.period_us * step // 1000
        cost = price(rule, part)
        expected = windows.call(rule.limit, rule.period_us, window.now_us, cost)
        variant, (remaining, *_) = window.call(rule.limit, rule.period_us, cost, "consume")
        assert (variant, remaining) == expected


large = st.builds(Rule, st.integers(10**6, 1_000_000_000), st.integers(10**10, YEAR_US))


@MANY
@given(
    rule=large,
    counted=st.integers(10**6, 1_000_000_000),
    left=st.fractions(0, 1),
    part=st.integers(0, 1_000),
)
def test_products_beyond_2_53_are_exact(
    client: redis.Redis, rule: Rule, counted: int, left: Fraction, part: int
) -> None:
    """The estimate and the wait, where no double holds count * time."""
    window = Clocked(client, "sliding_window_counter")
    window.restart()
    left_us = int(rule.period_us * left) or 1
    ends_us = window.now_us + left_us
    client.hset(window.key, mapping={"v": 1, "e": ends_us, "c": 0, "p": counted})
    cost = rule.limit * part // 1000
    room = rule.limit - cost
    estimate = -(-counted * left_us // rule.period_us)

    variant, numbers = window.call(rule.limit, rule.period_us, cost, "peek")

    assert numbers[0] == max(rule.limit - estimate, 0)
    if estimate <= room:
        assert variant == "Allowed"
    else:
        wait_us = left_us - room * rule.period_us // counted
        assert (variant, numbers[1]) == ("Limited", -(-wait_us // 1000))


@MANY
@given(rule=rules, script=steps(0))
def test_no_period_holds_twice_the_limit(
    client: redis.Redis, rule: Rule, script: list[tuple[int, int]]
) -> None:
    """The worst that the estimate allows, in any span shorter than a period."""
    window = Clocked(client, "sliding_window_counter")
    window.restart()
    granted = []
    for step, part in script:
        window.now_us += rule.period_us * step // 1000
        cost = price(rule, part)
        variant, _ = window.call(rule.limit, rule.period_us, cost, "consume")
        granted.append((window.now_us, cost if variant == "Allowed" else 0))

    for first, (start_us, _) in enumerate(granted):
        span = [cost for at_us, cost in granted[first:] if at_us < start_us + rule.period_us]
        assert sum(span) < 2 * rule.limit


@MANY
@given(rule=rules, script=steps(-1_000), part=st.integers(1, 1_000))
def test_retry_after_is_the_first_millisecond_that_grants(
    client: redis.Redis, rule: Rule, script: list[tuple[int, int]], part: int
) -> None:
    """After retry_after the same call is granted, one millisecond earlier it is not."""
    window = Clocked(client, "sliding_window_counter")
    window.restart()
    for step, taken in script:
        window.now_us += rule.period_us * step // 1000
        window.call(rule.limit, rule.period_us, price(rule, taken), "consume")
    cost = price(rule, part)
    variant, numbers = window.call(rule.limit, rule.period_us, cost, "consume")
    asked_us = window.now_us

    if variant == "Limited":
        _, retry_after, reset_after = numbers
        assert 1 <= retry_after <= reset_after
        window.now_us = asked_us + (retry_after - 1) * 1000
        assert window.call(rule.limit, rule.period_us, cost, "peek")[0] == "Limited"
        window.now_us = asked_us + retry_after * 1000
        assert window.call(rule.limit, rule.period_us, cost, "peek")[0] == "Allowed"


@MANY
@given(rule=rules, script=steps(0))
def test_after_reset_after_nothing_counts(
    client: redis.Redis, rule: Rule, script: list[tuple[int, int]]
) -> None:
    """The whole limit is there then, and not a millisecond earlier."""
    window = Clocked(client, "sliding_window_counter")
    window.restart()
    for step, part in script:
        window.now_us += rule.period_us * step // 1000
        window.call(rule.limit, rule.period_us, price(rule, part), "consume")
    _, (*_, reset_after) = window.call(rule.limit, rule.period_us, 0, "peek")
    asked_us = window.now_us
    window.now_us = asked_us + reset_after * 1000

    full = ("Allowed", [rule.limit, 0])
    assert window.call(rule.limit, rule.period_us, 0, "peek") == full
    if reset_after:
        window.now_us -= 1000
        assert window.call(rule.limit, rule.period_us, 0, "peek") != full


@MANY
@given(rule=rules, back_us=st.integers(1, 10**15))
def test_a_clock_set_back_refuses_for_two_periods_at_most(
    client: redis.Redis, rule: Rule, back_us: int
) -> None:
    """The first call after the jump already says how long, and it is true."""
    window = Clocked(client, "sliding_window_counter")
    window.restart()
    window.call(rule.limit, rule.period_us, rule.limit, "consume")
    window.now_us -= back_us
    variant, numbers = window.call(rule.limit, rule.period_us, rule.limit, "consume")

    assert (variant, numbers[0]) == ("Limited", 0)
    assert numbers[1] <= -(-2 * rule.period_us // 1000)
    window.now_us += numbers[1] * 1000
    assert window.call(rule.limit, rule.period_us, rule.limit, "consume")[0] == "Allowed"


def test_half_of_the_window_before_counts_half_way_through(client: redis.Redis) -> None:
    """Ten calls in one window: half a window into the next there is room for five."""
    window = Clocked(client, "sliding_window_counter")
    second = 1_000_000

    assert window.call(10, second, 10, "consume") == ("Allowed", [0, 2000])
    assert window.call(10, second, 1, "consume") == ("Limited", [0, 1100, 2000])
    window.now_us += second + second // 2
    assert window.call(10, second, 6, "consume") == ("Limited", [5, 100, 500])
    assert window.call(10, second, 5, "consume") == ("Allowed", [0, 1500])


def test_a_window_ends_with_its_last_microsecond(client: redis.Redis) -> None:
    """At its end the next one begins: what is granted then counts in that one."""
    window = Clocked(client, "sliding_window_counter")
    second = 1_000_000

    window.call(10, second, 5, "consume")
    window.now_us += second
    assert window.call(10, second, 5, "consume") == ("Allowed", [0, 2000])
    window.now_us += second // 2
    assert window.call(10, second, 0, "peek") == ("Allowed", [2, 1500])

    window.now_us += second + second // 2
    assert window.call(10, second, 10, "consume") == ("Allowed", [0, 2000])
    window.now_us += second // 2
    assert window.call(10, second, 0, "peek") == ("Allowed", [0, 1500])


def test_a_refused_cost_does_not_count(client: redis.Redis) -> None:
    """Nine and then nine of ten: the second is refused and leaves one for another."""
    window = Clocked(client, "sliding_window_counter")

    replies = [window.call(10, 1_000_000, cost, "consume")[0] for cost in (9, 9, 1, 1)]

    assert replies == ["Allowed", "Limited", "Allowed", "Limited"]


def test_a_shorter_period_forgets_nothing_at_once(client: redis.Redis) -> None:
    """What was counted over a minute counts on, as of the present, when a second is asked for."""
    window = Clocked(client, "sliding_window_counter")
    window.call(10, 60_000_000, 10, "consume")
    window.now_us += 30_000_000

    assert window.call(10, 1_000_000, 1, "consume") == ("Limited", [0, 1100, 2000])
    window.now_us += 1_100_000
    assert window.call(10, 1_000_000, 1, "consume") == ("Allowed", [0, 1900])


def test_a_longer_period_counts_the_window_that_is_open(client: redis.Redis) -> None:
    """What was counted over a second counts against a minute."""
    window = Clocked(client, "sliding_window_counter")
    window.call(10, 1_000_000, 10, "consume")
    window.now_us += 500_000

    assert window.call(10, 60_000_000, 1, "consume")[0] == "Limited"
