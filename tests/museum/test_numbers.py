"""The traps that numbers and replies are in Lua: each as it is, and a script that is not in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import redis

from redislua.bindings import limit
from redislua.runtime import run
from redislua.spec.model import Script
from tests.catalogue.samples import registry

SCRIPTS = registry().scripts
each = pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.full_name)


def body(script: Script) -> str:
    """Its Lua, without the header and without comments."""
    lines = script.source.decode().split("\n")[script.header_lines :]
    return "\n".join(re.sub(r"--.*", "", line) for line in lines)


@pytest.mark.parametrize(
    ("lua", "seen"),
    [
        ("return 3.99", 3),
        ("return {1.9, '1.9'}", [1, b"1.9"]),
        ("return {1, nil, 3}", [1]),
        ("return {a = 1}", []),
        ("return {1, false, 3}", [1, None, 3]),
        ("return tostring(100000000000000)", b"1e+14"),
        ("return 1732300000123456 .. ''", b"1.7323000001235e+15"),
        ("return tostring(0.1 + 0.2)", b"0.3"),
        ("return '10' < '9' and 1 or 0", 1),
        ("return 10 == '10' and 1 or 0", 0),
        ("return tonumber(' 5 ')", 5),
        ("return tonumber('0x10')", 16),
        ("return tonumber('1e5')", 100_000),
        ("return tonumber('nan') and 1 or 0", 1),
        ("return ('%d'):format(1.9)", b"1"),
        ("return 9007199254740993", 9_007_199_254_740_992),
        ("return cjson.encode({})", b"{}"),
        ("return cjson.encode(123456789012345)", b"1.2345678901234e+14"),
        ("return bit.lshift(1, 31)", -2_147_483_648),
        ("return redis.call('GET', KEYS[1]) == false and 1 or 0", 1),
        ("return ARGV[1] and 1 or 0", 1),  # '0' is true
    ],
)
def test_what_lua_makes_of_it(client: redis.Redis, lua: str, seen: Any) -> None:
    assert client.eval(lua, 1, "missing", "0") == seen


def test_a_counter_beyond_the_exact_numbers_is_right_on_the_server_and_wrong_in_the_reply(
    client: redis.Redis,
) -> None:
    client.set("k", 9_007_199_254_740_992)

    assert client.eval("return redis.call('INCR', KEYS[1])", 1, "k") == 9_007_199_254_740_992
    assert client.get("k") == b"9007199254740993"

    call = limit.increment_with_limit(subject="u", limit=5, window=60_000)
    client.set(call.keys[0], "9007199254740993", px=60_000)
    with pytest.raises(limit.BadStateError):
        run(client, call)
    assert client.get(call.keys[0]) == b"9007199254740993"


@each
def test_no_number_is_made_text_but_by_a_format(script: Script) -> None:
    lua = body(script)

    assert "tostring(" not in lua
    assert "'%d'" not in lua
    assert not re.search(r"_(us|ms|s)\s*\.\.|\.\.\s*\w+_(us|ms|s)\b", lua)


@each
def test_no_text_is_made_a_number_unless_its_pattern_was_looked_at(script: Script) -> None:
    lua = body(script)
    bare = re.findall(r"tonumber\((\w+)\)", lua)

    # `integer` looks before it converts; the rest are scores, and fields of a format that was
    # checked.
    assert "text:find" in lua or "'ZSCORE'" in lua or not bare


@each
def test_no_reply_has_a_hole_or_a_fraction(script: Script) -> None:
    for reply in re.findall(r"return (\{.*?\})\n", body(script), re.DOTALL):
        assert "nil" not in reply
        assert not re.search(r"\d\.\d", reply)


@each
def test_no_random_numbers_and_no_clock_but_the_servers(script: Script) -> None:
    assert not re.search(r"math\.random|os\.(time|clock)", body(script))


def test_the_catalogue_is_that_of_the_repository() -> None:
    files = {path.name for path in (Path(__file__).parents[2] / "scripts").glob("*/*.lua")}

    assert {Path(script.file).name for script in SCRIPTS} == {
        name for name in files if not name.endswith(".worst.lua")
    }
