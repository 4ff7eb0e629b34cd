"""The servers that scripts are to run on."""

from __future__ import annotations

import pytest

from redislua.errors import ConfigError
from redislua.syntax.targets import DEFAULT, LINES, Targets


@pytest.mark.parametrize(
    ("texts", "lines"),
    [
        (["redis>=7.0", "valkey>=7.2"], LINES),
        (["valkey>=7.2"], ("valkey-8.1", "valkey-9.1")),
        (["valkey>=9.0"], ("valkey-9.1",)),
        (["redis>=7.4"], ("redis-7.4", "redis-8.2")),
        (["redis>=7.3"], ("redis-7.4", "redis-8.2")),
        (["redis>=7.2.5"], ("redis-7.2", "redis-7.4", "redis-8.2")),
        (["redis>=6.2"], ("redis-7.0", "redis-7.2", "redis-7.4", "redis-8.2")),
        (["redis>=99"], ("redis-8.2",)),
        ([" redis >= 8 "], ("redis-8.2",)),
    ],
)
def test_a_list_of_bounds_means_lines_with_a_table(texts, lines):
    assert Targets.parse(texts).lines == lines


def test_the_lowest_version_of_a_product_is_the_bound_itself():
    targets = Targets.parse(["redis>=7.2.5"])

    assert targets.lowest("redis") == (7, 2, 5)
    assert targets.lowest("valkey") is None
    assert Targets.parse(["redis>=8"]).lowest("redis") == (8, 0)


def test_the_default_is_what_redislua_needs():
    assert Targets.parse(["valkey>=7.2", "redis>=7.0"]) == DEFAULT
    assert str(DEFAULT) == "redis>=7.0, valkey>=7.2"
    assert DEFAULT.lines == LINES


@pytest.mark.parametrize(
    "texts",
    [
        "redis>=7.0",
        b"redis>=7.0",
        7,
        None,
        [],
        [7],
        ["redis"],
        ["redis>7.0"],
        ["redis==7.0"],
        ["redis>=seven"],
        ["redis>=7.0.0.0"],
        ["redis>=7.٣"],
        ["keydb>=6"],
        ["redis>=7.0", "redis>=7.2"],
    ],
)
def test_anything_else_is_refused_with_what_was_expected(texts):
    with pytest.raises(ConfigError, match=r"targets.*expected a product and its oldest version"):
        Targets.parse(texts)
