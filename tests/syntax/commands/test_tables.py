"""The tables of all server lines, and files of a user's own."""

from __future__ import annotations

import json

import pytest

from redislua.errors import ConfigError
from redislua.syntax.commands import LINES, Command, table
from redislua.syntax.commands.tables import FOLDER

REPLIES = {"status", "integer", "string", "double", "array", "nested", "unknown", "none"}


def row(line: str, name: str, second: str | None = None) -> Command:
    found = table(line).get(name, second)
    assert found is not None
    return found


@pytest.mark.parametrize("line", LINES)
def test_every_row_of_every_line_can_be_read(line):
    rows = list(table(line))

    product, _, version = line.partition("-")
    assert table(line).server.lower().startswith(f"{product} {version}.")
    assert len(rows) > 360
    assert {one.reply.removesuffix("?") for one in rows} <= REPLIES


@pytest.mark.parametrize("line", LINES)
def test_a_file_has_one_row_a_line_sorted_and_each_once(line):
    first, *rows, last = (FOLDER / f"{line}.json").read_text().splitlines()

    names = [json.loads("{" + text.removesuffix(",") + "}") for text in rows]
    keys = [next(iter(one)) for one in names]
    assert first.endswith('"commands":{')
    assert last == "}}"
    assert keys == sorted(set(keys))


def test_there_are_no_other_files_than_those_of_the_lines():
    assert sorted(path.name for path in FOLDER.iterdir()) == [f"{line}.json" for line in LINES]


def test_arity_drifts_from_version_to_version():
    assert [row(line, "EXPIRE").arity for line in LINES] == [-3] * 6
    assert [row(line, "ZRANK").arity for line in LINES] == [3, -3, -3, -3, -3, -3]
    assert row("redis-7.0", "GET").takes(1)
    assert not row("redis-7.0", "GET").takes(2)
    assert row("redis-7.0", "ZADD").takes(7)
    assert not row("redis-7.0", "ZADD").takes(2)
    assert row("redis-7.0", "XGROUP", "CREATE").takes(4)


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("HEXPIRE", ["redis-7.4", "redis-8.2", "valkey-9.1"]),
        ("HGETEX", ["redis-8.2", "valkey-9.1"]),
        ("DELIFEQ", ["valkey-9.1"]),
        ("MSETEX", ["valkey-9.1"]),
        ("XACKDEL", ["redis-8.2"]),
        ("JSON.GET", []),
    ],
)
def test_a_line_knows_the_commands_that_its_servers_have(name, lines):
    assert [line for line in LINES if name in table(line)] == lines


def test_a_line_knows_the_options_that_its_servers_take():
    def having(name: str, option: str) -> list[str]:
        return [line for line in LINES if option in row(line, name).options]

    assert having("SET", "IFEQ") == ["valkey-8.1", "valkey-9.1"]
    assert having("ZRANK", "WITHSCORE") == [line for line in LINES if line != "redis-7.0"]
    assert having("EXPIRE", "NX") == list(LINES)
    assert row("redis-7.0", "EXPIRE").options["NX"].since == "7.0.0"
    assert row("redis-7.0", "ZRANGE").options["BYSCORE"].since == "6.2.0"
    assert row("redis-7.0", "SET").options["GET"].since == "6.2.0"


def test_what_scripts_may_call_differs_from_line_to_line():
    def refusing(name: str) -> list[str]:
        return [line for line in LINES if not row(line, name).is_allowed]

    for name in ("BLPOP", "BRPOP", "BLMOVE", "BRPOPLPUSH", "BZPOPMIN", "BZPOPMAX", "WAIT"):
        assert refusing(name) == ["redis-7.0"], name
    assert refusing("BLMPOP") == []
    assert refusing("KEYS") == []
    assert refusing("EVAL") == list(LINES)
    assert [line for line in LINES if table(line).refuses_block] == ["redis-7.0", "redis-7.2"]
    assert row("redis-7.0", "BLPOP").reply == "none"
    assert row("redis-7.2", "BLPOP").reply == "array?"
    assert row("redis-7.2", "BLPOP").blocks_elsewhere


def test_what_is_deprecated_differs_from_line_to_line():
    deprecated = [row(line, "SETNX").deprecated_since for line in LINES]

    assert deprecated[0] is None
    assert deprecated[1:5] == ["2.6.12"] * 4
    assert deprecated[5] is None
    assert row("redis-7.0", "HMSET").replaced_by == "`HSET` with multiple field-value pairs"


def test_facts_that_no_server_exports():
    for name in ("PUBLISH", "SPUBLISH", "PFCOUNT", "SET", "DEL"):
        assert row("redis-7.0", name).is_write, name
    assert not row("redis-7.0", "GET").is_write
    assert row("redis-7.0", "SET").needs_memory
    assert not row("redis-7.0", "DEL").needs_memory
    assert row("redis-7.0", "SPOP").is_random


def test_options_change_the_reply():
    def reply(text: str, *, is_open: bool = False) -> str:
        name, *words = text.split()
        return row("redis-8.2", name).reply_to(words, is_open=is_open)

    assert reply("SET k v") == "status"
    assert reply("SET k v nx") == "status?"
    assert reply("SET k v NX GET") == "string?"
    assert reply("SET k GET") == "status"
    assert reply("ZADD k 1 INCR") == "integer"
    assert reply("ZADD k INCR 1 a") == "double?"
    assert reply("SPOP k") == "string?"
    assert reply("SPOP k 2") == "array"
    assert reply("SPOP k 2", is_open=True) == "unknown"
    assert reply("XADD k more", is_open=True) == "string?"
    assert reply("GET more", is_open=True) == "string?"
    assert row("redis-8.2", "HMGET").items == "string?"


@pytest.mark.parametrize(
    ("call", "types"),
    [
        ("SET k EX EX 5 NX", "key string token integer token"),
        ("EXPIRE k 5 NX", "key integer token"),
        ("ZADD k NX CH 1 NX 2 b", "key token token double string double string"),
        ("HSET k f v f v", "key string string string string"),
        ("MSET a 1 b 2", "key string key string"),
        ("BLPOP a b 0", "key key double"),
        ("XADD k NOMKSTREAM MAXLEN ~ 9 * f v", "key token token token string string string string"),
        ("XREAD COUNT 2 STREAMS a b 0 0", "token integer token key key string string"),
        ("ZUNIONSTORE d 2 a b WEIGHTS 1 2", "key integer key key token integer integer"),
        ("HEXPIRE k 9 NX FIELDS 1 a", "key integer token token integer string"),
        ("GEOSEARCH k FROMMEMBER a BYRADIUS 3 km ASC", "key token string token double token token"),
        ("BITFIELD k OVERFLOW SAT INCRBY u8 0 1", "key token token token string integer integer"),
        ("GET k more", "key None"),
    ],
)
def test_every_argument_has_its_type(call, types):
    name, *words = call.split()

    found = row("redis-8.2", name).argument_types(words)

    assert " ".join(map(str, found)) == types


def test_types_of_what_an_open_end_stands_for_are_not_told():
    types = row("redis-8.2", "HSET").argument_types(["k", "f", None], is_open=True)

    assert types == ["key", "string", None]


def test_a_command_is_found_in_any_case_and_its_subcommand_by_its_second_word():
    known = table("redis-7.0")

    create = known.get("xgroup", b"create")
    assert create is not None
    assert create is known.get("XGROUP CREATE")
    assert create.name == "XGROUP CREATE"
    assert known.get(b"get", "CREATE") is known.get("GET")
    assert known.get("XGROUP", "NONSENSE") is None
    assert known.get("NONSENSE") is None
    assert "xgroup" in known
    assert 7 not in known
    container = known.get("XGROUP")
    assert container is not None
    assert container.is_container


def test_a_file_of_ones_own_is_a_table(tmp_path):
    path = tmp_path / "mine.json"
    path.write_bytes((FOLDER / "redis-7.0.json").read_bytes())

    mine = table(path)

    assert mine.name == str(path)
    assert repr(mine.get("GET")) == repr(table("redis-7.0").get("GET"))
    assert len(mine) == len(table("redis-7.0"))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("[]", "expected a command table of format 1"),
        ('{"format":2}', "expected a command table of format 1"),
        ("{", "not JSON"),
        ("\x00\xff", "not JSON"),
        ('{"format":1,"server":"Redis 7.0.15"}', "as redislua writes it"),
        ('{"format":1,"server":"Redis 7.0.15","commands":{"GET":{}}}', "as redislua writes it"),
        ('{"format":1,"server":"Redis 7.0.15","commands":[1]}', "as redislua writes it"),
        ('{"format":1,"server":7,"commands":{}}', "as redislua writes it"),
        ('{"format":1,"server":"KeyDB 6.3","commands":{}}', "as redislua writes it"),
    ],
)
def test_another_file_is_refused_and_says_why(tmp_path, content, problem):
    path = tmp_path / "other.json"
    path.write_text(content, encoding="latin-1")

    with pytest.raises(ConfigError, match=problem):
        table(path)


def test_a_line_or_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"expected redis-7\.0, .*or the path of a \.json file"):
        table("redis-6.2")
    with pytest.raises(ConfigError, match="cannot be read"):
        table(tmp_path / "none.json")


@pytest.mark.parametrize("line", LINES)
def test_what_repeats_within_an_option_takes_no_place(line: str) -> None:
    row = table(line).get("GEOSEARCH")
    assert row is not None

    words = (None, b"FROMMEMBER", None, b"BYRADIUS", None, b"km", b"ASC", b"WITHDIST")
    assert row.reply_to(words) == "nested"
