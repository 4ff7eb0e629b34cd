"""``redislua slots``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from redislua.cli import project
from redislua.cli.connecting import opened
from redislua.cli.console import counted, exits, stdout
from redislua.errors import ConfigError
from redislua.inspect.slots import (
    KeyPattern,
    Layout,
    Spread,
    advice,
    even_layout,
    layout_of_servers,
    read_values,
    spread,
    together,
)

LISTED = 20
"""Keys up to which each is listed with its slot."""

_VALUES = re.compile(r"([a-z][a-z0-9_]{0,62})=(.*)", re.DOTALL)


@click.command("slots")
@click.argument("words", metavar="(PATTERN | FAMILY.NAME | NAME=VALUES)...", nargs=-1)
@click.option("--url", metavar="URL", help="A node of the cluster whose slots count.")
@click.option(
    "--nodes",
    type=click.IntRange(1, 1_000),
    default=3,
    show_default=True,
    help="Without --url: primaries of a cluster laid out evenly.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@exits
def command(words: tuple[str, ...], url: str | None, nodes: int, as_json: bool) -> int:
    """Show where keys fall on a cluster, how evenly, and which stay together.

    A PATTERN is a key with placeholders, `session:{<user>}:s:<sid>`; a script of the project
    or the catalogue stands for its keys. NAME=VALUES gives a placeholder its values, `a,b,c`
    or `1..500`; without any, a pattern's first placeholder has 1 to 1000.

    A cluster takes the slot from the text in the first braces, and from the whole key where
    there are none. Keys without braces therefore spread as well as any: `leaderboard:global`,
    `leaderboard:daily` and `leaderboard:weekly` are in three slots, on three of six nodes.
    Other names do not help, since three keys are at most on three nodes, and one busy key is
    always on one. What helps is to split it: `leaderboard:{<shard>}`, one part of 16 for each
    player, merged when it is read.

    \b
    Examples:
      redislua slots leaderboard:global leaderboard:daily leaderboard:weekly --nodes 6
      redislua slots 'leaderboard:{<shard>}' shard=0..15 --nodes 6
      redislua slots 'cart:{<user>}' 'session:{<user>}:s:<sid>' user=1..10000
      redislua slots cache.get_or_lock --url redis+cluster://n1:6379,n2:6379
    """
    patterns, values = _read(words)
    layout = even_layout(nodes) if url is None else _layout(url)
    spreads = [spread(pattern, values, layout) for pattern in patterns]
    if as_json:
        click.echo(json.dumps(_document(spreads, layout), indent=2))
    else:
        _print(spreads, layout, None if url is not None else nodes)
    return 0


def _read(words: Sequence[str]) -> tuple[list[KeyPattern], Mapping[str, list[str]]]:
    """Patterns and scripts, and the values of placeholders."""
    patterns: list[KeyPattern] = []
    values: dict[str, list[str]] = {}
    for word in words:
        match = _VALUES.fullmatch(word)
        if match is not None:
            values[match[1]] = read_values(match[2])
        else:
            patterns += [KeyPattern(text) for text in _keys_of(word)]
    patterns = list(dict.fromkeys(patterns))
    if not patterns:
        raise click.UsageError("give a pattern, such as 'cart:{<user>}', or a script")
    known = {name for pattern in patterns for name in pattern.placeholders}
    for name in values:
        if name not in known:
            raise ConfigError(
                f"{name}=…: no pattern has <{name}>; they have "
                f"{', '.join(f'<{one}>' for one in sorted(known)) or 'no placeholder'}"
            )
    return patterns, values


def _keys_of(word: str) -> list[str]:
    """The key patterns of a script or a family, or the word itself: it is a pattern then."""
    for registry in (project.own(), project.catalogue()):
        if registry is not None and (word in registry.families or word in registry.names):
            names = project.select(registry, (word,))
            scripts = [registry.find(name) for name in names]
            return [key.pattern.text for one in scripts if one for key in one.keys]
    return [word]


def _layout(url: str) -> Layout:
    with opened(url) as clients:
        try:
            return layout_of_servers(clients)
        except ValueError as error:
            raise ConfigError(f"--url: {error}") from error


def _print(spreads: Sequence[Spread], layout: Layout, made_up: int | None) -> None:
    console = stdout()
    keys = sum(len(one.slots) for one in spreads)
    if keys <= LISTED:
        table = _table("key", "slot", "node")
        for one in spreads:
            for key, slot in one.slots.items():
                table.add_row(escape(key), str(slot), escape(layout.owners[slot] or "none"))
    else:
        table = _table("pattern", "keys", "slots", "busiest node", "of its keys")
        for one in spreads:
            table.add_row(*map(escape, _row(one)))
    console.print(table, soft_wrap=False)
    if keys > 1:
        console.print()
        console.print(_shares(spreads, layout, keys), soft_wrap=False)
    for group in together([one.pattern for one in spreads]):
        texts = ", ".join(one.text for one in group)
        tag = group[0].tag
        why = f"for equal {tag}" if tag and "<" in tag else "whatever the values"
        console.print(
            f"\nOne slot {escape(why)}: {escape(texts)}. Scripts and transactions may use them "
            "together."
        )
    console.print()
    if made_up is not None:
        console.print(
            f"{counted(made_up, 'node')} are assumed, laid out evenly: --nodes, or --url for a "
            "cluster's own slots.",
            style="dim",
        )
    for text in advice(spreads, layout):
        console.print(f"- {escape(text)}")


def _row(one: Spread) -> Sequence[str]:
    busiest = max(one.nodes, key=lambda name: one.nodes[name])
    share = one.nodes[busiest] / len(one.slots)
    counts = (str(len(one.slots)), str(one.distinct))
    return (one.pattern.text, *counts, busiest or "none", f"{share:.1%}")


def _shares(spreads: Sequence[Spread], layout: Layout, keys: int) -> Table:
    table = _table("node", "slots", "keys", "share")
    names = [*layout.nodes, *([""] if any("" in one.nodes for one in spreads) else [])]
    for name in names:
        count = sum(one.nodes.get(name, 0) for one in spreads)
        slots = layout.owners.count(name)
        table.add_row(escape(name or "none"), str(slots), str(count), f"{count / keys:.1%}")
    return table


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in headings:
        is_number = heading in ("slot", "slots", "keys", "share", "of its keys")
        table.add_column(heading, justify="right" if is_number else "left")
    return table


def _document(spreads: Sequence[Spread], layout: Layout) -> dict[str, Any]:
    patterns = [one.pattern for one in spreads]
    return {
        "nodes": {name: layout.owners.count(name) for name in layout.nodes},
        "patterns": [
            {
                "pattern": one.pattern.text,
                "tag": one.pattern.tag,
                "keys": len(one.slots),
                "slots": one.distinct,
                "nodes": dict(one.nodes),
                "placed": [
                    {"key": key, "slot": slot, "node": layout.owners[slot] or None}
                    for key, slot in one.slots.items()
                ],
            }
            for one in spreads
        ],
        "together": [[one.text for one in group] for group in together(patterns)],
        "advice": advice(spreads, layout),
    }
