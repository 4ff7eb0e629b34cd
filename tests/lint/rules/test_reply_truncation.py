"""RL308: fractions in replies."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import diagnostics, lines

NEAR = (
    "local hits = redis.call('GEOSEARCH', KEYS[1], 'FROMLONLAT', 1, 2, 'BYRADIUS', 5, 'km', 'WITHDIST')\n"
    "local out = {}\n"
)


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("return redis.call('INCR', KEYS[1]) / 3", [1]),
        (
            "local share = redis.call('LLEN', KEYS[1]) / redis.call('LLEN', KEYS[2])\nreturn {1, share}",
            [2],
        ),
        ("local mean = tonumber(ARGV[1]) / 10\nlocal out = {}\nout[1] = mean\nreturn out", [3]),
        ("local function half(n) return n / 2 end\nreturn half(redis.call('INCR', KEYS[1]))", [1]),
        ("return redis.call('INCR', KEYS[1]) * 0.5", [1]),
        ("local out = {}\nfor i = 1, 9 do out[i] = i / 2 end\nreturn out", [2]),
        ("local n = redis.call('INCR', KEYS[1])\nreturn (n - n % 10) / 4", [2]),
        (
            NEAR + "for _, hit in ipairs(hits) do\nout[#out + 1] = hit[2] * 1000 end\nreturn out",
            [4],
        ),
        (NEAR + "if #hits > 0 then return tonumber(hits[1][2]) end", [3]),
        ("local d = redis.call('GEODIST', KEYS[1], 'a', 'b') or 0\nreturn tonumber(d) + 1", [2]),
        ("return tonumber(redis.call('INCRBYFLOAT', KEYS[1], ARGV[1]))", [1]),
        ("local s = redis.call('ZSCORE', KEYS[1], ARGV[1])\nif s then return tonumber(s) end", [2]),
    ],
)
def test_a_fraction_in_a_reply_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL308") == where


@pytest.mark.parametrize(
    "lua",
    [
        "return tostring(redis.call('INCR', KEYS[1]) / 3)",
        "return math.floor(redis.call('INCR', KEYS[1]) / 3)",
        "return 10 / 2",
        "return redis.call('INCR', KEYS[1]) * 2",
        "local half = redis.call('INCR', KEYS[1]) / 3\nif half > 1 then return 1 end\nreturn 0",
        "return #redis.call('HGETALL', KEYS[1]) / 2",
        "local out = {}\nfor i = 1, 9, 2 do out[#out + 1] = (i + 1) / 2 end\nreturn out",
        "local n = redis.call('INCR', KEYS[1])\nreturn (n - n % 10) / 10",
        "local n = redis.call('INCR', KEYS[1]) / 3\nn = n - n % 1\nreturn string.format('%.2f', n)",
        NEAR + "for _, hit in ipairs(hits) do out[#out + 1] = hit[2] end\nreturn out",
        NEAR
        + "for _, hit in ipairs(hits) do out[#out + 1] = math.floor(hit[2] * 1000) end\nreturn out",
        "return redis.call('ZSCORE', KEYS[1], ARGV[1])",
        "local pair = {redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])}\nreturn tonumber(pair[2])",
    ],
)
def test_a_whole_number_or_a_text_is_none(lua: str) -> None:
    assert lines(lua, "RL308") == []


def test_a_score_is_information_and_a_distance_a_warning() -> None:
    (score,) = diagnostics("return tonumber(redis.call('ZSCORE', KEYS[1], 'a'))", "RL308")
    (distance,) = diagnostics("return tonumber(redis.call('GEODIST', KEYS[1], 'a', 'b'))", "RL308")
    assert (score.severity, distance.severity) == ("info", "warning")
