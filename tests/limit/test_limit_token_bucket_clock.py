"""Properties of ``limit.token_bucket`` under a clock that the test sets."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.limit.clocked import EPOCH_US, Clocked

MANY = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
YEAR_US = 31_622_400_000_000
MILLIONTH = Fraction(1, 1_000_000)


@dataclass(frozen=True)
class Rate:
    """A configuration that the script accepts, and the arguments it makes."""

    capacity: int
    refill: int
    period_us: int

    def earned(self, elapsed_us: int) -> Fraction:
        """What the rate gives in a time, exactly, in tokens."""
        return Fraction(elapsed_us * self.refill, self.period_us)

    def call(self, bucket: Clocked, cost: int, mode: str = "consume") -> tuple[str, list[int]]:
        """Take, or look."""
        return bucket.call(self.capacity, self.refill, self.period_us, cost, "", mode)


@st.composite
def rates(draw: st.DrawFn) -> Rate:
    """Rates of every size, whole seconds and odd numbers of microseconds alike."""
    refill = draw(st.one_of(st.integers(1, 100), st.integers(1, 1_000_000_000)))
    period_us = draw(
        st.one_of(
            st.integers(1, 31_622_400).map(lambda seconds: seconds * 1_000_000),
            st.integers(1_000, YEAR_US),
        )
    )
    most = min(max(YEAR_US * refill // period_us, 1), 1_000_000_000)
    if period_us > YEAR_US * refill:
        refill = period_us // YEAR_US + 1
    return Rate(
        draw(st.one_of(st.integers(1, min(50, most)), st.integers(1, most))), refill, period_us
    )


def steps(low: int) -> st.SearchStrategy[list[tuple[int, int]]]:
    """Per call, in thousandths: the clock's step of the time to fill, the cost of capacity."""
    return st.lists(st.tuples(st.integers(low, 700), st.integers(1, 1_000)), max_size=25)


def step_us(rate: Rate, thousandths: int) -> int:
    """A part of the time that the bucket takes to fill, at least one microsecond."""
    return rate.capacity * rate.period_us * thousandths // (rate.refill * 1000) or 1


def price(rate: Rate, thousandths: int) -> int:
    """A part of the capacity, at least one token."""
    return rate.capacity * thousandths // 1000 or 1


def stored(client: redis.Redis, bucket: Clocked) -> Fraction:
    """The balance as it stands in the hash, in tokens."""
    millionths = client.hget(bucket.key, "b")
    assert millionths is not None
    return int(millionths) * MILLIONTH


@MANY
@given(rate=rates(), script=steps(-700))
def test_tokens_are_never_created(
    client: redis.Redis, rate: Rate, script: list[tuple[int, int]]
) -> None:
    """Never more than a bucket of exact fractions has; a clock set back earns nothing."""
    bucket = Clocked(client, "token_bucket")
    bucket.restart()
    exact = Fraction(rate.capacity)
    for step, part in script:
        forward_us = step_us(rate, step)
        bucket.now_us += forward_us
        exact = min(exact + rate.earned(max(forward_us, 0)), Fraction(rate.capacity))
        cost = price(rate, part)
        variant, (remaining, *_) = rate.call(bucket, cost)
        if variant == "Allowed":
            exact -= cost
            assert stored(client, bucket) <= exact
        assert remaining <= exact


@MANY
@given(rate=rates(), script=steps(1))
def test_tokens_are_hardly_ever_lost(
    client: redis.Redis, rate: Rate, script: list[tuple[int, int]]
) -> None:
    """Never less than a bucket of exact fractions has, but for two millionths per grant."""
    bucket = Clocked(client, "token_bucket")
    bucket.restart()
    exact, slack = Fraction(rate.capacity), 2 * MILLIONTH
    for step, part in script:
        forward_us = step_us(rate, step)
        bucket.now_us += forward_us
        exact = min(exact + rate.earned(forward_us), Fraction(rate.capacity))
        cost = price(rate, part)
        variant, (remaining, *_) = rate.call(bucket, cost)
        if variant == "Allowed":
            exact -= cost
            assert stored(client, bucket) > exact - slack
            slack += 2 * MILLIONTH
        else:
            assert exact - slack < cost
        assert remaining > exact - slack - 1


@MANY
@given(rate=rates(), script=steps(-300), part=st.integers(1, 1_000))
def test_after_retry_after_the_call_is_granted(
    client: redis.Redis, rate: Rate, script: list[tuple[int, int]], part: int
) -> None:
    """Granted then; and earlier by a millisecond and what rounding may cost, not."""
    bucket = Clocked(client, "token_bucket")
    bucket.restart()
    for step, taken in script:
        bucket.now_us += step_us(rate, step)
        rate.call(bucket, price(rate, taken))
    rate.call(bucket, rate.capacity)
    cost = price(rate, part)
    variant, numbers = rate.call(bucket, cost)
    asked_us = bucket.now_us

    if variant == "Limited":
        _, retry_after, reset_after = numbers
        assert 1 <= retry_after <= reset_after
        bucket.now_us = asked_us + retry_after * 1000
        assert rate.call(bucket, cost, "peek")[0] == "Allowed"
        bucket.now_us -= 1000 + 4 * step_us(Rate(1, rate.refill, rate.period_us), 1) // 1000 + 1
        if bucket.now_us >= asked_us:
            assert rate.call(bucket, cost, "peek")[0] == "Limited"


@MANY
@given(rate=rates(), script=steps(1))
def test_after_reset_after_the_bucket_is_full(
    client: redis.Redis, rate: Rate, script: list[tuple[int, int]]
) -> None:
    """The reply says when all of capacity can be taken at once, and it can."""
    bucket = Clocked(client, "token_bucket")
    bucket.restart()
    for step, taken in script:
        bucket.now_us += step_us(rate, step)
        rate.call(bucket, price(rate, taken))
    _, (*_, reset_after) = rate.call(bucket, 1, "peek")
    bucket.now_us += reset_after * 1000

    assert rate.call(bucket, rate.capacity, "peek") == ("Allowed", [rate.capacity, 0])


@MANY
@given(rate=rates(), back_us=st.integers(1, 10**15))
def test_a_clock_set_back_neither_mints_nor_destroys(
    client: redis.Redis, rate: Rate, back_us: int
) -> None:
    """The balance is the same after the jump, and fills from there, not from the old time."""
    bucket = Clocked(client, "token_bucket")
    bucket.restart()
    half = price(rate, 500)
    _, (left, *_) = rate.call(bucket, half)
    bucket.now_us -= back_us
    assert rate.call(bucket, 0, "peek")[1][0] == left

    if left < rate.capacity:
        variant, (remaining, retry_after, _) = rate.call(bucket, left + 1)
        assert (variant, remaining) == ("Limited", left)
        bucket.now_us += retry_after * 1000
        assert rate.call(bucket, left + 1)[0] == "Allowed"


def test_a_product_that_rounds_up_creates_nothing(client: redis.Redis) -> None:
    """The time was searched for: doubles give a millionth more than was earned."""
    bucket = Clocked(client, "token_bucket")
    rate = Rate(255_513_575, 255_513_575, 19_153_054_952_229)
    rate.call(bucket, rate.capacity)
    bucket.now_us += 1_226_367_979_051

    assert rate.call(bucket, 1)[0] == "Allowed"
    assert stored(client, bucket) <= rate.earned(1_226_367_979_051) - 1


def test_one_token_a_second_is_exact(client: redis.Redis) -> None:
    """Nothing is rounded where it need not be: a token after exactly a second."""
    bucket = Clocked(client, "token_bucket")
    rate = Rate(3, 1, 1_000_000)

    assert rate.call(bucket, 3) == ("Allowed", [0, 3000])
    bucket.now_us += 999_999
    assert rate.call(bucket, 1) == ("Limited", [0, 1, 2001])
    bucket.now_us += 1
    assert rate.call(bucket, 1) == ("Allowed", [0, 3000])


def test_refusals_do_not_hold_up_a_slow_refill(client: redis.Redis) -> None:
    """One token a day, asked for every second: fractions below a millionth are not lost."""
    bucket = Clocked(client, "token_bucket")
    rate = Rate(1, 1, 86_400_000_000)
    rate.call(bucket, 1)

    for _ in range(2_000):
        bucket.now_us += 1_000_000
        variant, (_, retry_after, _) = rate.call(bucket, 1)
        assert variant == "Limited"
    bucket.now_us += retry_after * 1000

    assert bucket.now_us - EPOCH_US == 86_400_000_000
    assert rate.call(bucket, 1)[0] == "Allowed"


def test_a_lowered_capacity_cuts_the_balance_and_a_raised_one_does_not_fill_it(
    client: redis.Redis,
) -> None:
    """The stored balance is kept within what the call at hand allows."""
    bucket = Clocked(client, "token_bucket")
    Rate(100, 1, 1_000_000).call(bucket, 10)

    assert Rate(20, 1, 1_000_000).call(bucket, 1) == ("Allowed", [19, 1000])
    assert Rate(100, 1, 1_000_000).call(bucket, 1) == ("Allowed", [18, 82_000])


def test_without_refill_the_bucket_fills_by_its_expiry_alone(client: redis.Redis) -> None:
    """retry_after leads to the expiry, to the microsecond, which refusals do not put off."""
    bucket = Clocked(client, "token_bucket")
    bucket.now_us += 999
    frozen = (3, 0, 1_000_000, 2, 500, "consume")

    assert bucket.call(3, 0, 1_000_000, 2, 500, "peek") == ("Allowed", [3, 0])
    assert bucket.call(*frozen) == ("Allowed", [1, 501])
    bucket.now_us += 400_000
    assert bucket.call(*frozen) == ("Limited", [1, 101, 101])
    bucket.now_us += 100_000
    assert bucket.call(*frozen) == ("Limited", [1, 1, 1])
    bucket.now_us += 1
    assert bucket.call(*frozen) == ("Allowed", [1, 501])


def test_without_refill_a_clock_set_back_refuses_for_idle_at_most(client: redis.Redis) -> None:
    """An expiry from before the jump is brought near; so is one that went missing."""
    bucket = Clocked(client, "token_bucket")
    frozen = (1, 0, 1_000_000, 1, 500, "consume")
    bucket.call(*frozen)
    bucket.now_us -= 3_600_000_000

    assert bucket.call(*frozen) == ("Limited", [0, 501, 501])
    bucket.now_us += 501_000
    assert bucket.call(*frozen)[0] == "Allowed"
    client.persist(bucket.key)
    assert bucket.call(*frozen) == ("Limited", [0, 501, 501])
    bucket.now_us += 501_000
    assert bucket.call(*frozen)[0] == "Allowed"


def test_idle_keeps_a_bucket_longer_than_its_refill(client: redis.Redis) -> None:
    """A bucket is forgotten when it is full, and not before idle; meanwhile it is just full."""
    bucket = Clocked(client, "token_bucket")

    bucket.call(10, 10, 1_000_000, 1, 5_000, "consume")
    long = client.pexpiretime(bucket.key)
    bucket.now_us += 3_000_000
    assert bucket.call(10, 10, 1_000_000, 1, "", "peek") == ("Allowed", [10, 0])
    bucket.now_us -= 3_000_000
    bucket.call(10, 10, 1_000_000, 9, 1, "consume")
    short = client.pexpiretime(bucket.key)

    assert long - bucket.now_us // 1000 == 5_000
    assert short - bucket.now_us // 1000 == 1_000
