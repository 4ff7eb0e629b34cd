"""Which node of a cluster serves which slot: what the nodes said, without I/O."""

from __future__ import annotations

import random
import threading
from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, TypeAlias

from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

from redislua.errors import CrossSlot
from redislua.runtime.call import Call
from redislua.runtime.steps import Address

__all__ = ["Reads", "Topology", "slot_of"]

Reads: TypeAlias = Literal["primary", "any", "replicas"]
"""Which nodes of a slot a client reads from."""

MOST_MOVES = 16
"""Single slots that are put right one by one before the cluster is asked for all."""

_UNSERVED = 0xFFFF


def slot_of(calls: Sequence[Call[Any]]) -> int | None:
    """Return the one slot of all keys of the calls, or None where they have no key.

    Raises:
        CrossSlot: Two keys lie in different slots; it names both.
    """
    first: bytes | None = None
    slot: int | None = None
    for call in calls:
        for key in call.keys:
            own = key_slot(key)
            if first is None:
                first, slot = key, own
            elif own != slot:
                raise CrossSlot(
                    f"{first!r} is in slot {slot} and {key!r} in slot {own}: give the keys one "
                    "hash tag, the part in braces",
                    script=str(call.script),
                    keys=(first, key),
                    code="CROSSSLOT",
                )
    return slot


class Topology:
    """The nodes of a cluster as last heard: from CLUSTER SLOTS, and from redirections since.

    Attributes:
        reads: Which nodes read-only scripts are sent to.
        stale: Whether what is known has proved wrong, or nothing is known yet.
        refreshing: Held by the one caller that asks the nodes.
    """

    __slots__ = (
        "_moves",
        "_primaries",
        "_remap",
        "_replicas",
        "_seeds",
        "_slots",
        "reads",
        "refreshing",
        "stale",
    )

    def __init__(
        self,
        seeds: Iterable[Address],
        *,
        reads: Reads = "primary",
        remap: Callable[[Address], Address] | None = None,
    ) -> None:
        """Know nothing but where to ask.

        Args:
            seeds: Nodes to ask first.
            reads: Which nodes read-only scripts are sent to.
            remap: The client's ``address_remap``: where a node's own address is reached from here.
        """
        self._seeds = list(dict.fromkeys(seeds))
        self._remap = remap
        self._slots = array("H", [_UNSERVED]) * REDIS_CLUSTER_HASH_SLOTS
        self._primaries: list[Address] = []
        self._replicas: list[tuple[Address, ...]] = []
        self._moves = 0
        self.reads = reads
        self.stale = True
        self.refreshing = threading.Lock()

    def learn(self, ranges: Any, asked: Address) -> None:
        """Take a reply to CLUSTER SLOTS.

        Args:
            ranges: ``[first, last, [host, port, ...] of the primary, ... of replicas]`` each.
            asked: Who answered: a node that does not know its own address leaves it out.

        Raises:
            ValueError: It is no such reply, or names no node at all.
        """
        slots = array("H", [_UNSERVED]) * REDIS_CLUSTER_HASH_SLOTS
        shards: dict[tuple[Address, ...], int] = {}
        try:
            for first, last, *nodes in ranges:
                shard = tuple(self.address(_text(host), port, asked) for host, port, *_ in nodes)
                index = shards.setdefault(shard, len(shards))
                slots[first : last + 1] = array("H", [index]) * (last + 1 - first)
        except (TypeError, ValueError, UnicodeDecodeError) as error:
            raise ValueError(f"no reply to CLUSTER SLOTS: {ranges!r:.100}") from error
        if not shards:
            raise ValueError("CLUSTER SLOTS names no node: the cluster serves no slot")
        # In this order a reader that comes between never meets an index without its node.
        self._primaries = [*(shard[0] for shard in shards)]
        self._replicas = [shard[1:] for shard in shards]
        self._slots = slots
        self._moves = 0
        self.stale = False

    def moved(self, slot: int, to: Address) -> None:
        """Take a MOVED: one slot is elsewhere. Others may be, so ask after some of them."""
        self._moves += 1
        self.stale = to not in self._primaries or self._moves > MOST_MOVES
        if to in self._primaries:
            self._slots[slot] = self._primaries.index(to)

    def address(self, host: str, port: int, asked: Address) -> Address:
        """Return where a node is reached that called itself ``host`` and ``port``."""
        own = (host or asked[0], port)
        return own if self._remap is None or not host else self._remap(own)

    def serving(self, slot: int | None, *, read: bool = False) -> Address | None:
        """Return a node for a slot, or any for a call without keys; None while unknown.

        Args:
            slot: The slot.
            read: Whether a replica will do.
        """
        index = self._any() if slot is None else self._slots[slot]
        if index >= len(self._primaries):  # unserved, or replaced by a shorter list just now
            return None
        if not read or self.reads == "primary":
            return self._primaries[index]
        replicas = self._replicas[index]
        if self.reads == "any" or not replicas:
            replicas += (self._primaries[index],)
        return random.choice(replicas)  # noqa: S311 - spreads load

    def knows(self, address: Address) -> bool:
        """Whether a node belongs to the cluster, as far as is known."""
        return address in self._primaries or any(address in shard for shard in self._replicas)

    def nodes(self) -> list[Address]:
        """Return every node to ask, in an order that spreads the asking; seeds come last."""
        known = {*self._primaries, *(one for shard in self._replicas for one in shard)}
        first = list(known)
        random.shuffle(first)
        return [*first, *(seed for seed in self._seeds if seed not in known)]

    def serving_nodes(self) -> list[Address]:
        """Return every node that calls may be sent to."""
        replicas = (
            [] if self.reads == "primary" else [one for each in self._replicas for one in each]
        )
        return list(dict.fromkeys([*self._primaries, *replicas]))

    def forget(self) -> None:
        """In a child process, where whoever was asking no longer is: free to ask."""
        self.refreshing = threading.Lock()

    def _any(self) -> int:
        return random.randrange(len(self._primaries)) if self._primaries else _UNSERVED  # noqa: S311


def _text(host: Any) -> str:
    return "" if host is None else bytes(host).decode()
