"""The arguments that COMMAND DOCS describes as a tree, flattened for a command table.

What stands at a place of its own is an argument; a fixed word, and what follows it, is an
option. The tree itself is kept as one line of text, for what must stand where, and which
options exclude one another.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

__all__ = ["grammar", "syntax"]

Node: TypeAlias = Mapping[str, Any]
"""One argument as COMMAND DOCS gives it."""


def grammar(nodes: Sequence[Node], *, subcommand: bool) -> dict[str, Any]:
    """Return ``arguments``, ``repeated`` and ``options`` of a row.

    Args:
        nodes: The command's arguments.
        subcommand: Whether a subcommand stands before them.
    """
    flat = _Flat()
    if subcommand:
        flat.arguments.append("subcommand:token")
    for node in nodes:
        flat.add(node)
    return {
        "arguments": flat.arguments,
        "repeated": flat.repeated,
        "options": dict(sorted(flat.options.items())),
    }


def syntax(nodes: Sequence[Node]) -> str:
    """Return the tree as text: ``key:key seconds:integer [NX|XX|GT|LT]``."""
    return " ".join(map(_written, nodes))


def _written(node: Node) -> str:
    flags = node.get("flags", ())
    children = [_written(child) for child in node.get("arguments", ())]
    text = f"{node['name']}:{node['type']}"
    if node["type"] == "pure-token":
        return _marked(node["token"], flags)
    if node["type"] == "oneof":
        text = f"({'|'.join(children)})"
    elif node["type"] == "block":
        text = f"({' '.join(children)})"
    if "token" not in node:
        return _marked(text, flags)
    if "multiple" in flags and "multiple_token" not in flags:
        return _marked(f"({node['token']} {text}...)", set(flags) - {"multiple"})
    return _marked(f"({node['token']} {text})", flags)


def _marked(text: str, flags: Collection[str]) -> str:
    text = f"{text}..." if "multiple" in flags else text
    if "optional" not in flags:
        return text
    return f"[{text[1:-1] if text[0] == '(' and text[-1] == ')' else text}]"


class _Flat:
    """What has been gathered so far."""

    def __init__(self) -> None:
        self.arguments: list[str] = []
        self.repeated: list[int] | None = None
        self.options: dict[str, list[Any]] = {}

    def add(self, node: Node, since: str = "") -> None:
        """Add one node of the tree; ``since`` is what the nodes around it say."""
        since = node.get("since", since)
        if "token" in node:
            self._option(node["token"], since, [] if _is_word(node) else _values(node))
        elif node["type"] == "oneof":
            self._choice(node, since)
        elif node["type"] == "block":
            self._block(node, since)
        else:
            self._argument(node["name"], node["type"])
            self._repeat(node, 1)

    def _argument(self, name: str, kind: str) -> None:
        self.arguments.append(f"{name}:{kind}")

    def _repeat(self, node: Node, width: int) -> None:
        if "multiple" in node.get("flags", ()) and width and self.repeated is None:
            self.repeated = [len(self.arguments) - width, width]

    def _option(self, token: str, since: str, values: Iterable[str]) -> None:
        if token:
            self.options.setdefault(token.upper(), [len(self.arguments), since, *values])

    def _choice(self, node: Node, since: str) -> None:
        """One of several: options, or an argument of which one form is enough to know."""
        choices = node["arguments"]
        is_needed = "optional" not in node.get("flags", ())
        if is_needed and not self.repeated and all(_is_word(choice) for choice in choices):
            self._argument(node["name"], "token")
            return
        plain = [one for one in choices if "token" not in one and one["type"] in _PLAIN]
        if plain:
            self._argument(plain[0]["name"], plain[0]["type"])
            self._repeat(node, 1)
            return
        for choice in choices:
            self.add(choice, since)

    def _block(self, node: Node, since: str) -> None:
        """Several in a row. Fixed words at its start are options that the others follow."""
        first, *rest = node["arguments"]
        words = _leading_words(first)
        if not words:
            before = len(self.arguments)
            for one in node["arguments"]:
                self.add(one, since)
            self._repeat(node, len(self.arguments) - before)
            return
        following = [one for one in rest if _is_value(one)]
        values = [kind for one in following for kind in _values(one) if kind != "sign"]
        for word in words:
            own = [] if _is_word(word) else _values(word)
            self._option(word["token"], word.get("since", since), [*own, *values])
        for one in rest:
            if one not in following:
                self.add(one, since)


_PLAIN = frozenset({"key", "string", "integer", "double", "pattern", "unix-time"})


def _is_word(node: Node) -> bool:
    return bool(node["type"] == "pure-token")


def _leading_words(first: Node) -> list[Node]:
    """The fixed words with which a block begins, each of which stands for all of it."""
    if "token" in first:
        return [first]
    words: list[Node] = first.get("arguments", [])
    return words if first["type"] == "oneof" and all(_is_word(word) for word in words) else []


def _is_value(node: Node) -> bool:
    """Whether it belongs to the fixed word before it."""
    if "token" in node:
        return False
    if node["type"] == "block":
        # The corners behind BYPOLYGON.
        is_repeated = "multiple" in node.get("flags", ())
        return is_repeated and all(child["type"] in _PLAIN for child in node["arguments"])
    if node["type"] != "oneof":
        return node["type"] in _PLAIN
    is_optional = "optional" in node.get("flags", ())
    is_choice = all(_is_word(child) for child in node["arguments"])
    return is_choice and (not is_optional or _values(node) == ["sign"])


def _values(node: Node) -> list[str]:
    """The types of the words that a node stands for; ``sign`` for a ``~`` before a number."""
    kind = node["type"]
    children = node.get("arguments", ())
    if kind == "block":
        found = [value for child in children for value in _token(child) + _values(child)]
    elif kind == "oneof":
        is_sign = all(child.get("token") in ("=", "~") for child in children)
        plain = [child["type"] for child in children if child["type"] in _PLAIN]
        found = ["sign" if is_sign else (plain or ["token"])[0]]
    elif kind == "pure-token":
        found = ["token"] if "token" not in node else []
    else:
        found = [kind]
    flags = node.get("flags", ())
    # With multiple_token the fixed word comes again as well.
    if "multiple" in flags and "multiple_token" not in flags and found:
        found[-1] += "..."
    return found


def _token(node: Node) -> list[str]:
    return ["token"] if "token" in node else []
