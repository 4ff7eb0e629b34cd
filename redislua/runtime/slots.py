"""Which node of a cluster serves which slot: what the nodes said, without I/O."""

from __future__ import annotations

import random
import re
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

_MEMBER = re.compile(r"[0-9a-f]+ (?P<host>\S*):(?P<port>\d+)(?:@\d+)?(?:,(?P<name>[^ ,]*))?\S* ")


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
        met_stranger: Whether a redirection named a node that CLUSTER SLOTS does not: one that
            serves no slot yet, or one that a script made up.
        refreshing: Held by the one caller that asks the nodes.
    """

    __slots__ = (
        "_idle_nodes",
        "_map",
        "_moves",
        "_remap",
        "_seeds",
        "met_stranger",
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
        # Shards by slot, and the nodes of each shard, the primary first: put in place at once,
        # so that a reader never meets an index without its nodes.
        self._map: tuple[array[int], list[tuple[Address, ...]]] = (_nobody(), [])
        self._idle_nodes: frozenset[Address] = frozenset()
        self._moves = 0
        self.reads = reads
        self.stale = True
        self.met_stranger = False
        self.refreshing = threading.Lock()

    def learn(self, ranges: Any, asked: Address) -> None:
        """Take a reply to CLUSTER SLOTS.

        Args:
            ranges: ``[first, last, [host, port, ...] of the primary, ... of replicas]`` each.
            asked: Who answered: a node that does not know its own address leaves it out.

        Raises:
            ValueError: It is no such reply, or names no node at all.
        """
        slots = _nobody()
        shards: dict[tuple[Address, ...], int] = {}
        try:
            for first, last, *nodes in ranges:
                shard = tuple(self.address(_text(host), port, asked) for host, port, *_ in nodes)
                if not shard or not 0 <= first <= last < REDIS_CLUSTER_HASH_SLOTS:
                    raise ValueError("a range without nodes, or no range")
                index = shards.setdefault(shard, len(shards))
                slots[first : last + 1] = array("H", [index]) * (last + 1 - first)
        except (TypeError, ValueError) as error:
            raise ValueError(f"no reply to CLUSTER SLOTS: {ranges!r:.100}") from error
        if not shards:
            raise ValueError("CLUSTER SLOTS names no node: the cluster serves no slot")
        self._map = (slots, list(shards))
        self._moves = 0
        self.stale = False

    def learn_members(self, lines: Any, asked: Address) -> None:
        """Take a reply to CLUSTER NODES, which names those too that serve no slot.

        Args:
            lines: ``id host:port@bus,hostname flags ...`` each; anything else is passed over.
            asked: Who answered.
        """
        found = set()
        for line in bytes(lines).decode("utf-8", "replace").splitlines() if lines else ():
            match = _MEMBER.match(line)
            if match is not None:
                names = {match["host"], match["name"] or match["host"]}
                found |= {self.address(name, int(match["port"]), asked) for name in names}
        self._idle_nodes = frozenset(found)
        self.met_stranger = False

    def moved(self, slot: int, to: Address) -> None:
        """Take a MOVED: one slot is elsewhere. Others may be, so ask after some of them."""
        slots, shards = self._map
        index = next((one for one, shard in enumerate(shards) if shard[0] == to), None)
        self._moves += 1
        if index is None or self._moves > MOST_MOVES:
            self.stale = True
        if index is not None and 0 <= slot < len(slots):
            slots[slot] = index

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
        slots, shards = self._map
        if slot is None:
            index = random.randrange(len(shards)) if shards else _UNSERVED  # noqa: S311
        else:
            index = slots[slot]
        if index == _UNSERVED:
            return None
        primary, *replicas = shards[index]
        if not read or self.reads == "primary":
            return primary
        if self.reads == "any" or not replicas:
            replicas.append(primary)
        return random.choice(replicas)  # noqa: S311 - spreads load

    def must_be_asked(self) -> bool:
        """Whether a call should wait for news: nothing is known, or nobody is asking yet."""
        return self.stale and (not self._map[1] or not self.refreshing.locked())

    def knows(self, address: Address) -> bool:
        """Whether a node belongs to the cluster, as far as is known."""
        return address in self._idle_nodes or any(address in shard for shard in self._map[1])

    def nodes(self) -> list[Address]:
        """Return every node to ask, in an order that spreads the asking; seeds come last."""
        known = list({one for shard in self._map[1] for one in shard})
        random.shuffle(known)
        return [*known, *(seed for seed in self._seeds if seed not in known)]

    def serving_nodes(self) -> list[Address]:
        """Return every node that calls may be sent to."""
        last = 1 if self.reads == "primary" else None
        return list(dict.fromkeys(one for shard in self._map[1] for one in shard[:last]))

    def every_node(self) -> list[Address]:
        """Return every node that serves slots, primaries before replicas."""
        shards = self._map[1]
        primaries = [shard[0] for shard in shards]
        return list(dict.fromkeys([*primaries, *(one for shard in shards for one in shard[1:])]))

    def forget(self) -> None:
        """In a child process, where whoever was asking no longer is: free to ask."""
        self.refreshing = threading.Lock()


def _nobody() -> array[int]:
    return array("H", [_UNSERVED]) * REDIS_CLUSTER_HASH_SLOTS


def _text(host: Any) -> str:
    if not isinstance(host, bytes | str | None):
        raise ValueError(f"no host: {host!r}")
    return host.decode() if isinstance(host, bytes) else host or ""
