"""RL807 on scripts that nobody has seen at full size."""

from __future__ import annotations

from pathlib import Path

import pytest

from redislua.lint.engine import lint_paths
from redislua.lint.settings import Settings
from tests.lint.rules.contracts import INT, script

BOARD = "@key board board:{<name>} zset"


def found(root: Path, name: str, body: str, *files: str) -> int:
    (root / "board").mkdir()
    (root / "board" / name).write_text(script(BOARD, INT, body=body))
    for other in files:
        (root / "board" / other).write_text("return 1\n")
    return lint_paths([str(root)], Settings(select=("RL807",))).total


@pytest.mark.parametrize(
    "body",
    [
        "return redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, 9)",
        "return #redis.call('ZRANGE', KEYS[1], 0, -1)",
        "redis.call('DEL', KEYS[1]) return 1",
        "for _, key in ipairs(KEYS) do redis.call('ZCARD', key) end return 1",
        "local n = 0 while n < #KEYS[1] do n = n + 1 end return n",
    ],
)
def test_a_script_whose_cost_grows_needs_a_worst_case(body: str, tmp_path: Path) -> None:
    assert found(tmp_path, "drop.v1.lua", body) == 1


@pytest.mark.parametrize(
    "body",
    [
        "return redis.call('ZCARD', KEYS[1])",
        "return #redis.call('ZRANGE', KEYS[1], 0, 0)",
        "local n = 0 for i = 1, 5 do n = n + i end return n",
        "redis.call('UNLINK', KEYS[1]) return 1",
    ],
)
def test_a_script_of_constant_cost_needs_none(body: str, tmp_path: Path) -> None:
    assert found(tmp_path, "drop.v1.lua", body) == 0


def test_a_worst_case_beside_the_script_is_enough(tmp_path):
    body = "return redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, 9)"

    assert found(tmp_path, "drop.v1.lua", body, "drop.v1.worst.lua") == 0


def test_the_worst_case_of_another_major_is_not_enough(tmp_path):
    body = "return redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, 9)"

    assert found(tmp_path, "drop.v1.lua", body, "drop.v2.worst.lua") == 1


def test_a_file_that_is_not_called_like_a_script_is_left_alone(tmp_path):
    assert found(tmp_path, "drop.lua", "return redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, 9)") == 0
