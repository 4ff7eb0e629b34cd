"""RL313: JSON null compared with nil."""

from __future__ import annotations

import pytest

from tests.lint.rules.firing import diagnostics, lines


@pytest.mark.parametrize(
    ("lua", "where"),
    [
        ("local d = cjson.decode(ARGV[1])\nif d.name == nil then return 0 end", [2]),
        (
            "local d = cjson.decode(ARGV[1])\nlocal name = d['name']\nif name ~= nil then return 0 end",
            [3],
        ),
        (
            "local d = cjson.decode(ARGV[1])\nfor k, v in pairs(d) do if v == nil then return k end end",
            [2],
        ),
        (
            "local ok, d = pcall(cjson.decode, ARGV[1])\nif ok and d.a.b ~= nil then return 0 end",
            [2],
        ),
    ],
)
def test_a_field_compared_with_nil_alone_is_found(lua: str, where: list[int]) -> None:
    assert lines(lua, "RL313") == where


@pytest.mark.parametrize(
    "lua",
    [
        "local d = cjson.decode(ARGV[1])\nif d.name == nil or d.name == cjson.null then return 0 end",
        "local d = {}\nif d.name == nil then return 0 end",
        "local d = cjson.decode(ARGV[1])\nif not d.name then return 0 end",
        "local d = cjson.decode(ARGV[1])\nif d.name == 'x' then return 0 end",
        "local d = cjson.decode(ARGV[1])\nif ARGV[2] == nil then return d.name end",
    ],
)
def test_what_is_no_field_or_knows_null_is_none(lua: str) -> None:
    assert lines(lua, "RL313") == []


@pytest.mark.parametrize(
    ("lua", "severity"),
    [
        ("if d.name == nil then return 0 end", "info"),
        ("for k, v in pairs(d) do if v == nil then return k end end", "warning"),
        ("if d.at == nil then d.at = cjson.null end", "warning"),
        ("if d.by == cjson.null then return 1 end\nif d.name == nil then return 0 end", "warning"),
    ],
)
def test_it_is_a_warning_where_the_script_knows_null(lua: str, severity: str) -> None:
    found = diagnostics("local d = cjson.decode(ARGV[1])\n" + lua, "RL313")

    assert [one.severity for one in found] == [severity]
