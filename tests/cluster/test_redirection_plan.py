"""Who is followed, and which redirections a script made up: the tests play the nodes."""

from __future__ import annotations

import re
from typing import Any

import pytest
import redis.exceptions as said

from redislua.errors import (
    NotExecuted,
    ScriptFault,
)
from redislua.runtime import Call, RetryClass
from redislua.runtime.steps import Lost, Send
from tests.cluster.plans import (
    CALL,
    CLOSED,
    MEMBERS,
    NEWCOMER,
    NODES_ASKED,
    NOPERM,
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
    moved,
    node,
    paused,
    play,
    run,
    topology,
)

# --- who is followed -------------------------------------------------------------------------


@pytest.mark.parametrize("redirection", [moved, ask])
def test_nobody_connects_to_a_stranger_that_an_error_names(redirection: Any) -> None:
    """A script can make such an error up."""
    clock = Clock()
    sent: list[Send] = []

    def answer(send: Send) -> list[Any]:
        sent.append(send)
        is_question = send.commands[0] == SLOTS_ASKED
        return [WHOLE, MEMBERS] if is_question else [redirection(SLOT_A, STRANGER)]

    with pytest.raises(NotExecuted) as raised:
        play(run(topology(), until=1.0, clock=clock), clock, answer)
    assert raised.value.code == redirection.__name__.upper()
    assert clock.now <= 1.0
    assert STRANGER not in [send.to for send in sent]
    questions = [send.commands == (SLOTS_ASKED, NODES_ASKED) for send in sent]
    assert questions[:4] == [False, True, False, True], "asked each time, and tried again"


@pytest.mark.parametrize("redirection", [moved, ask])
def test_a_node_without_slots_is_followed_once_another_node_has_named_it(redirection: Any) -> None:
    """CLUSTER SLOTS does not name it. So a cluster grows: it gets its first slot."""
    known = topology()
    plan = run(known)
    next(plan)

    assert paused(plan.send([redirection(SLOT_A, NEWCOMER)]))
    asked(plan.send(()), NODES_ASKED)
    assert plan.send([WHOLE, MEMBERS]) == Send(evalsha(CALL), to=A)
    followed = plan.send([redirection(SLOT_A, NEWCOMER)])
    assert (followed.to, followed.commands[-1]) == (NEWCOMER, evalsha(CALL))
    assert end(plan, *[b"OK"] * (len(followed.commands) - 1), 1) == 1
    assert not known.met_stranger


def test_a_node_that_has_its_first_slot_is_found_in_the_same_answer() -> None:
    plan = run(topology())
    next(plan)
    plan.send([moved(SLOT_A, NEWCOMER)])
    asked(plan.send(()), NODES_ASKED)

    fresh = [[0, 0, node(NEWCOMER)], [1, 5460, *WHOLE[0][2:]], *WHOLE[1:]]
    assert plan.send([fresh, MEMBERS]) == Send(evalsha(CALL), to=NEWCOMER)


def test_who_may_not_list_the_nodes_learns_who_serves_what_all_the_same() -> None:
    known = topology()
    plan = run(known)
    next(plan)
    plan.send([moved(SLOT_A, NEWCOMER)])
    asked(plan.send(()), NODES_ASKED)

    fresh = [[0, 0, node(NEWCOMER)], [1, 5460, *WHOLE[0][2:]], *WHOLE[1:]]
    assert plan.send([fresh, NOPERM]) == Send(evalsha(CALL), to=NEWCOMER)
    assert not known.stale


def test_the_nodes_are_listed_for_a_stranger_alone() -> None:
    known = topology()
    plan = run(known)
    next(plan)
    plan.send([moved(SLOT_A, NEWCOMER)])
    plan.send(())
    plan.send([WHOLE, MEMBERS])

    assert paused(plan.send([TRYAGAIN]))
    asked(plan.send(()))


# --- what a script made up -------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        *("0 10.0.0.2:port", "0 10.0.0.2:", "0 10.0.0.2", "0", "", "0 10.0.0.2:6379 and more"),
        *("x 10.0.0.2:6379", "-1 10.0.0.2:6379", "0x0 10.0.0.2:6379"),
        *("1 10.0.0.2:6379", "16000 10.0.0.2:6379", "16384 10.0.0.2:6379"),
        "99999 10.0.0.2:6379",
    ],
)
@pytest.mark.parametrize("code", ["MOVED", "ASK"])
@pytest.mark.parametrize("retry", ["never", "safe"])
def test_a_redirection_that_no_node_gives_is_the_scripts_own_answer(
    retry: RetryClass, code: str, text: str
) -> None:
    """The script ran, so nothing is sent again; a node speaks of the call's own slot."""
    known, call = topology(), incr(retry=retry)
    plan = run(known, call)
    next(plan)

    with pytest.raises(ScriptFault, match=re.escape(text or code)) as raised:
        plan.send([said.ResponseError(f"{code} {text}".strip())])
    assert raised.value.code == code
    assert raised.value.keys == call.keys
    assert not known.stale
    assert not known.met_stranger
    assert [known.serving(slot) for slot in (SLOT_A, 1, 16000, 16383)] == [A, A, C, C]


def test_a_call_without_keys_is_redirected_by_its_script_alone() -> None:
    call = Call(CALL.script, (), (), decode=int)
    plan = run(topology(), call)
    next(plan)

    with pytest.raises(ScriptFault):
        plan.send([moved(SLOT_A, B)])


def test_what_a_script_makes_up_after_a_redirection_is_its_own_answer_too() -> None:
    plan = run(topology())
    next(plan)
    plan.send([ask(SLOT_A, B)])

    with pytest.raises(ScriptFault):
        plan.send([b"OK", moved(SLOT_A + 1, C)])


def test_what_a_script_makes_up_proves_that_it_ran_although_a_reply_was_lost_before() -> None:
    plan = run(topology(), incr(retry="safe"))
    next(plan)
    plan.throw(Lost(CLOSED))
    plan.send(())
    plan.send([WHOLE])

    with pytest.raises(ScriptFault):
        plan.send([moved(SLOT_A + 1, B)])
