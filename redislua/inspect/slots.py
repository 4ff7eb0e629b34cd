"""Where keys fall on a cluster: computed here, with or without the cluster's own map.

A cluster takes the slot from CRC16 of the key: of the text between the first ``{`` and
the next ``}`` where there is one, and of the whole key where there is none. So keys without
braces are spread as evenly as any, three keys can never use more than three nodes, and a
key is on one node whatever it is called. What is too busy for one node has to be several
keys.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import redis
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

from redislua.errors import ConfigError
from redislua.runtime.slots import Topology

__all__ = [
    "MOST_KEYS",
    "KeyPattern",
    "Layout",
    "Spread",
    "advice",
    "even_layout",
    "layout_of",
    "layout_of_servers",
    "read_values",
    "spread",
    "together",
]

MOST_KEYS = 100_000
"""Keys that one pattern may stand for."""
DEFAULT_VALUES = 1_000
"""Values of a placeholder to which none are given."""
UNEVEN = 1.5
"""A node with so many times its even share is called busy."""
ENOUGH = 100
"""Keys for each node from which chance alone makes no node that busy."""

_PLACEHOLDER = re.compile(r"<([a-z][a-z0-9_]{0,62})>")
_TAG = re.compile(r"\{(.*?)\}", re.DOTALL)
_RANGE = re.compile(r"(\d{1,9})\.\.(\d{1,9})")


@dataclass(frozen=True, slots=True)
class KeyPattern:
    """Keys of one form, ``session:{<user>}:s:<sid>``; or one key, without placeholders.

    Attributes:
        text: As written.
    """

    text: str

    def __post_init__(self) -> None:
        if not self.text:
            raise ConfigError("a pattern is empty: expected one such as 'cart:{<user>}'")

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Names in angle brackets, in order, each once."""
        return tuple(dict.fromkeys(_PLACEHOLDER.findall(self.text)))

    @property
    def tag(self) -> str | None:
        """What decides the slot, as written; None where the whole key does."""
        found = _TAG.search(self.text)
        return found[1] if found is not None and found[1] else None

    @property
    def has_empty_tag(self) -> bool:
        """Whether it begins with ``{}``, which is no tag."""
        found = _TAG.search(self.text)
        return found is not None and not found[1]

    def keys(self, values: Mapping[str, Sequence[str]]) -> Iterator[str]:
        """Every key that the values make.

        Without any value for its placeholders, the first of them has 1 to 1_000. Others
        without values have 1 alone, which is enough to see how keys spread.

        Raises:
            ConfigError: They would be more than `MOST_KEYS`.
        """
        missing = [name for name in self.placeholders if name not in values]
        counts = dict.fromkeys(missing, 1)
        if missing == list(self.placeholders) and missing:
            counts[missing[0]] = DEFAULT_VALUES
        chosen = [
            values[name] if name in values else [str(one) for one in range(1, counts[name] + 1)]
            for name in self.placeholders
        ]
        count = prod(map(len, chosen))
        if count > MOST_KEYS:
            raise ConfigError(f"{self.text!r} makes {count} keys, expected at most {MOST_KEYS}")
        literals = _PLACEHOLDER.split(self.text)[::2]
        names = _PLACEHOLDER.findall(self.text)
        for one in product(*chosen):
            filled = dict(zip(self.placeholders, one, strict=True))
            words = [filled[name] for name in names]
            yield "".join(map("".join, zip(literals, [*words, ""], strict=True)))


def read_values(text: str) -> list[str]:
    """Read what a placeholder stands for: ``a,b,c`` or ``1..1000``.

    Raises:
        ConfigError: It is neither, or too many.
    """
    match = _RANGE.fullmatch(text)
    if match is None:
        values = text.split(",")
        if not all(values):
            raise ConfigError(f"{text!r}: expected values such as a,b,c or 1..1000")
        return values
    first, last = int(match[1]), int(match[2])
    if not 0 <= last - first < MOST_KEYS:
        raise ConfigError(f"{text!r}: expected at least one and at most {MOST_KEYS} values")
    return [str(number) for number in range(first, last + 1)]


@dataclass(frozen=True, slots=True)
class Layout:
    """Which node serves which slot.

    Attributes:
        nodes: Names of the nodes, in the order of their first slots.
        owners: The node of each slot, ``""`` where none serves it.
    """

    nodes: tuple[str, ...]
    owners: tuple[str, ...]


def even_layout(count: int) -> Layout:
    """A cluster of so many primaries as `redis-cli --cluster create` lays it out."""
    each = REDIS_CLUSTER_HASH_SLOTS / count
    names = [f"node {number}" for number in range(1, count + 1)]
    ends = [round(each * number) for number in range(1, count + 1)]
    owners: list[str] = []
    for name, end in zip(names, ends, strict=True):
        owners += [name] * (end - len(owners))
    return Layout(tuple(names), tuple(owners))


def layout_of(ranges: Any, asked: tuple[str, int]) -> Layout:
    """Read a server's own reply to CLUSTER SLOTS.

    Args:
        ranges: The reply as it came.
        asked: Host and port of who answered.

    Raises:
        ValueError: It is no such reply, or no node serves a slot.
    """
    topology = Topology([asked])
    topology.learn(ranges, asked)
    owners = []
    for slot in range(REDIS_CLUSTER_HASH_SLOTS):
        address = topology.serving(slot)
        owners.append("" if address is None else f"{address[0]}:{address[1]}")
    return Layout(tuple(dict.fromkeys(name for name in owners if name)), tuple(owners))


def layout_of_servers(clients: Mapping[str, redis.Redis]) -> Layout:
    """Ask the nodes of a cluster in turn who serves which slot.

    Args:
        clients: A client of each, by its name.

    Raises:
        redis.RedisError: None of them answers, or they are no cluster.
        ValueError: No node serves a slot.
    """
    failed: list[redis.RedisError] = []
    for client in clients.values():
        asking: Any = client.execute_command
        try:
            # In two words, which redis-py's parser of "CLUSTER SLOTS" leaves as they are.
            ranges = asking("CLUSTER", "SLOTS")
        except redis.RedisError as error:
            failed.append(error)
            continue
        settings = client.connection_pool.connection_kwargs
        return layout_of(ranges, (settings.get("host", "localhost"), settings.get("port", 0)))
    raise failed[-1]


@dataclass(frozen=True, slots=True)
class Spread:
    """Where the keys of one pattern fall.

    Attributes:
        pattern: The pattern.
        slots: The slot of each key.
        nodes: How many of them each node has, ``""`` for slots that none serves.
    """

    pattern: KeyPattern
    slots: Mapping[str, int]
    nodes: Mapping[str, int]

    @property
    def distinct(self) -> int:
        """How many slots they use."""
        return len(set(self.slots.values()))


def spread(pattern: KeyPattern, values: Mapping[str, Sequence[str]], layout: Layout) -> Spread:
    """Find the slot and the node of each key of a pattern."""
    slots = {key: key_slot(key.encode()) for key in pattern.keys(values)}
    nodes = Counter(layout.owners[slot] for slot in slots.values())
    return Spread(pattern, slots, {name: nodes[name] for name in (*layout.nodes, *nodes)})


def together(patterns: Sequence[KeyPattern]) -> list[list[KeyPattern]]:
    """Groups of patterns whose keys share a slot for equal values of what is in their tags."""
    groups: dict[object, list[KeyPattern]] = {}
    for pattern in patterns:
        if pattern.tag is None and pattern.placeholders:
            continue  # all of it varies: it shares a slot with others by chance alone
        varies = _PLACEHOLDER.search(pattern.tag or "") is not None
        key = pattern.tag if varies else key_slot(pattern.text.encode())
        groups.setdefault(key, []).append(pattern)
    return [group for group in groups.values() if len(group) > 1]


def total(spreads: Iterable[Spread]) -> Counter[str]:
    """How many keys of all patterns each node has."""
    counts: Counter[str] = Counter()
    for one in spreads:
        counts.update(one.nodes)
    return counts


def advice(spreads: Sequence[Spread], layout: Layout) -> list[str]:
    """Say what the figures mean."""
    said = []
    for one in spreads:
        text = repr(one.pattern.text)
        if one.pattern.has_empty_tag:
            said.append(f"{text}: empty braces are no tag, so the whole key decides the slot.")
        if len(one.slots) > 1 and one.distinct == 1:
            said.append(
                f"{text}: the tag {one.pattern.tag!r} is the same in all keys, so all of them "
                "are in one slot of one node. Put what varies into the braces, or leave them out."
            )
    keys = {key: slot for one in spreads for key, slot in one.slots.items()}
    distinct = len(set(keys.values()))
    count = len(layout.nodes)
    if distinct < count:
        said.append(
            f"{distinct} of 16384 slots are used, so at most {distinct} of {count} nodes have "
            "any of these keys, whatever they are called. A key that is too busy for one node "
            "has to become several: board:{<shard>} with shard = hash(player) % 16, each "
            "written by its players, and merged when it is read."
        )
    busiest, most = total(spreads).most_common(1)[0]
    if len(keys) >= ENOUGH * count and most > UNEVEN * len(keys) / count and distinct >= count:
        said.append(
            f"{busiest} has {most} of {len(keys)} keys, an even share is {len(keys) // count}: "
            "its slots are more than others', or many keys have one tag."
        )
    if any("" in one.nodes for one in spreads):
        said.append("Some keys fall into slots that no node serves: calls on them fail.")
    said.append(
        "These are keys, not requests: a key that everybody asks for is one slot of one node."
    )
    return said
