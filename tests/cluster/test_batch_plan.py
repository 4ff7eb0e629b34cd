"""Batches on a cluster: the tests play the nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from redislua.errors import CrossSlot, OutcomeUnknown
from redislua.runtime import Call
from redislua.runtime.batch import many
from redislua.runtime.route import route_of
from redislua.runtime.settings import Settings
from redislua.runtime.slots import Topology
from redislua.runtime.steps import (
    Address,
    Lost,
    NotSent,
    Outcome,
    Pause,
    Send,
    SendAll,
)
from tests.cluster.plans import (
    A2,
    CLOSED,
    NOSCRIPT,
    REFUSED,
    SEED,
    SLOT_A,
    SLOT_B,
    SLOT_C,
    SLOTS_ASKED,
    TRYAGAIN,
    WHOLE,
    A,
    B,
    C,
    Clock,
    Played,
    ask,
    asked,
    end,
    evalsha,
    incr,
    key_of,
    load_of,
    moved,
    play,
    slots_reply,
    topology,
)

ON_A, ON_B, ON_C = incr(SLOT_A), incr(SLOT_B), incr(SLOT_C)
SHA1 = ON_A.script.sha1
LOAD = load_of(ON_A)


class Servers:
    """What a batch must know of the nodes of a cluster."""

    def __init__(self, known: Topology | None = None, scripts: Sequence[str] = (SHA1,)) -> None:
        self.topology = known or topology()
        self.settings = Settings()
        self._scripts: dict[Address | None, set[str]] = {}
        self._at_first = scripts

    def way(self, call: Call[Any], /) -> tuple[Address | None, bool]:
        route = route_of(self.topology, [call])
        return None if self.topology.must_be_asked() else route.target(), route.reads

    def known_by(self, to: Address | None, /) -> set[str]:
        return self._scripts.setdefault(to, set(self._at_first))


def start(
    *calls: Call[Any], servers: Servers | None = None, clock: Any = None, until: float = 1e9
) -> tuple[Played, Any]:
    """The plan of a batch, and its first step."""
    plan = many(
        calls, servers or Servers(), until=until, clock=clock or Clock(), jitter=lambda: 0.5
    )
    return plan, next(plan)


def writes(step: Any) -> dict[Any, tuple[Any, ...]]:
    """The commands of each write, by node: one write for each."""
    sends = step.sends if isinstance(step, SendAll) else [step]
    assert all(isinstance(send, Send) for send in sends)
    assert len({send.to for send in sends}) == len(sends)
    return {send.to: send.commands for send in sends}


def answer(plan: Played, step: SendAll, outcomes: dict[Address, Outcome]) -> Any:
    """Answer several writes, each by its node."""
    return plan.send([outcomes[send.to] for send in step.sends if send.to])


def finish(plan: Played, step: SendAll, outcomes: dict[Address, Outcome]) -> Any:
    """Answer the last writes; return the batch's results."""
    with pytest.raises(StopIteration) as done:
        answer(plan, step, outcomes)
    return done.value.value


# --- batches ---------------------------------------------------------------------------------


def test_each_node_gets_one_write_and_none_waits_for_another() -> None:
    calls = [ON_C, ON_A, ON_B, ON_A, ON_C]
    plan, step = start(*calls)

    assert isinstance(step, SendAll)
    assert writes(step) == {
        A: (evalsha(ON_A), evalsha(ON_A)),
        B: (evalsha(ON_B),),
        C: (evalsha(ON_C), evalsha(ON_C)),
    }
    assert finish(plan, step, {A: [1, 2], B: [3], C: [4, 5]}) == [4, 1, 3, 2, 5]


def test_calls_on_one_node_are_one_plain_write() -> None:
    plan, step = start(ON_A, incr(SLOT_A + 1), ON_A)

    assert isinstance(step, Send)
    assert step.to == A
    assert end(plan, 1, 1, 2) == [1, 1, 2]


def test_a_script_is_loaded_once_on_each_node_that_may_lack_it() -> None:
    servers = Servers(scripts=())
    servers.known_by(B).add(SHA1)
    plan, step = start(ON_A, ON_B, ON_C, ON_A, ON_C, servers=servers)

    assert writes(step) == {
        A: (LOAD, evalsha(ON_A), evalsha(ON_A)),
        B: (evalsha(ON_B),),
        C: (LOAD, evalsha(ON_C), evalsha(ON_C)),
    }
    assert finish(plan, step, {A: [b"", 1, 2], B: [3], C: [b"", 4, 5]}) == [1, 3, 4, 2, 5]
    assert writes(start(ON_A, ON_C, servers=servers)[1]) == {
        A: (evalsha(ON_A),),
        C: (evalsha(ON_C),),
    }


def test_a_flushed_node_is_healed_and_no_other() -> None:
    plan, step = start(ON_A, ON_B)
    healing = answer(plan, step, {A: [1], B: [NOSCRIPT]})

    assert writes(healing) == {B: (LOAD, evalsha(ON_B))}
    assert end(plan, b"", 2) == [1, 2]


def test_of_a_batch_one_caller_asks_a_cluster_that_was_never_asked() -> None:
    servers = Servers(Topology([SEED]))
    plan, step = start(ON_A, ON_B, servers=servers)

    assert step == Send(("CLUSTER", "SLOTS"), to=SEED, within=1.0)
    assert set(writes(plan.send([WHOLE]))) == {A, B}


def test_asking_is_a_write_of_its_own_also_where_calls_go_to_the_node_that_is_asked() -> None:
    """It has a part of the time that the calls have."""
    servers = Servers(topology(reply=slots_reply((A,))))
    plan, _ = start(ON_A, ON_A, servers=servers, until=1.0, clock=(clock := Clock()))
    pause: Any = plan.send([TRYAGAIN] * 2)
    clock.now += pause.seconds

    asking, going_on = plan.send(()).sends

    assert asked(asking) == A
    assert asking.within == (1.0 - clock.now) / 2
    assert going_on == Send(evalsha(ON_A), to=A)
    assert plan.send([Lost(CLOSED), [1]]).to == SEED, "the loss of one is not the other's"
    assert plan.send([slots_reply((A,))]) == Send(evalsha(ON_A), to=A)
    assert end(plan, 2) == [2, 1]


def test_a_batch_does_not_wait_for_the_answer_to_another_caller() -> None:
    servers = Servers()
    servers.topology.stale = True

    with servers.topology.refreshing:
        plan, step = start(ON_A, ON_B, servers=servers)
        assert writes(step) == {A: (evalsha(ON_A),), B: (evalsha(ON_B),)}
    assert finish(plan, step, {A: [1], B: [2]}) == [1, 2]


def test_a_batch_that_knows_nothing_waits_for_the_answer_to_another_caller() -> None:
    servers = Servers(Topology([SEED]))

    with servers.topology.refreshing:
        plan, step = start(ON_A, ON_B, servers=servers)
        assert isinstance(step, Pause)
        assert isinstance(plan.send(()), Pause)
        servers.topology.learn(WHOLE, SEED)
    assert set(writes(plan.send(()))) == {A, B}


def test_moved_concerns_one_call_and_the_others_have_their_replies() -> None:
    servers = Servers()
    servers.known_by(B).clear()
    plan, step = start(ON_A, incr(SLOT_A + 1), ON_C, servers=servers)
    redirected = answer(plan, step, {A: [moved(SLOT_A, B), 5], C: [6]})

    assert writes(redirected) == {B: (evalsha(ON_A),)}
    healing = plan.send([NOSCRIPT])
    assert writes(healing) == {B: (LOAD, evalsha(ON_A))}
    assert end(plan, b"", 4) == [4, 5, 6]


def test_calls_that_were_sent_on_to_one_node_go_there_together() -> None:
    plan, step = start(ON_A, ON_B, ON_A)
    redirected = answer(plan, step, {A: [ask(SLOT_A, C), ask(SLOT_A, C)], B: [7]})

    asking = ("ASKING",)
    assert writes(redirected) == {C: (asking, evalsha(ON_A), asking, evalsha(ON_A))}
    healing = plan.send([b"OK", NOSCRIPT, b"OK", NOSCRIPT])
    assert writes(healing) == {C: (LOAD, asking, evalsha(ON_A), asking, evalsha(ON_A))}
    assert end(plan, b"", b"OK", 1, b"OK", 2) == [1, 7, 2]


def test_a_call_that_waits_holds_up_no_redirected_one() -> None:
    plan, step = start(ON_A, ON_B)
    following = answer(plan, step, {A: [TRYAGAIN], B: [moved(SLOT_B, C)]})

    assert writes(following) == {C: (evalsha(ON_B),)}
    assert isinstance(plan.send([2]), Pause)


def test_of_the_waiting_calls_of_a_batch_one_asks_and_the_others_go_on() -> None:
    plan, _ = start(ON_A, ON_A, ON_A)
    assert isinstance(plan.send([TRYAGAIN] * 3), Pause)

    asking, going_on = plan.send(()).sends
    asked(asking)
    assert going_on == Send(evalsha(ON_A), evalsha(ON_A), to=A)
    assert plan.send([[WHOLE], [1, 2]]) == Send(evalsha(ON_A), to=A)
    assert end(plan, 3) == [3, 1, 2]


def test_a_lost_node_leaves_its_own_calls_unknown_and_no_others() -> None:
    plan, step = start(ON_A, ON_B, ON_A)
    results = finish(plan, step, {A: Lost(CLOSED, [1]), B: [2]})

    assert results[:2] == [1, 2]
    assert isinstance(results[2], OutcomeUnknown)


def test_a_node_that_was_not_reached_is_looked_up_again_for_its_calls_alone() -> None:
    plan, step = start(ON_A, ON_B, ON_A, clock=(clock := Clock()))
    promoted = [[0, 5460, *WHOLE[0][3:]], *WHOLE[1:]]
    ran: list[Send] = []

    def give(send: Send) -> Outcome:
        if send.commands == (SLOTS_ASKED,):
            return [promoted]
        if send.to == A:
            return NotSent(REFUSED)
        ran.append(send)
        return [len(ran)] * len(send.commands)

    paused = answer(plan, step, {A: NotSent(REFUSED), B: [7]})

    assert play(plan, clock, give, first=paused) == [1, 7, 2]
    assert ran == [Send(evalsha(ON_A), to=A2)] * 2


def test_a_call_whose_keys_are_in_two_slots_is_its_own_result() -> None:
    crossing = Call(ON_A.script, (key_of(1), key_of(2)), (), decode=int)
    plan, step = start(ON_A, crossing, ON_A)

    assert len(step.commands) == 2
    first, second, third = end(plan, 1, 2)
    assert (first, third) == (1, 2)
    assert isinstance(second, CrossSlot)
    assert second.keys == crossing.keys


def test_a_batch_of_nothing_but_crossing_calls_sends_nothing() -> None:
    crossing = Call(ON_A.script, (key_of(1), key_of(2)), (), decode=int)

    with pytest.raises(StopIteration) as done:
        start(crossing, crossing)
    assert [type(one) for one in done.value.value] == [CrossSlot, CrossSlot]


def test_reads_and_writes_of_one_batch_go_each_to_their_own() -> None:
    read = incr(SLOT_A, read_only=True, body="GET")
    servers = Servers(topology("replicas"), scripts=(SHA1, read.script.sha1))
    plan, step = start(ON_A, read, servers=servers)

    assert writes(step) == {A: (evalsha(ON_A),), A2: (evalsha(read, read_only=True),)}
    assert finish(plan, step, {A: [1], A2: [b"0"]}) == [1, b"0"]
