"""Reads from replicas, and the question who serves what: the tests play the nodes."""

from __future__ import annotations

from typing import Any

import pytest
import redis.exceptions as said

from redislua.errors import (
    CallError,
    NotExecuted,
    ServerUnreachable,
)
from redislua.runtime import Call
from redislua.runtime.slots import Topology
from redislua.runtime.steps import Address, Lost, NotSent, Send
from tests.cluster.plans import (
    A2,
    B2,
    C2,
    CALL,
    CLOSED,
    NOPERM,
    NOSCRIPT,
    REFUSED,
    SEED,
    SLOT_A,
    SLOT_B,
    STRANGER,
    WHOLE,
    A,
    B,
    C,
    Clock,
    asked,
    evalsha,
    incr,
    load_of,
    moved,
    paused,
    play,
    run,
    topology,
)

# --- replicas --------------------------------------------------------------------------------

GET = incr(read_only=True, body="GET", retry="safe")


def test_reads_go_to_replicas_with_the_commands_that_replicas_take() -> None:
    plan = run(topology("replicas"), GET)

    assert next(plan) == Send(evalsha(GET, read_only=True), to=A2)
    assert plan.send([NOSCRIPT]) == Send(load_of(GET), evalsha(GET, read_only=True), to=A2)
    assert plan.send([NOPERM, NOSCRIPT]).commands[0][0] == "EVAL_RO"


def test_writes_go_to_primaries_and_so_do_reads_of_clients_that_say_nothing() -> None:
    assert next(run(topology("replicas"))) == Send(evalsha(CALL), to=A)
    assert next(run(topology("primary"), GET)) == Send(evalsha(GET), to=A)


@pytest.mark.parametrize(
    "trouble",
    [
        NotSent(REFUSED),
        Lost(CLOSED),
        [said.MasterDownError("Link with MASTER is down", status_code="MASTERDOWN")],
        [said.BusyLoadingError("loading", status_code="LOADING")],
    ],
    ids=["refused", "lost", "MASTERDOWN", "LOADING"],
)
def test_a_replica_in_trouble_is_replaced_by_the_primary(trouble: Any) -> None:
    plan = run(topology("replicas"), GET)
    assert next(plan).to == A2

    answer = plan.send if isinstance(trouble, list) else plan.throw
    assert paused(answer(trouble))
    asked(plan.send(()))
    assert plan.send([WHOLE]).to == A


def test_a_replica_that_sends_on_is_followed() -> None:
    """As one does that was given another primary, or while the slot moves."""
    plan = run(topology("replicas"), GET)
    next(plan)

    assert plan.send([moved(SLOT_A, A)]) == Send(evalsha(GET, read_only=True), to=A)


def test_a_read_without_keys_may_go_to_any_node() -> None:
    call = Call(GET.script, (), (), decode=int)
    known = topology("any")

    assert {next(run(known, call)).to for _ in range(300)} == {A, B, C, A2, B2, C2}


# --- who asks --------------------------------------------------------------------------------


def test_of_several_callers_one_asks_and_all_go_on() -> None:
    known = Topology([SEED])
    one, two = run(known), run(known, incr(SLOT_B))
    asked(next(one))
    assert paused(next(two))
    assert paused(two.send(())), "still being asked"

    assert one.send([WHOLE]).to == A
    assert two.send(()).to == B


def test_when_the_one_who_asks_fails_the_next_asks() -> None:
    known = Topology([SEED])
    one, two = run(known), run(known, incr(SLOT_B))
    next(one)
    next(two)

    assert paused(one.throw(NotSent(REFUSED)))
    assert asked(two.send(())) == SEED
    assert two.send([WHOLE]).to == B


def test_one_who_gives_up_while_asking_leaves_the_asking_to_others() -> None:
    """A cancelled task, or an interrupted thread."""
    known = Topology([SEED])
    one, two = run(known), run(known)
    next(one)
    one.close()

    assert asked(next(two)) == SEED


def test_a_waiting_caller_is_not_held_beyond_its_deadline() -> None:
    known, clock = Topology([SEED]), Clock()
    asking = run(known)
    next(asking)

    def nothing_is_sent(send: Send) -> Any:
        raise AssertionError(send)

    with pytest.raises(ServerUnreachable):
        play(run(known, until=1.0, clock=clock), clock, nothing_is_sent)
    assert clock.now < 1.1


def test_a_caller_whose_node_is_known_does_not_wait_for_the_answer_to_another() -> None:
    """Else one node that hangs holds up the calls to all."""
    known = topology()
    broken = run(known)
    next(broken)
    broken.throw(NotSent(REFUSED))
    asked(broken.send(()))

    assert next(run(known, incr(SLOT_B))) == Send(evalsha(incr(SLOT_B)), to=B)
    assert next(run(known)) == Send(evalsha(CALL), to=A), "with what is known"


def test_while_nobody_asks_the_next_caller_does_so_first() -> None:
    known = topology()
    known.stale = True
    plan = run(known, incr(SLOT_B))

    asked(next(plan))
    assert plan.send([WHOLE]).to == B


def test_a_slot_of_nobody_is_waited_for_while_another_asks_and_nothing_is_sent() -> None:
    known, clock = topology(reply=WHOLE[1:]), Clock()
    known.stale = True
    plan = run(known, until=1.0, clock=clock)

    with known.refreshing:
        assert paused(next(plan))
        assert paused(plan.send(()))
        known.learn(WHOLE, B)
    assert plan.send(()) == Send(evalsha(CALL), to=A)


def test_nodes_are_asked_one_after_another_until_one_answers() -> None:
    known = topology()
    known.stale = True
    plan = run(known)
    seen = [asked(next(plan))]

    seen.append(asked(plan.throw(NotSent(REFUSED))))
    seen.append(asked(plan.throw(Lost(CLOSED))))
    seen.append(asked(plan.send([NOPERM])))
    seen.append(asked(plan.send([b"no such reply"])))
    seen.append(asked(plan.send([[]])))
    assert plan.send([WHOLE]).to == A
    assert len(set(seen)) == 6


def test_a_cluster_that_nobody_can_speak_for_is_not_executed_at_the_deadline() -> None:
    clock = Clock()
    seen: set[Address] = set()

    def answer(send: Send) -> NotSent:
        seen.add(asked(send))
        return NotSent(REFUSED)

    with pytest.raises(ServerUnreachable, match="Connection refused") as raised:
        play(run(Topology([SEED, STRANGER]), until=1.0, clock=clock), clock, answer)
    assert seen == {SEED, STRANGER}
    assert raised.value.transient


def test_a_user_who_may_not_ask_is_told_so() -> None:
    plan = run(Topology([SEED]))
    next(plan)

    with pytest.raises(CallError) as raised:
        plan.send([NOPERM])
    assert isinstance(raised.value, NotExecuted)
    assert raised.value.code == "NOPERM"


def test_one_node_gets_a_part_of_the_time_to_say_who_serves_what() -> None:
    clock = Clock()
    known = topology()
    known.stale = True
    plan = run(known, until=1.0, clock=clock)
    left = []
    step: Any = next(plan)

    for _ in range(4):
        asked(step)
        left.append(step.within)
        clock.now += step.within
        step = plan.throw(Lost(TimeoutError("no reply")))
    assert left == [0.5, 0.25, 0.125, 0.0625]
    patient = topology()
    patient.stale = True
    assert next(run(patient, until=1e9)).within == 1.0
