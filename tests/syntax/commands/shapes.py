"""Calls made at random from what COMMAND DOCS says of a command's arguments."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Node = Mapping[str, Any]


class Calls:
    """Makes calls. Every key is another, and no value looks like an option."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._made = 0

    def call(self, nodes: Sequence[Node]) -> list[str]:
        """The arguments of one call."""
        return list(self._sequence(nodes))

    def _sequence(self, nodes: Sequence[Node]) -> Iterator[str]:
        """Arguments in a row. As many keys as a number before them says; as many
        identifiers as keys."""
        count = self._chance.randint(1, 3)
        is_paired = sum("multiple" in node.get("flags", ()) for node in nodes) > 1
        is_counted = False
        for node in nodes:
            if node["name"] in ("numkeys", "numfields", "numids"):
                is_counted = True
                yield str(count)
                continue
            follows = is_counted and "token" not in node and _is_multiple(node)
            yield from self._node(node, count if follows or is_paired else None)
            is_counted = is_counted and not follows

    def _node(self, node: Node, count: int | None) -> Iterator[str]:
        flags = node.get("flags", ())
        if "optional" in flags and count is None and self._chance.random() < 0.5:
            return
        times = 1
        if _is_multiple(node):
            times = count if count is not None else self._chance.randint(1, 3)
        has_token = node["type"] != "pure-token" and bool(node.get("token"))
        for time in range(times):
            if has_token and (time == 0 or "multiple_token" in flags):
                yield node["token"]
            yield from self._value(node)

    def _value(self, node: Node) -> Iterator[str]:
        self._made += 1
        match node["type"]:
            case "pure-token":
                yield node["token"]
            case "oneof":
                yield from self._node(self._chance.choice(node["arguments"]), None)
            case "block":
                yield from self._sequence(node["arguments"])
            case "key":
                yield f"key:{self._made}"
            case "pattern":
                yield self._chance.choice(["weight_*", "nosort", "#"])
            case _:
                yield str(self._made)


def _is_multiple(node: Node) -> bool:
    return "multiple" in node.get("flags", ())
