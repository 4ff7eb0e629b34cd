"""Transactions, and loading, on a cluster: the tests play the nodes."""

from __future__ import annotations

from typing import Any

import pytest

from redislua.errors import CrossSlot, InvalidArgumentValue, NotExecuted
from redislua.runtime import Call
from redislua.runtime.plan import load
from redislua.runtime.slots import Reads, Topology
from redislua.runtime.steps import (
    MOST_CALLS,
    Address,
    NotSent,
    Pause,
    Send,
)
from redislua.runtime.transaction import transaction
from tests.cluster.plans import (
    A2,
    B2,
    C2,
    NOPERM,
    REFUSED,
    SEED,
    SLOT_A,
    SLOT_B,
    STRANGER,
    TRYAGAIN,
    WHOLE,
    A,
    B,
    C,
    Clock,
    Played,
    ask,
    end,
    evalsha,
    incr,
    load_of,
    moved,
    play,
    topology,
)

ON_A, ON_B = incr(SLOT_A), incr(SLOT_B)
SHA1 = ON_A.script.sha1
LOAD = load_of(ON_A)
QUEUED = b"QUEUED"


def atomic(*calls: Call[Any], known: Topology | None = None, until: float = 1e9) -> Played:
    return transaction(
        calls, topology=known or topology(), until=until, clock=Clock(), jitter=lambda: 0.5
    )


def test_a_transaction_goes_to_the_node_of_its_slot() -> None:
    plan = atomic(ON_B, ON_B)

    assert next(plan) == Send(("MULTI",), LOAD, evalsha(ON_B), evalsha(ON_B), ("EXEC",), to=B)
    assert end(plan, b"OK", QUEUED, QUEUED, QUEUED, [b"", 1, 2]) == [1, 2]


@pytest.mark.parametrize(
    "calls",
    [[ON_A, ON_B], [ON_A, incr(SLOT_A + 1)]],
    ids=["on two nodes", "on one node"],
)
def test_a_transaction_across_slots_is_refused_before_anything_is_sent(calls: Any) -> None:
    plan = atomic(*calls)

    with pytest.raises(CrossSlot) as raised:
        next(plan)
    assert raised.value.keys == (calls[0].keys[0], calls[1].keys[0])


def test_a_transaction_is_not_split_on_a_cluster_either() -> None:
    with pytest.raises(InvalidArgumentValue):
        next(atomic(*[ON_A] * (MOST_CALLS + 1)))


def test_a_transaction_that_was_sent_on_is_begun_again_there() -> None:
    known = topology()
    plan = atomic(ON_A, ON_A, known=known)
    first: Any = next(plan)
    error = moved(SLOT_A, B)
    aborted = Exception("EXECABORT Transaction discarded because of previous errors.")

    again = plan.send([b"OK", QUEUED, error, error, aborted])

    assert again == Send(*first.commands, to=B)
    assert end(plan, b"OK", QUEUED, QUEUED, QUEUED, [b"", 1, 2]) == [1, 2]
    assert known.serving(SLOT_A) == B


def test_asking_comes_before_multi_and_holds_until_exec() -> None:
    plan = atomic(ON_A)
    first: Any = next(plan)
    aborted = Exception("EXECABORT Transaction discarded because of previous errors.")

    again = plan.send([b"OK", QUEUED, ask(SLOT_A, B), aborted])

    assert again == Send(("ASKING",), *first.commands, to=B)
    assert end(plan, b"OK", b"OK", QUEUED, QUEUED, [b"", 1]) == [1]


def test_a_transaction_on_a_moving_slot_waits() -> None:
    plan = atomic(ON_A)
    next(plan)
    aborted = Exception("EXECABORT Transaction discarded because of previous errors.")

    assert isinstance(plan.send([b"OK", QUEUED, TRYAGAIN, aborted]), Pause)
    assert plan.send(()).commands == (("CLUSTER", "SLOTS"),)
    assert plan.send([WHOLE]).to == A


def test_a_transaction_that_never_reached_its_node_is_not_executed() -> None:
    plan = atomic(ON_A, until=0.01)
    next(plan)

    with pytest.raises(NotExecuted):
        plan.throw(NotSent(REFUSED))


def test_a_transaction_of_reads_and_a_write_goes_to_the_primary() -> None:
    read = incr(SLOT_A, read_only=True, body="GET")

    step: Any = next(atomic(read, ON_A, known=topology("replicas")))

    assert step.to == A


# --- loading ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reads", "nodes"), [("primary", {A, B, C}), ("any", {A, B, C, A2, B2, C2})]
)
def test_scripts_are_loaded_on_every_node_that_calls_may_go_to(
    reads: Reads, nodes: set[Address]
) -> None:
    scripts = [ON_A.script, incr(body="DECR").script]
    plan = load(scripts, topology=Topology([SEED], reads=reads), clock=Clock())
    assert next(plan) == Send(("CLUSTER", "SLOTS"), to=SEED, within=1.0)
    step: Any = plan.send([WHOLE])
    seen = []

    digests = [one.sha1.encode() for one in scripts]
    for _ in range(len(nodes) - 1):
        seen.append(step.to)
        assert step.commands == tuple(("SCRIPT", "LOAD", one.source) for one in scripts)
        step = plan.send(digests)
    seen.append(step.to)

    assert end(plan, *digests) == [one.sha1 for one in scripts]
    assert sorted(seen) == sorted(nodes)


def test_loading_asks_the_cluster_even_when_it_is_known() -> None:
    """A node that joined since would be left out."""
    slots = [*WHOLE[:2], [10922, 16383, [STRANGER[0].encode(), STRANGER[1], b"id"]]]
    plan: Played = load([ON_A.script], topology=topology(), clock=Clock())
    assert next(plan).commands == (("CLUSTER", "SLOTS"),)
    step: Any = plan.send([slots])
    seen = [step.to]

    seen += [plan.send([SHA1.encode()]).to for _ in range(2)]
    assert set(seen) == {A, B, STRANGER}


def test_loading_that_one_node_refuses_is_refused() -> None:
    plan = load([ON_A.script], topology=topology(), clock=Clock())
    next(plan)
    plan.send([WHOLE])
    plan.send([SHA1.encode()])

    with pytest.raises(NotExecuted) as raised:
        plan.send([NOPERM])
    assert raised.value.code == "NOPERM"


def test_loading_in_a_cluster_that_does_not_answer_ends_at_the_deadline() -> None:
    clock = Clock()
    plan = load([ON_A.script], topology=Topology([SEED]), until=1.0, clock=clock)

    with pytest.raises(NotExecuted, match="refused"):
        play(plan, clock, lambda _: NotSent(REFUSED))
    assert clock.now <= 1.0


def test_nothing_is_asked_for_nothing_to_load() -> None:
    with pytest.raises(StopIteration) as done:
        next(load([], topology=Topology([SEED])))
    assert done.value.value == []
