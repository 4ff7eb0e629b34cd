"""What scripts find without declaring it, compared with a live server."""

from __future__ import annotations

import pytest
import redis

from redislua.server import Server
from redislua.syntax.environment import (
    ELSEWHERE,
    GLOBALS,
    LATER,
    LIBRARIES,
    missing_from,
    since,
)
from redislua.syntax.targets import Targets

WALK = """
local found = {}
for name, value in pairs(_G) do
  found[#found + 1] = name
  if type(value) == 'table' and name ~= '_G' then
    for member in pairs(value) do
      if type(member) == 'string' then found[#found + 1] = name .. '.' .. member end
    end
  end
end
return found
"""


def expected(product: str, version: tuple[int, ...]) -> frozenset[str]:
    """What the table says of one server."""
    missing = missing_from(Targets(((product, version),)))
    tops = (GLOBALS | LIBRARIES.keys()) - missing
    names = {f"{top}.{one}" for top in tops & LIBRARIES.keys() for one in LIBRARIES[top]}
    return frozenset(tops | (names - missing))


def test_the_table_is_what_the_server_has(server: Server, client: redis.Redis):
    product, _, number = server.version.lower().partition(" ")
    version = tuple(int(part) for part in number.split("."))
    names = {name.decode() for name in client.eval(WALK, 0)}
    own = {name for name in names if name.startswith("__")}  # the server's error handlers

    assert names - own == expected(product, version)


@pytest.mark.parametrize("path", sorted(ELSEWHERE))
def test_what_is_elsewhere_is_missing(path: str, client: redis.Redis):
    with pytest.raises(redis.ResponseError, match=r"nonexistent global|a nil value|index global"):
        client.eval(f"return {path}.x()", 0)


def test_versions_of_what_came_later():
    assert since("os.clock") == {"redis": (7, 4), "valkey": (8, 0)}
    assert since("redis.SERVER_NAME") == LATER["server"]
    assert since("string.format") is None


@pytest.mark.parametrize(
    ("targets", "missing"),
    [
        (["redis>=7.0"], {"os", "server"}),
        (["redis>=7.4"], {"server"}),
        (["valkey>=8.0"], set()),
        (["valkey>=7.2"], {"os", "server"}),
        (["redis>=7.4", "valkey>=8.1"], {"server"}),
    ],
)
def test_what_the_oldest_target_lacks(targets: list[str], missing: set[str]):
    found = missing_from(Targets.parse(targets))

    assert {name for name in found if "." not in name} == missing
