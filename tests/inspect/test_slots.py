"""Where keys fall: computed here, and as a real cluster has it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redislua.errors import ConfigError
from redislua.inspect.slots import (
    MOST_KEYS,
    KeyPattern,
    advice,
    even_layout,
    layout_of,
    read_values,
    spread,
    together,
)
from redislua.server import Cluster

STORY = ("leaderboard:global", "leaderboard:daily", "leaderboard:weekly")
CURE = ("{global}:leaderboard", "{daily}:leaderboard", "{weekly}:leaderboard")


def nodes_of(*texts: str, count: int) -> list[str]:
    layout = even_layout(count)
    found = [spread(KeyPattern(text), {}, layout) for text in texts]
    return [layout.owners[slot] for one in found for slot in one.slots.values()]


def test_keys_without_braces_are_not_on_one_shard() -> None:
    """P31: the story has the three on one shard; they are on three of six."""
    slots = [
        next(iter(spread(KeyPattern(one), {}, even_layout(6)).slots.values())) for one in STORY
    ]

    assert slots == [5355, 15031, 9441]
    assert len(set(nodes_of(*STORY, count=6))) == 3


def test_the_storys_other_names_are_worse() -> None:
    """P31: the names that are said to help put two of three keys on one shard."""
    assert len(set(nodes_of(*CURE, count=6))) == 2


def test_three_keys_cannot_use_six_nodes_and_parts_can() -> None:
    layout = even_layout(6)
    three = [spread(KeyPattern(one), {}, layout) for one in STORY]
    parts = spread(KeyPattern("leaderboard:{<part>}"), {"part": read_values("0..63")}, layout)

    assert "at most 3 of 6 nodes" in " ".join(advice(three, layout))
    assert all(parts.nodes[name] for name in layout.nodes)
    assert "at most" not in " ".join(advice([parts], layout))


def test_slots_are_those_that_a_server_computes(bare_cluster: Cluster) -> None:
    node = bare_cluster.nodes[0]
    texts = ["plain", "{tag}a", "a{tag}b", "{}x", "{{a}}b", "a{b", "}{", "x{1}{2}", "ü{é}", " "]

    for text in texts:
        ((key, slot),) = spread(KeyPattern(text), {}, even_layout(3)).slots.items()
        assert slot == node.ask("CLUSTER KEYSLOT", key), text


def test_the_nodes_of_a_cluster_are_its_own(bare_cluster: Cluster) -> None:
    node = bare_cluster.nodes[0]
    with node.connected() as client:
        asking: Any = client.execute_command
        layout = layout_of(asking("CLUSTER", "SLOTS"), node.address)

    pattern = KeyPattern("cart:{<user>}")
    found = spread(pattern, {"user": read_values("1..50")}, layout)

    assert set(layout.nodes) == {f"{host}:{port}" for host, port in bare_cluster.addresses}
    for key, slot in found.slots.items():
        owner = bare_cluster.owner(key)
        assert layout.owners[slot] == f"{owner.host}:{owner.port}"


def test_slots_that_nobody_serves_are_said(bare_cluster: Cluster) -> None:
    node = bare_cluster.nodes[0]
    layout = layout_of([[0, 5_000, [b"h", 1, b"id"]]], node.address)

    found = spread(KeyPattern("k<n>"), {"n": read_values("1..100")}, layout)

    assert found.nodes[""] > 0
    assert sum(found.nodes.values()) == 100
    assert any("no node serves" in text for text in advice([found], layout))


def test_what_is_no_map_is_refused() -> None:
    with pytest.raises(ValueError, match="CLUSTER SLOTS"):
        layout_of([], ("h", 1))


@settings(deadline=None)
@given(st.integers(1, 1_000))
def test_an_even_layout_serves_every_slot_and_nobody_much_more(count: int) -> None:
    layout = even_layout(count)
    shares = [layout.owners.count(name) for name in layout.nodes]

    assert len(layout.owners) == 16_384
    assert sum(shares) == 16_384
    assert max(shares) - min(shares) <= 1


def test_an_even_layout_is_that_of_redis_cli() -> None:
    """`redis-cli --cluster create` gives three primaries 0-5460, 5461-10922 and 10923-16383."""
    owners = even_layout(3).owners

    ends = [slot for slot in range(16_383) if owners[slot] != owners[slot + 1]]
    assert ends == [5_460, 10_922]


# --- patterns ---


def test_a_pattern_is_filled_with_all_its_values() -> None:
    pattern = KeyPattern("s:{<user>}:<sid>:<user>")

    keys = list(pattern.keys({"user": ["a", "b"], "sid": ["1", "2"]}))

    assert keys == ["s:{a}:1:a", "s:{a}:2:a", "s:{b}:1:b", "s:{b}:2:b"]
    assert pattern.tag == "<user>"


def test_without_values_there_are_a_thousand_of_the_first() -> None:
    keys = list(KeyPattern("s:{<user>}:<sid>").keys({}))

    assert (len(keys), keys[0], keys[-1]) == (1_000, "s:{1}:1", "s:{1000}:1")
    assert list(KeyPattern("s:{<user>}:<sid>").keys({"user": ["a"]})) == ["s:{a}:1"]
    assert list(KeyPattern("one").keys({})) == ["one"]


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("a{b}c", "b"),
        ("a{}{b}", None),
        ("ab", None),
        ("{a}{b}", "a"),
        ("a{b", None),
        ("{<x>}", "<x>"),
        ("{{x}}", "{x"),
    ],
)
def test_the_first_braces_are_the_tag(text: str, tag: str | None) -> None:
    assert KeyPattern(text).tag == tag


def test_too_many_keys_are_refused() -> None:
    with pytest.raises(ConfigError, match="10000000000 keys"):
        list(KeyPattern("<a><b>").keys({"a": ["x"] * 100_000, "b": ["y"] * 100_000}))
    assert len(list(KeyPattern("<a>").keys({"a": ["x"] * MOST_KEYS}))) == MOST_KEYS


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a,b", ["a", "b"]), ("1..3", ["1", "2", "3"]), ("x", ["x"]), ("0..0", ["0"])],
)
def test_values_are_lists_or_ranges(text: str, expected: list[str]) -> None:
    assert read_values(text) == expected


@pytest.mark.parametrize("text", ["", "a,,b", "3..1", "1..100001"])
def test_values_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="expected"):
        read_values(text)


def test_an_empty_pattern_is_refused() -> None:
    with pytest.raises(ConfigError, match="empty"):
        KeyPattern("")


# --- what is said of them ---


def test_patterns_with_one_tag_stay_together() -> None:
    texts = ["cart:{<user>}", "s:{<user>}:<sid>", "u:{<id>}", "x<user>", "y<user>", "{a}1", "{a}2"]

    groups = together([KeyPattern(text) for text in texts])

    assert [[one.text for one in group] for group in groups] == [
        ["cart:{<user>}", "s:{<user>}:<sid>"],
        ["{a}1", "{a}2"],
    ]


def test_a_tag_that_never_varies_is_said() -> None:
    layout = even_layout(3)
    found = spread(KeyPattern("{app}:user:<id>"), {}, layout)

    said = " ".join(advice([found], layout))

    assert found.distinct == 1
    assert "the tag 'app' is the same in all keys" in said


def test_empty_braces_are_said_to_be_none() -> None:
    layout = even_layout(3)
    found = spread(KeyPattern("{}:<id>"), {}, layout)

    assert found.distinct > 900
    assert "empty braces are no tag" in " ".join(advice([found], layout))


def test_a_busy_node_is_said() -> None:
    layout = layout_of([[0, 15_000, [b"a", 1]], [15_001, 16_383, [b"b", 1]]], ("h", 1))
    found = spread(KeyPattern("{<id>}"), {}, layout)

    assert "a:1 has" in " ".join(advice([found], layout))
    assert "has" not in " ".join(
        advice([spread(KeyPattern("{<id>}"), {}, even_layout(2))], even_layout(2))
    )
