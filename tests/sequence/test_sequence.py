"""`sequence.next`: numbers that grow, whatever becomes of the key and of the callers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest
import redis

from redislua.bindings import sequence
from redislua.errors import OutOfMemory
from redislua.runtime import Call, run
from redislua.spec.model import MAX_SAFE_INTEGER

KEY = "sequence:{orders}:last"


def take(count: int = 1, **options: Any) -> Call[sequence.NextRange]:
    return sequence.next(name="orders", count=count, **options)


def test_numbers_grow_and_blocks_do_not_overlap(call: Any) -> None:
    blocks = [call(take(count)) for count in (1, 1000, 1, 50)]

    assert [block.count for block in blocks] == [1, 1000, 1, 50]
    assert all(one.first + one.count <= two.first for one, two in pairwise(blocks))


def test_a_call_that_comes_twice_leaves_a_gap_and_no_number_twice(call: Any) -> None:
    sample = take(10)
    first, second = call(sample), call(sample)

    assert first.first + 10 <= second.first


def test_the_key_may_be_lost(call: Any, client: Any) -> None:
    before = call(take(1000))
    client.delete(KEY)

    # The numbers of a block are those of as many microseconds.
    assert call(take()).first > before.first


def test_the_key_is_kept_for_as_long_as_the_clock_may_be_set_back(call: Any, client: Any) -> None:
    call(take(keep=60_000))

    assert 50_000 < client.pttl(KEY) <= 61_000


def test_callers_at_the_same_moment_get_different_numbers(client: redis.Redis) -> None:
    with ThreadPoolExecutor(8) as threads:
        blocks = list(threads.map(lambda _: run(client, take(7)), range(400)))

    numbers = [block.first + offset for block in blocks for offset in range(7)]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "1e3", "", str(MAX_SAFE_INTEGER + 2)])
def test_a_state_that_is_no_number_is_an_error_and_stays(call: Any, client: Any, text: str) -> None:
    client.set(KEY, text, px=60_000)

    with pytest.raises(sequence.BadStateError):
        call(take())

    assert client.get(KEY) == text.encode()


def test_beyond_the_exact_numbers_there_is_no_next(call: Any, client: Any) -> None:
    client.set(KEY, str(MAX_SAFE_INTEGER - 1), px=60_000)

    with pytest.raises(sequence.BadStateError, match="cannot grow"):
        call(take(2))

    assert call(take(1)) == sequence.NextRange(MAX_SAFE_INTEGER, 1)


def test_a_full_server_hands_out_no_numbers(client: redis.Redis, make_full: Any) -> None:
    make_full()

    with pytest.raises(OutOfMemory):
        run(client, take())
    assert not client.exists(KEY)
