"""``redislua slots``: the story of the three leaderboards, told rightly."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from redislua.cli.slots_ import command
from redislua.server import Cluster

STORY = ("leaderboard:global", "leaderboard:daily", "leaderboard:weekly")


def slots(*words: str) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(command, words)


def document(*words: str) -> Any:
    done = slots(*words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_three_keys_are_on_three_of_six_nodes_and_what_helps_is_said() -> None:
    """P31."""
    done = slots(*STORY, "--nodes", "6")

    assert done.exit_code == 0
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["leaderboard:global", "5355", "node", "2"] in rows
    assert ["leaderboard:daily", "15031", "node", "6"] in rows
    assert ["leaderboard:weekly", "9441", "node", "4"] in rows
    assert "at most 3 of 6 nodes have any of these keys, whatever they are called" in done.stdout
    assert "6 nodes are assumed, laid out evenly" in done.stdout


def test_parts_of_a_board_use_every_node() -> None:
    found = document("leaderboard:{<shard>}", "shard=0..63", "--nodes", "6")

    (pattern,) = found["patterns"]
    assert (pattern["keys"], pattern["slots"]) == (64, 64)
    assert all(count > 0 for count in pattern["nodes"].values())


def test_many_keys_are_summed_up() -> None:
    done = slots("cart:{<user>}", "session:{<user>}:s:<sid>", "user=1..3000")

    rows = [line.split() for line in done.stdout.splitlines()]
    (cart,) = [row for row in rows if row[:1] == ["cart:{<user>}"]]
    assert cart[1] == "3000"
    assert 2_000 < int(cart[2]) < 3_000  # some share a slot by chance
    assert "One slot for equal <user>: cart:{<user>}, session:{<user>}:s:<sid>." in done.stdout
    assert [row[:2] for row in rows if row[:1] == ["node"]] == [
        ["node", "slots"],
        *(["node", str(number)] for number in (1, 2, 3)),
    ]


def test_a_script_stands_for_its_keys() -> None:
    one = document("cache.get_or_lock")
    family = document("limit")

    assert [pattern["pattern"] for pattern in one["patterns"]] == [
        "cache:{<key>}:entry",
        "cache:{<key>}:lease",
    ]
    assert one["together"] == [["cache:{<key>}:entry", "cache:{<key>}:lease"]]
    assert "limit:{<subject>}:gcra" in [pattern["pattern"] for pattern in family["patterns"]]


def test_the_slots_of_a_real_cluster_count(bare_cluster: Cluster) -> None:
    node = bare_cluster.nodes[2]
    for url in (bare_cluster.url, node.url):
        found = document("a", "b", "c", "--url", url)

        assert set(found["nodes"]) == {f"{host}:{port}" for host, port in bare_cluster.addresses}
        for pattern in found["patterns"]:
            ((key, slot, name),) = [tuple(one.values()) for one in pattern["placed"]]
            owner = bare_cluster.owner(key)
            assert name == f"{owner.host}:{owner.port}"
            assert slot == owner.ask("CLUSTER KEYSLOT", key)


def test_a_node_that_is_down_keeps_nobody_from_the_map(private_cluster: Cluster) -> None:
    private_cluster.nodes[0].kill()

    done = slots("a", "--url", private_cluster.url)

    assert done.exit_code == 0, done.output


def test_with_a_cluster_nothing_is_assumed(bare_cluster: Cluster) -> None:
    done = slots("a", "--url", bare_cluster.url)

    assert "assumed" not in done.stdout


def test_a_tag_that_never_varies_is_said() -> None:
    done = slots("{app}:user:<id>", "id=1..50")

    assert "the tag 'app' is the same in all keys" in done.stdout
    assert "100.0%" in done.stdout


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ((), "give a pattern"),
        (("user=1..3",), "give a pattern"),
        (("cart:{<user>}", "usr=1..3"), "no pattern has <usr>; they have <user>"),
        (("cart", "user=1..3"), "they have no placeholder"),
        (("cart:{<user>}", "user=3..1"), "at least one"),
        (("cart:{<user>}", "user=a,,b"), "expected values such as"),
        (("<a><b>", "a=1..1000", "b=1..1000"), "1000000 keys, expected at most"),
        (("a", "--nodes", "0"), "--nodes"),
    ],
)
def test_what_cannot_be_is_refused_with_what_was_expected(
    words: tuple[str, ...], text: str
) -> None:
    done = slots(*words)

    assert done.exit_code == 2
    assert text in done.stderr
