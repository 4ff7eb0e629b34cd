"""What a client knows of a cluster's slots, and in which slot a call belongs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.crc import REDIS_CLUSTER_HASH_SLOTS as SLOTS
from redis.crc import key_slot

from redislua.errors import CrossSlot, NotExecuted
from redislua.runtime import Call
from redislua.runtime.slots import MOST_MOVES, Topology, slot_of
from redislua.runtime.steps import Address
from tests.cluster.plans import (
    A2,
    B2,
    C2,
    SEED,
    SLOT_A,
    SLOT_B,
    SLOT_C,
    STRANGER,
    WHOLE,
    A,
    B,
    C,
    incr,
    key_of,
    node,
    nodes_reply,
    slots_reply,
    topology,
)


def on(*keys: bytes) -> Call[Any]:
    """A call with these keys."""
    return Call(incr().script, keys, (), decode=int)


# --- the slot of a call ----------------------------------------------------------------------


@given(st.binary())
def test_the_slot_of_a_key_is_the_one_that_redis_py_finds(key: bytes) -> None:
    assert slot_of([on(key)]) == key_slot(key)


@given(st.binary().filter(lambda tag: b"}" not in tag and tag), st.binary(), st.binary())
def test_keys_with_one_hash_tag_are_in_one_slot(tag: bytes, one: bytes, two: bytes) -> None:
    keys = (b"{%s}%s" % (tag, one), b"{%s}%s" % (tag, two))

    assert slot_of([on(*keys)]) == key_slot(tag)


def test_a_call_without_keys_has_no_slot_and_takes_that_of_its_neighbours() -> None:
    assert slot_of([on()]) is None
    assert slot_of([]) is None
    assert slot_of([on(), on(key_of(7)), on()]) == 7


@pytest.mark.parametrize(
    "calls",
    [
        [on(key_of(1), key_of(1), key_of(2))],
        [on(key_of(1)), on(), on(key_of(2))],
    ],
    ids=["in one call", "of two calls"],
)
def test_keys_of_two_slots_are_refused_and_both_named(calls: list[Call[Any]]) -> None:
    with pytest.raises(CrossSlot) as raised:
        slot_of(calls)

    assert isinstance(raised.value, NotExecuted)
    assert raised.value.keys == (key_of(1), key_of(2))
    assert raised.value.code == "CROSSSLOT"
    assert repr(key_of(1)) in str(raised.value)
    assert repr(key_of(2)) in str(raised.value)
    assert "slot 1 " in str(raised.value)
    assert "slot 2:" in str(raised.value)


# --- what nodes say --------------------------------------------------------------------------

addresses = st.builds(
    lambda host, port: (f"10.0.0.{host}", port), st.integers(1, 9), st.integers(1, 65535)
)
shards = st.lists(addresses, min_size=1, max_size=3, unique=True)


@st.composite
def ranges(draw: st.DrawFn) -> list[tuple[int, int, list[Address]]]:
    """Ranges of slots that do not overlap, in any order, with gaps, shards more than once."""
    edges = sorted(draw(st.sets(st.integers(0, SLOTS), min_size=2, max_size=40)))
    pairs = list(zip(edges[::2], edges[1::2], strict=False))
    some = draw(st.lists(shards, min_size=1, max_size=5))
    dealt = [(first, end - 1, draw(st.sampled_from(some))) for first, end in pairs]
    return draw(st.permutations(dealt))


@given(ranges())
def test_every_slot_is_answered_as_the_ranges_say(
    told: list[tuple[int, int, list[Address]]],
) -> None:
    known = Topology([SEED], reads="replicas")
    known.learn([[first, last, *map(node, shard)] for first, last, shard in told], A)

    expected: list[list[Address] | None] = [None] * SLOTS
    for first, last, shard in told:
        expected[first : last + 1] = [shard] * (last + 1 - first)
    edges = {edge for first, last, _ in told for edge in (first - 1, first, last, last + 1)}
    for slot in {*edges, *range(0, SLOTS, 97)} & set(range(SLOTS)):
        shard = expected[slot]
        if shard is None:
            assert known.serving(slot) is None
            assert known.serving(slot, read=True) is None
        else:
            assert known.serving(slot) == shard[0]
            assert known.serving(slot, read=True) in (shard[1:] or shard)
    assert all(known.knows(address) for _, _, shard in told for address in shard)
    assert not known.stale


def test_at_first_nothing_is_known_but_where_to_ask() -> None:
    known = Topology([SEED, A, SEED])

    assert known.stale
    assert known.nodes() == [SEED, A]
    assert known.serving(SLOT_A) is None
    assert known.serving(None) is None
    assert known.serving_nodes() == []
    assert not known.knows(SEED)


def test_every_node_is_worth_asking_and_seeds_come_last() -> None:
    known = topology()

    assert sorted(known.nodes()[:-1]) == sorted([A, B, C, A2, B2, C2])
    assert known.nodes()[-1] == SEED
    assert len({tuple(known.nodes()) for _ in range(50)}) > 1, "the asking is spread"


def test_a_call_without_keys_goes_to_any_primary() -> None:
    known = topology("replicas")

    assert {known.serving(None) for _ in range(200)} == {A, B, C}


@pytest.mark.parametrize(
    ("reads", "readers", "serving"),
    [
        ("primary", {A}, {A, B, C}),
        ("replicas", {A2}, {A, B, C, A2, B2, C2}),
        ("any", {A, A2}, {A, B, C, A2, B2, C2}),
    ],
)
def test_who_is_read_from(reads: Any, readers: set[Address], serving: set[Address]) -> None:
    known = topology(reads)

    assert {known.serving(SLOT_A, read=True) for _ in range(200)} == readers
    assert {known.serving(SLOT_A) for _ in range(200)} == {A}
    assert set(known.serving_nodes()) == serving


def test_a_shard_that_lost_its_replicas_is_read_from_its_primary() -> None:
    known = topology("replicas", slots_reply((A,), (B, B2)))

    assert known.serving(SLOT_A, read=True) == A


@pytest.mark.parametrize("host", [b"", None], ids=["empty", "null"])
def test_a_node_that_does_not_know_its_address_is_where_it_answered(host: Any) -> None:
    known = Topology([SEED])
    known.learn([[0, SLOTS - 1, [host, 6380, b"id", []]]], ("proxy.example", 1))

    assert known.serving(0) == ("proxy.example", 6380)


def test_the_clients_address_remap_is_asked_for_every_address_but_an_unknown_one() -> None:
    known = Topology([SEED], remap=lambda address: ("127.0.0.1", address[1] + 1))
    known.learn([[0, 99, node(A), node(A2)], [100, 199, [b"", 5, b"id"]]], ("asked", 1))

    assert known.serving(0) == ("127.0.0.1", A[1] + 1)
    assert known.knows(("127.0.0.1", A2[1] + 1))
    assert not known.knows(A)
    assert known.serving(100) == ("asked", 5)


@pytest.mark.parametrize(
    "reply",
    [
        b"OK",
        None,
        7,
        [7],
        [[0]],
        [[b"0", b"5", node(A)]],
        [[0, 5, [b"\xff\xfe", 1]]],
        [[0, 5, [A[0].encode()]]],
        [[0, 5, [5, 6379]]],
        [],
    ],
    ids=repr,
)
def test_what_is_no_reply_to_cluster_slots_is_refused_and_changes_nothing(reply: Any) -> None:
    known = topology()
    known.stale = True

    with pytest.raises(ValueError, match="CLUSTER SLOTS"):
        known.learn(reply, A)

    assert known.stale
    assert known.serving(SLOT_B) == B


def test_a_range_without_nodes_is_refused() -> None:
    """It would be a shard without a primary."""
    with pytest.raises(ValueError, match="CLUSTER SLOTS"):
        Topology([SEED]).learn([[0, 5]], A)


def test_what_was_learnt_last_counts() -> None:
    known = topology()
    known.learn(slots_reply((C,), (B,)), B)

    assert [known.serving(slot) for slot in (SLOT_A, SLOT_C)] == [C, B]
    assert not known.knows(A)


# --- who else belongs to it ------------------------------------------------------------------

LINES = b"""\
07c37df 10.0.0.4:6379@16379 master - 0 1426238317239 4 connected
67ed2db 10.0.0.5:6379@16379,five.example slave 07c37df 0 1426238316232 2 connected
292f8b3 10.0.0.6:6379@16379,,shard-id=69bc080733d1 master - 0 0 3 connected 0-99 [100->-07c37df]
6ec2392 2001:db8::7:6379@16379,,tls-port=0,shard-id=114f6674a35b master - 0 0 5 connected
824fe11 :6380@16380 myself,master - 0 0 1 connected
no line of CLUSTER NODES

"""


def test_nodes_that_serve_no_slot_are_known_once_they_were_named() -> None:
    known = topology()
    known.met_stranger = True
    known.learn_members(LINES, ("asked", 1))

    named = ["10.0.0.4", "10.0.0.5", "five.example", "10.0.0.6", "2001:db8::7"]
    assert all(known.knows((host, 6379)) for host in named)
    assert known.knows(("asked", 6380)), "it does not know its own address"
    assert known.knows(A)
    assert not known.knows(STRANGER)
    assert not known.met_stranger
    assert known.serving_nodes() == [A, B, C], "nothing is sent to them without a redirection"


def test_nodes_that_are_not_named_any_more_are_strangers_again() -> None:
    known = topology()
    known.learn_members(nodes_reply(STRANGER), A)
    known.learn_members(nodes_reply(A), A)

    assert not known.knows(STRANGER)


def test_named_nodes_too_are_reached_where_the_client_remaps_them() -> None:
    known = Topology([SEED], remap=lambda address: ("127.0.0.1", address[1] + 1))
    known.learn_members(nodes_reply(STRANGER), A)

    assert known.knows(("127.0.0.1", STRANGER[1] + 1))
    assert not known.knows(STRANGER)


@pytest.mark.parametrize("lines", [b"", b"\xff\xfe\n", b"OK"], ids=repr)
def test_what_is_no_reply_to_cluster_nodes_names_nobody(lines: bytes) -> None:
    known = topology()
    known.learn_members(lines, A)

    assert not known.knows(STRANGER)
    assert known.knows(A)


# --- MOVED -----------------------------------------------------------------------------------


def test_a_moved_slot_is_known_to_be_elsewhere_and_no_other_is() -> None:
    known = topology()
    known.moved(SLOT_A, B)

    assert known.serving(SLOT_A) == B
    assert known.serving(SLOT_A + 1) == A
    assert not known.stale


def test_a_moved_slot_is_read_from_the_replicas_of_its_new_primary() -> None:
    known = topology("replicas")
    known.moved(SLOT_A, B)

    assert known.serving(SLOT_A, read=True) == B2


@pytest.mark.parametrize("to", [STRANGER, A2], ids=["a stranger", "a replica"])
def test_a_slot_that_moved_to_no_known_primary_is_asked_after(to: Address) -> None:
    known = topology()
    known.moved(SLOT_A, to)

    assert known.stale
    assert known.serving(SLOT_A) == A


def test_after_many_moves_the_cluster_is_asked_for_all() -> None:
    known = topology()
    for slot in range(MOST_MOVES):
        known.moved(slot, B)
    assert not known.stale

    known.moved(MOST_MOVES, B)

    assert known.stale
    known.learn(WHOLE, A)
    known.moved(0, B)
    assert not known.stale, "counted anew"


def test_a_move_does_not_hide_that_something_else_has_proved_wrong() -> None:
    known = topology()
    known.stale = True

    known.moved(SLOT_A, B)

    assert known.stale


def test_a_slot_that_does_not_exist_does_not_move() -> None:
    """A script can answer ``MOVED 99999`` by itself."""
    known = topology()

    known.moved(SLOTS, B)
    known.moved(-1, A)

    assert known.serving(SLOTS - 1) == C
