"""Which arguments are keys, compared with COMMAND GETKEYS of live servers."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
import redis

from redislua.probe import commands as probe
from redislua.server import Server
from redislua.syntax.commands import Command, Table, table
from tests.syntax.commands.shapes import Calls

REPEATS = 25


class Wire:
    """One connection without the client's own reading of COMMAND."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url, protocol=3)
        self._connection: Any = self._client.connection_pool.get_connection()

    def close(self) -> None:
        self._client.connection_pool.release(self._connection)
        self._client.close()

    def documents(self) -> Mapping[str, Any]:
        """COMMAND DOCS, by command."""
        documents: Mapping[str, Any] = probe._ask(self._connection, "COMMAND", "DOCS")
        return documents

    def keys(self, calls: Sequence[Sequence[str]]) -> Iterator[list[str] | None]:
        """COMMAND GETKEYS of each call; None for a call that the server finds malformed."""
        self._connection.send_packed_command(
            self._connection.pack_commands([("COMMAND", "GETKEYS", *call) for call in calls])
        )
        for _ in calls:
            try:
                yield [key.decode() for key in self._connection.read_response()]
            except redis.ResponseError as error:
                yield [] if "no key arguments" in str(error) else None


def answered(wire: Wire, known: Table) -> Iterator[tuple[Command, list[str], list[str]]]:
    """Random calls of every command, each with the keys that the server finds in it."""
    make = Calls(seed=7)
    for name, document in sorted(wire.documents().items()):
        parts = document.get("subcommands") or {name: document}
        for part, one in sorted(parts.items()):
            names = part.split("|")
            row = known.get(" ".join(names))
            assert row is not None
            calls = [[*names, *make.call(one.get("arguments", ()))] for _ in range(REPEATS)]
            for call, keys in zip(calls, wire.keys(calls), strict=True):
                if keys is not None:
                    yield row, call[1:], keys


@pytest.fixture
def calls(server: Server, known: Table) -> Iterator[list[tuple[Command, list[str], list[str]]]]:
    wire = Wire(server.url)
    yield list(answered(wire, known))
    wire.close()


def test_keys_are_those_that_the_server_finds(calls):
    wrong, with_keys = [], set()
    for row, words, keys in calls:
        positions = row.key_positions(words)
        if positions is None:
            # The names of other keys come from the elements that are sorted.
            is_pattern = row.name in ("SORT", "SORT_RO") and "weight_*" in words
            if not is_pattern:
                wrong.append((row.name, words, None, keys))
        elif sorted(words[index] for index in positions) != sorted(keys):
            wrong.append((row.name, words, positions, keys))
        if keys:
            with_keys.add(row.name)

    assert wrong == []
    assert len(with_keys) > 170
    assert len(calls) > 3_000


def test_the_values_of_keys_are_not_needed(calls):
    for row, words, keys in calls:
        hidden = [None if word in keys else word for word in words]
        if row.name != "MIGRATE":  # there an empty key means that others follow
            assert row.key_positions(hidden) == row.key_positions(words), (row.name, words)


def test_of_a_call_with_an_open_end_only_certain_keys_are_told(calls):
    chance = random.Random(3)
    complete = 0
    for row, words, keys in calls:
        at = chance.randint(0, len(words))
        found = row.find_keys([*words[:at], None], is_open=True)

        told = {words[index] for index in found.positions if index < at}
        assert told <= set(keys), (row.name, words, at, found)
        if found.is_complete:
            complete += 1
            assert told == set(words[:at]) & set(keys), (row.name, words, at, found)
    assert complete > 1_000


def test_what_is_no_literal_hides_the_keys_that_it_decides_on():
    known = table("redis-7.0")

    def keys(name: str, *words: str | None) -> list[int] | None:
        row = known.get(name, words[0] if words else None)
        assert row is not None
        return row.key_positions(words)

    assert keys("ZUNIONSTORE", "d", None, "a", "b") is None
    assert keys("XREAD", "COUNT", None, "STREAMS", None, None) == [3]
    assert keys("XREAD", None, None, None) is None
    assert keys("SORT", "k", "BY", None) is None
    assert keys("SORT", "k", "BY", "nosort", "STORE", None) == [0, 4]
    assert keys("SORT", "k", "GET", "w_*") is None
    assert keys("GEORADIUS", None, None, None, None, "km", "STORE", None) == [0, 6]
    assert keys("GEORADIUS", None, None, None, None, "km") == [0]
    assert keys("MIGRATE", "host", "1", "", "0", "10", "KEYS", "a", "b") == [6, 7]
    assert keys("MIGRATE", "host", "1", "k", "0", "10") == [2]
    assert keys("MIGRATE", "host", "1", None, "0", "10") is None
    assert keys("XGROUP", "CREATE", "x", "g", "$") == [1]
    assert keys("XGROUP") is None
    assert keys("PUBLISH", "channel", "x") == []
    assert keys("SPUBLISH", "channel", "x") == []


def test_words_may_be_text_bytes_or_numbers():
    row = table("redis-7.0").get("LMPOP")
    assert row is not None

    assert row.key_positions([2, "a", "b", "LEFT"]) == [1, 2]
    assert row.key_positions([b"2", b"a", b"b", b"left"]) == [1, 2]
    assert row.key_positions(["-2", "a"]) is None
