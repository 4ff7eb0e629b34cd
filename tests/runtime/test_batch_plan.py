"""The plan of a batch: the tests play the server, without a socket."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from redislua.errors import (
    OutcomeUnknown,
    WrongType,
)
from redislua.runtime import Call
from redislua.runtime.batch import many
from redislua.runtime.settings import Settings
from redislua.runtime.steps import MOST_BYTES, Address, Lost, NotSent, Pause, Send
from redislua.runtime.transaction import transaction
from tests.runtime.samples import call as sample
from tests.runtime.samples import incr

NOSCRIPT = redis.exceptions.NoScriptError("No matching script.")
NEVER = 1e9


class OneServer:
    """What a batch must know of the one server of a client."""

    topology = None
    settings = Settings()

    def __init__(self, known: set[str]) -> None:
        self._known = known

    def way(self, call: Call[Any]) -> tuple[None, bool]:
        del call
        return None, False

    def known_by(self, to: Address | None) -> set[str]:
        assert to is None
        return self._known


def start(calls: list[Call[Any]], known: set[str]) -> tuple[Any, Any]:
    servers = OneServer(known)
    plan = many(calls, servers, until=NEVER, clock=lambda: 0.0, jitter=lambda: 0.5)
    return plan, next(plan)


def names(send: Any) -> list[Any]:
    assert isinstance(send, Send)
    return [command[0] for command in send.commands]


def end(plan: Any, replies: Any) -> Any:
    with pytest.raises(StopIteration) as done:
        plan.send(replies)
    return done.value.value


def test_scripts_that_the_server_may_lack_travel_once_at_the_head_of_the_same_write():
    one, two = incr("safe"), sample("return 2")
    known: set[str] = set()

    plan, send = start([one, two, one], known)

    assert names(send) == ["SCRIPT", "SCRIPT", "EVALSHA", "EVALSHA", "EVALSHA"]
    assert [command[2] for command in send.commands[:2]] == [one.script.source, two.script.source]
    assert end(plan, [b"", b"", 1, 2, 3]) == [1, 2, 3]
    assert known == {one.script.sha1, two.script.sha1}


def test_in_the_steady_state_nothing_but_the_calls_is_sent():
    one = incr("safe")

    plan, send = start([one] * 3, {one.script.sha1})

    assert names(send) == ["EVALSHA"] * 3
    assert end(plan, [1, 2, 3]) == [1, 2, 3]


def test_a_call_that_met_a_flushed_cache_is_healed_alone():
    one, two = incr("never"), sample("return 2")
    known = {one.script.sha1, two.script.sha1}
    plan, _ = start([one, two, one], known)

    healing = plan.send([1, NOSCRIPT, 2])

    assert names(healing) == ["SCRIPT", "EVALSHA"]
    assert healing.commands[1][1] == two.script.sha1
    assert end(plan, [b"", 2]) == [1, 2, 2]


def test_each_call_has_its_own_end():
    wrong = redis.ResponseError("WRONGTYPE Operation against a key")
    plan, _ = start([incr("safe")] * 3, set())

    first, second, third = end(plan, [b"", 1, wrong, 2])

    assert (first, third) == (1, 2)
    assert isinstance(second, WrongType)


@pytest.mark.parametrize(("count", "writes"), [(1, [1]), (256, [256]), (600, [256, 256, 88])])
def test_a_write_holds_256_calls(count, writes):
    one = incr("safe")
    plan, send = start([one] * count, {one.script.sha1})

    seen = []
    for size in writes[:-1]:
        seen.append(len(send.commands))
        send = plan.send([1] * size)
    seen.append(len(send.commands))

    assert seen == writes
    assert end(plan, [1] * writes[-1]) == [1] * count


def test_a_write_holds_a_mebibyte():
    big = incr("safe", marker=b"x" * (MOST_BYTES // 4))
    plan, send = start([big] * 5, {big.script.sha1})

    assert len(send.commands) == 3  # the keys count too
    assert len(plan.send([1] * 3).commands) == 2
    larger = incr("safe", marker=b"x" * (2 * MOST_BYTES))
    _, alone = start([larger], {larger.script.sha1})
    assert len(alone.commands) == 1


def test_of_a_lost_write_what_was_answered_counts_and_never_is_not_sent_again():
    never, safe = incr("never"), sample("return 2", retry="safe")
    plan, _ = start([never, safe, never], {never.script.sha1, safe.script.sha1})

    pause = plan.throw(Lost(redis.ConnectionError("gone"), [1]))

    assert isinstance(pause, Pause)
    assert names(plan.send(())) == ["EVALSHA"]
    first, second, third = end(plan, [2])
    assert (first, second) == (1, 2)
    assert isinstance(third, OutcomeUnknown)


def test_a_write_that_did_not_leave_is_tried_again_whole():
    plan, _ = start([incr("never")] * 2, {incr("never").script.sha1})

    pause = plan.throw(NotSent(redis.ConnectionError("refused")))

    assert isinstance(pause, Pause)
    assert names(plan.send(())) == ["EVALSHA"] * 2
    assert end(plan, [1, 2]) == [1, 2]


def test_a_transaction_carries_its_scripts_and_is_one_write():
    one, two = incr("never"), sample("return 2")
    plan = transaction([one, two, one], until=NEVER)

    send = next(plan)

    assert names(send) == ["MULTI", "SCRIPT", "SCRIPT", *["EVALSHA"] * 3, "EXEC"]
    queued = [b"OK", *[b"QUEUED"] * 5]
    assert end(plan, [*queued, [b"", b"", 1, 2, 2]]) == [1, 2, 2]


def test_calls_that_ran_outside_a_refused_multi_are_unknown():
    """MULTI met a loading server, and the calls behind it one that was ready."""
    plan = transaction([incr("safe")], until=NEVER)
    next(plan)
    loading = redis.exceptions.BusyLoadingError("loading", status_code="LOADING")

    with pytest.raises(OutcomeUnknown, match="MULTI was refused"):
        plan.send([loading, b"", 1, redis.ResponseError("EXEC without MULTI")])


def test_a_transaction_that_was_refused_whole_is_tried_again():
    plan = transaction([incr("never")], until=NEVER)
    next(plan)
    busy = redis.ResponseError("BUSY Valkey is busy running a script.")

    assert isinstance(plan.send([busy] * 4), Pause)
