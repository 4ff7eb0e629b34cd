"""One call through a cluster: the tests play the nodes, without a socket."""

from __future__ import annotations

from typing import Any

import pytest

from redislua.errors import (
    CrossSlot,
    NotExecuted,
    OutcomeUnknown,
    ServerLoading,
    ServerUnreachable,
)
from redislua.runtime import Call
from redislua.runtime.route import MOST_HOPS
from redislua.runtime.slots import Topology
from redislua.runtime.steps import Address, Lost, NotSent, Send
from tests.cluster.plans import (
    A2,
    CALL,
    CLOSED,
    DOWN,
    NOPERM,
    NOSCRIPT,
    REFUSED,
    SEED,
    SLOT_A,
    SLOTS_ASKED,
    STRANGER,
    TRYAGAIN,
    WHOLE,
    A,
    B,
    C,
    Clock,
    ask,
    asked,
    end,
    evalsha,
    incr,
    key_of,
    load_of,
    moved,
    paused,
    play,
    run,
    topology,
)


def test_a_call_goes_to_the_node_of_its_keys() -> None:
    for slot, address in ((0, A), (5460, A), (5461, B), (10921, B), (10922, C), (16383, C)):
        call = incr(slot)
        plan = run(topology(), call)

        assert next(plan) == Send(evalsha(call), to=address)
        assert end(plan, 1) == 1


def test_a_cluster_that_was_never_asked_is_asked_once() -> None:
    known = Topology([SEED])
    plan = run(known)

    assert asked(next(plan)) == SEED
    assert plan.send([WHOLE]) == Send(evalsha(CALL), to=A)
    assert end(plan, 1) == 1
    assert next(run(known)) == Send(evalsha(CALL), to=A)


def test_keys_of_two_slots_are_refused_before_there_is_a_plan() -> None:
    call = Call(CALL.script, (key_of(1), key_of(2)), (), decode=int)

    with pytest.raises(CrossSlot):
        run(topology(), call)
    assert next(run(None, call)).to is None, "a single server has no slots"


# --- MOVED -----------------------------------------------------------------------------------


def test_moved_is_followed_at_once_and_learnt() -> None:
    known = topology()
    plan = run(known)
    next(plan)

    assert plan.send([moved(SLOT_A, B)]) == Send(evalsha(CALL), to=B)
    assert end(plan, 1) == 1
    assert next(run(known)) == Send(evalsha(CALL), to=B)
    assert next(run(known, incr(SLOT_A + 1))).to == A, "no other slot has moved"


def test_a_script_that_the_new_owner_lacks_is_brought_there() -> None:
    plan = run(topology())
    next(plan)
    plan.send([moved(SLOT_A, B)])

    assert plan.send([NOSCRIPT]) == Send(load_of(CALL), evalsha(CALL), to=B)
    assert end(plan, b"", 1) == 1


def test_a_redirected_healing_goes_on_healing() -> None:
    plan = run(topology())
    next(plan)
    plan.send([NOSCRIPT])

    assert plan.send([b"", moved(SLOT_A, B)]) == Send(load_of(CALL), evalsha(CALL), to=B)


def test_another_node_is_tried_by_evalsha_where_eval_was_needed_before() -> None:
    """EVAL first would leave a script that Redis can evict where it could have been pinned."""
    plan = run(topology())
    next(plan)
    plan.send([NOSCRIPT])
    assert plan.send([NOPERM, NOSCRIPT]).commands[0][0] == "EVAL"

    assert plan.send([moved(SLOT_A, B)]) == Send(load_of(CALL), evalsha(CALL), to=B)


def test_nodes_that_point_at_each_other_are_given_time_and_then_the_cluster_is_asked() -> None:
    known = topology()
    plan = run(known)
    step = next(plan)

    for hop in range(MOST_HOPS):
        to = (B, A)[hop % 2]
        step = plan.send([moved(SLOT_A, to)])
        assert step == Send(evalsha(CALL), to=to)
    assert paused(plan.send([moved(SLOT_A, A)]))
    asked(plan.send(()))
    assert plan.send([WHOLE]) == Send(evalsha(CALL), to=A)
    assert end(plan, 1) == 1


def test_a_loop_of_moved_ends_at_the_deadline_without_an_execution() -> None:
    clock = Clock()
    sent: list[Send] = []

    def answer(send: Send) -> list[Any]:
        if send.commands == (SLOTS_ASKED,):
            return [WHOLE]
        sent.append(send)
        return [moved(SLOT_A, (A, B)[len(sent) % 2])]

    with pytest.raises(NotExecuted) as raised:
        play(run(topology(), until=1.0, clock=clock), clock, answer)
    assert raised.value.code == "MOVED"
    assert clock.now <= 1.0
    assert MOST_HOPS < len(sent) < 30 * MOST_HOPS


# --- ASK -------------------------------------------------------------------------------------


def test_ask_is_followed_for_one_call_alone() -> None:
    known = topology()
    plan = run(known)
    next(plan)

    assert plan.send([ask(SLOT_A, B)]) == Send(("ASKING",), evalsha(CALL), to=B)
    assert end(plan, b"OK", 1) == 1
    assert next(run(known)) == Send(evalsha(CALL), to=A)


def test_a_script_that_the_importing_node_lacks_is_loaded_before_asking() -> None:
    """ASKING holds for the very next command: [ASKING, SCRIPT LOAD, EVALSHA] gets MOVED."""
    plan = run(topology())
    next(plan)
    plan.send([ask(SLOT_A, B)])

    healing = plan.send([b"OK", NOSCRIPT])
    assert healing == Send(load_of(CALL), ("ASKING",), evalsha(CALL), to=B)
    evaluated = plan.send([NOPERM, b"OK", NOSCRIPT])
    assert [command[0] for command in evaluated.commands] == ["ASKING", "EVAL"]
    assert end(plan, b"OK", 1) == 1


def test_asking_does_not_stick_to_what_is_sent_after_the_move_has_ended() -> None:
    plan = run(topology())
    next(plan)
    plan.send([ask(SLOT_A, B)])

    assert plan.send([b"OK", moved(SLOT_A, C)]) == Send(evalsha(CALL), to=C)


def test_after_trouble_on_the_importing_node_the_source_is_asked_again() -> None:
    known = topology()
    call = incr(retry="safe")
    plan = run(known, call)
    next(plan)
    plan.send([ask(SLOT_A, B)])

    assert paused(plan.throw(NotSent(REFUSED)))
    asked(plan.send(()))
    assert plan.send([WHOLE]) == Send(evalsha(call), to=A)


# --- what passes -----------------------------------------------------------------------------


@pytest.mark.parametrize("error", [TRYAGAIN, DOWN], ids=["TRYAGAIN", "CLUSTERDOWN"])
def test_what_passes_is_waited_for_and_the_cluster_is_asked(error: Exception) -> None:
    plan = run(topology())
    next(plan)

    for _ in range(3):
        assert paused(plan.send([error]))
        asked(plan.send(()))
        assert plan.send([WHOLE]) == Send(evalsha(CALL), to=A)
    assert end(plan, 1) == 1


@pytest.mark.parametrize("error", [TRYAGAIN, DOWN], ids=["TRYAGAIN", "CLUSTERDOWN"])
def test_what_does_not_pass_is_not_executed(error: Exception) -> None:
    plan = run(topology(), until=1.0, clock=lambda: 0.97)
    next(plan)

    with pytest.raises(ServerLoading) as raised:
        plan.send([error])
    assert raised.value.__cause__ is error


def test_a_node_that_cannot_be_reached_makes_the_cluster_be_asked_who_took_its_place() -> None:
    plan = run(topology())
    next(plan)

    assert paused(plan.throw(NotSent(REFUSED)))
    asked(plan.send(()))
    promoted = [[0, 5460, *WHOLE[0][3:]], *WHOLE[1:]]
    assert plan.send([promoted]) == Send(evalsha(CALL), to=A2)


def test_a_lost_reply_of_never_is_unknown_and_nothing_more_is_sent() -> None:
    known = topology()
    plan = run(known)
    next(plan)

    with pytest.raises(OutcomeUnknown):
        plan.throw(Lost(CLOSED))
    assert known.stale


def test_a_resend_after_a_lost_reply_goes_where_the_slot_is_by_then() -> None:
    call = incr(retry="safe")
    plan = run(topology(), call)
    next(plan)

    assert paused(plan.throw(Lost(CLOSED)))
    asked(plan.send(()))
    promoted = [[0, 5460, *WHOLE[0][3:]], *WHOLE[1:]]
    assert plan.send([promoted]) == Send(evalsha(call), to=A2)


def test_a_redirection_after_a_lost_reply_proves_nothing() -> None:
    clock = Clock()
    plan = run(topology(), incr(retry="safe"), until=1.0, clock=clock)
    next(plan)
    plan.throw(Lost(CLOSED))
    plan.send(())
    plan.send([WHOLE])
    clock.now = 0.99

    with pytest.raises(OutcomeUnknown):
        plan.send([moved(SLOT_A, STRANGER)])


def test_a_slot_that_nobody_serves_is_not_executed_at_the_deadline() -> None:
    clock = Clock()
    seen: list[Address] = []

    def answer(send: Send) -> list[Any]:
        seen.append(asked(send))
        return [WHOLE[1:]]

    with pytest.raises(ServerUnreachable, match="no node serves slot 0"):
        play(run(topology(reply=WHOLE[1:]), until=1.0, clock=clock), clock, answer)
    assert len(seen) > 2
