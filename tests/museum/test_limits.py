"""P1 to P10: limiters that let too many pass, or nobody ever again."""

from __future__ import annotations

import inspect
from datetime import timedelta

import pytest
import redis

from redislua.bindings import limit
from redislua.errors import InvalidArgument
from redislua.runtime import Call, run
from tests.limit.clocked import Clocked

SECOND = timedelta(seconds=1)

INCREMENT_THEN_EXPIRE = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then
  redis.call('EXPIRE', KEYS[1], ARGV[2])
end
if count > tonumber(ARGV[1]) then
  return 0
end
return 1
"""
"""The fixed window as it is mostly written: counts first, asks questions later."""

LOG_OF_CALLS = """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1] - ARGV[2])
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then
  return 0
end
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
"""
"""The sliding log with the caller's clock, and a member that the caller draws."""

REFILL = """
local tokens = tonumber(redis.call('HGET', KEYS[1], 'tokens') or ARGV[1])
local last = tonumber(redis.call('HGET', KEYS[1], 'last') or ARGV[3])
tokens = math.min(ARGV[1], tokens + (ARGV[3] - last) * ARGV[2])
local allowed = tokens >= tonumber(ARGV[4])
if allowed then
  tokens = tokens - ARGV[4]
end
redis.call('HSET', KEYS[1], 'tokens', tokens, 'last', ARGV[3])
redis.call('EXPIRE', KEYS[1], math.ceil(ARGV[1] / ARGV[2]))
return allowed and 1 or 0
"""
"""The token bucket with the caller's clock: capacity, tokens a second, now, cost."""


def windowed(window: timedelta = SECOND * 60) -> Call[limit.IncrementWithLimitReply]:
    return limit.increment_with_limit(subject="u", limit=3, window=window)


def test_p1_callers_of_one_millisecond_are_not_one_caller(client: redis.Redis) -> None:
    """A member drawn at random is drawn twice: here, as on a server that seeds each script anew."""
    log = client.register_script(LOG_OF_CALLS)
    passed = sum(log(keys=["log"], args=[1_000, 60_000, 5, "1000:396465"]) for _ in range(50))
    assert passed == 50

    ours = [
        run(client, limit.sliding_window(subject="u", limit=5, period=SECOND * 60))
        for _ in range(50)
    ]

    assert sum(isinstance(one, limit.SlidingWindowAllowed) for one in ours) == 5


def test_p3_no_caller_can_bring_its_own_time(client: redis.Redis) -> None:
    """One whose clock is a minute ahead throws everybody's calls away."""
    log = client.register_script(LOG_OF_CALLS)
    honest = [log(keys=["log"], args=[1_000, 60_000, 5, f"a{one}"]) for one in range(5)]
    ahead = [log(keys=["log"], args=[62_000, 60_000, 5, f"b{one}"]) for one in range(5)]
    assert sum(honest + ahead) == 10

    for function in (limit.sliding_window, limit.gcra, limit.token_bucket):
        names = set(inspect.signature(function).parameters)
        assert not names & {"now", "time", "timestamp", "clock"}


def test_p4_a_clock_that_was_set_back_mints_and_destroys_nothing(client: redis.Redis) -> None:
    bucket = client.register_script(REFILL)
    bucket(keys=["bucket"], args=[10, 1, 1_000, 1])
    bucket(keys=["bucket"], args=[10, 1, 970, 1])
    assert float(client.hget("bucket", "tokens") or 0) == -21

    ours = Clocked(client, "token_bucket", key="ours")
    call = limit.token_bucket(subject="u", capacity=10, refill=10, period=10 * SECOND)
    first = ours.call(*map(bytes.decode, call.args))
    ours.now_us -= 30_000_000
    second = ours.call(*map(bytes.decode, call.args))

    assert (first[0], second[0]) == ("Allowed", "Allowed")
    assert (first[1][0], second[1][0]) == (9, 8)


def test_p4_a_cost_below_nothing_mints_no_tokens(client: redis.Redis) -> None:
    bucket = client.register_script(REFILL)
    bucket(keys=["bucket"], args=[10, 1, 1_000, -1000])
    assert float(client.hget("bucket", "tokens") or 0) == 1010

    with pytest.raises(InvalidArgument, match="cost"):
        limit.token_bucket(subject="u", capacity=10, refill=1, period=SECOND, cost=-1000)


def test_p5_a_bad_window_leaves_no_counter_that_never_ends(client: redis.Redis) -> None:
    script = client.register_script(INCREMENT_THEN_EXPIRE)
    with pytest.raises(redis.ResponseError):
        script(keys=["counter"], args=[3, "0.5"])
    assert (client.get("counter"), client.ttl("counter")) == (b"1", -1)
    assert [script(keys=["counter"], args=[3, 60]) for _ in range(4)] == [1, 1, 0, 0]
    assert client.ttl("counter") == -1  # locked out for good

    call = windowed()
    with pytest.raises(redis.ResponseError, match="RLUA_BAD_ARGUMENT window"):
        client.eval(call.script.source.decode(), 1, *call.keys, call.args[0], "0.5", *call.args[2:])

    assert not client.exists(*call.keys)


def test_p5_a_counter_that_lost_its_expiry_gets_one_again(client: redis.Redis) -> None:
    call = windowed()
    run(client, call)
    client.persist(call.keys[0])

    run(client, call)

    assert 0 < client.pttl(call.keys[0]) <= 60_000


@pytest.mark.parametrize("rate", ["0", "nan", "1e-18"])
def test_p6_a_rate_of_nothing_leaves_nothing_behind(client: redis.Redis, rate: str) -> None:
    bucket = client.register_script(REFILL)
    with pytest.raises(redis.ResponseError):
        bucket(keys=["bucket"], args=[10, rate, 1_000, 1])
    assert client.ttl("bucket") == -1

    good = limit.token_bucket(subject="u", capacity=10, refill=1, period=SECOND)
    with pytest.raises(redis.ResponseError, match=r"RLUA_BAD_(ARGUMENT|RATE)"):
        client.eval(good.script.source.decode(), 1, *good.keys, good.args[0], rate, *good.args[2:])

    assert not client.exists(*good.keys)


def test_p7_a_refused_call_does_not_count(client: redis.Redis) -> None:
    script = client.register_script(INCREMENT_THEN_EXPIRE)
    for _ in range(10):
        script(keys=["counter"], args=[3, 60])
    assert client.get("counter") == b"10"

    last = [run(client, windowed()) for _ in range(10)][-1]

    assert isinstance(last, limit.IncrementWithLimitCapped)
    assert last.value == 3


def test_p8_a_window_of_nothing_is_refused_and_not_endless(client: redis.Redis) -> None:
    script = client.register_script(INCREMENT_THEN_EXPIRE)
    assert [script(keys=["counter"], args=[3, 0]) for _ in range(8)] == [1] * 8

    with pytest.raises(InvalidArgument, match="window"):
        windowed(window=timedelta(0))


def test_p9_a_limit_that_is_no_number_is_refused(client: redis.Redis) -> None:
    script = client.register_script(INCREMENT_THEN_EXPIRE)
    assert [script(keys=["counter"], args=["nan", 60]) for _ in range(6)] == [1] * 6

    call = windowed()
    with pytest.raises(redis.ResponseError, match="RLUA_BAD_ARGUMENT limit"):
        client.eval(call.script.source.decode(), 1, *call.keys, "nan", *call.args[1:])


def test_p10_twice_the_limit_at_the_edge_of_a_window_is_not_for_gcra(
    client: redis.Redis,
) -> None:
    """Windows that begin anew: all of one at its end, all of the next at its beginning."""
    ours = Clocked(client, "gcra", key="ours")
    call = limit.gcra(subject="u", limit=100, period=SECOND, burst=100)
    ours.now_us += 900_000

    before = [ours.call(*map(bytes.decode, call.args))[0] for _ in range(100)]
    ours.now_us += 200_000
    after = [ours.call(*map(bytes.decode, call.args))[0] for _ in range(100)]

    assert before.count("Allowed") == 100
    assert after.count("Allowed") == 20  # what 200 ms have earned
