"""RL312: documents decoded and encoded."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        (
            "local d = cjson.decode(ARGV[1])\nd.n = 1\nredis.call('SET', KEYS[1], cjson.encode(d))",
            [3],
        ),
        (
            "local raw = redis.call('GET', KEYS[1])\nlocal d = raw and cjson.decode(raw) or {}\nlocal text = cjson.encode(d)\nredis.call('SET', KEYS[1], text)",
            [3],
        ),
        (
            "local ok, d = pcall(cjson.decode, ARGV[1])\nredis.call('HSET', KEYS[1], 'd', cjson.encode(d))",
            [2],
        ),
    ],
)
def test_a_document_that_is_stored_again_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL312") == where


@pytest.mark.parametrize(
    "lua",
    [
        "redis.call('SET', KEYS[1], cjson.encode({a = ARGV[1]}))",
        "local d = cjson.decode(ARGV[1])\nreturn cjson.encode(d)",
        "local d = cjson.decode(ARGV[1])\nredis.call('SET', KEYS[1], d.name)",
        "local d = cjson.decode(ARGV[1])\nredis.call('SET', KEYS[1], cjson.encode({d.a, d.b}))",
    ],
)
def test_what_was_not_decoded_or_is_not_stored_is_none(lua: str) -> None:
    assert lines(lua, "RL312") == []
