"""Which cases a script is run in: its sizes, the ends of its ranges, and what a sidecar names."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from redislua.budget import values
from redislua.budget.cases import SIZES, plan, sizes_of
from redislua.budget.fill import fill_keys
from redislua.budget.sidecar import Sidecar, find_sidecar
from redislua.codegen.load import load_operations
from redislua.errors import ConfigError
from redislua.spec.model import Script
from redislua.spec.registry import Registry, load
from tests.budget.samples import LOOP, project
from tests.catalogue.samples import operations as catalogue_operations
from tests.catalogue.samples import registry as catalogue

KITCHEN = Path(__file__).parents[1] / "registries" / "features" / "scripts"


def script(name: str, registry: Registry | None = None) -> Script:
    found = (registry or catalogue()).find(name)
    assert found is not None
    return found


def cases(name: str) -> dict[str, dict[str, str]]:
    registry = catalogue()
    operation = catalogue_operations()[name]
    sidecar = find_sidecar(registry, operation.spec)
    planned = plan(registry, catalogue_operations(), operation, sidecar)
    names = [one.case.name for one in planned]
    assert len(names) == len(set(names))
    return {one.case.name: dict(one.case.arguments) for one in planned}


def test_sizes_go_up_to_the_range_of_what_the_budget_names():
    window = script("limit.sliding_window")

    assert sizes_of(window, None) == (1, 10, 100, 1_000, 4_000)


@pytest.mark.parametrize(
    ("name", "sizes"), [("kitchen.many", (1, 3, 6, 10, 16)), ("kitchen.rows", (1, 2, 4, 8))]
)
def test_a_short_range_still_has_four_sizes(name, sizes):
    assert sizes_of(script(name, load(KITCHEN)), None) == sizes


def test_without_n_keys_are_filled_at_every_size_and_a_sidecar_has_one_state():
    read = script("cache.read")

    assert sizes_of(read, None) == SIZES
    assert sizes_of(read, Sidecar("read.v1.worst.lua", b"", ())) == (1,)


def test_the_size_is_also_the_argument_that_the_budget_names():
    found = cases("limit.sliding_window")

    assert found["n=10"]["limit"] == "10"
    assert found["n=4000"]["limit"] == "4000"
    assert found["cost high"] == {**found["n=4000"], "cost": "100"}


def test_each_end_alone_and_all_ends_at_once_and_no_more():
    spec = script("limit.gcra")
    base = values.usual(catalogue(), spec)

    found = dict(values.ends(spec, base))

    assert [*found] == [
        "mode consume",
        "mode peek",
        *(f"{name} {end}" for name in ("limit", "period", "burst", "cost", "max_debt")
          for end in ("low", "high")),
        "all low",
        "all high",
    ]  # fmt: skip
    assert found["period high"] == {**base, "period": timedelta(days=366)}
    assert found["all low"]["limit"] == 1
    assert found["all high"]["cost"] == 10**9


@pytest.mark.parametrize(
    ("name", "label", "argument", "length"),
    [
        ("cache.fill", "value high", "value", 262_144),
        ("cache.fill", "owner high", "owner", 48),
        ("cache.fill", "owner low", "owner", 1),
        ("limit.sliding_window", "token high", "token", 32),
    ],
)
def test_texts_have_the_length_of_an_end(name, label, argument, length):
    spec = script(name)

    found = dict(values.ends(spec, values.usual(catalogue(), spec)))

    assert len(found[label][argument]) == length


def test_the_worst_call_of_a_sidecar_takes_the_place_of_the_example():
    found = cases("cache.conditional_update")

    assert found["worst"]["mode"] == "fence"
    assert found["worst"]["value"] == "262144 bytes"
    assert found["call 2"]["want_value"] == "true"


def test_every_script_is_also_run_on_a_missing_key_and_on_keys_of_another_type():
    for name in catalogue().names:
        found = cases(name)

        assert "missing key" in found
        assert sum(case.endswith(" of another type") for case in found) == len(script(name).keys)


def test_without_a_sidecar_examples_are_cases_each_after_what_stands_above_it(tmp_path, client):
    registry = load(project(tmp_path, LOOP) / "scripts")
    operations = load_operations(registry)
    planned = plan(registry, operations, operations["tags.walk"], None)

    names = [one.case.name for one in planned]
    assert names[:4] == ["n=10", "n=100", "n=1000", "n=10000"]
    assert names[-1] == "example 1 line 1"

    planned[1].prepare(client)
    assert client.scard("set:{a}:members") == 100


def test_examples_that_need_earlier_lines_get_them(client):
    registry, operations = catalogue(), catalogue_operations()
    planned = plan(registry, operations, operations["cache.read"], None)
    third = next(one for one in planned if one.case.name == "example 1 line 5")

    third.prepare(client)

    assert client.hget("cache:{user:1}:entry", "d") == b"\x00\xff"


@pytest.mark.parametrize("kind", ["string", "hash", "list", "set", "zset", "stream"])
def test_keys_of_every_type_can_be_filled(kind, client):
    spec = script("cache.read")
    spec = replace(spec, keys=(replace(spec.keys[0], redis_type=kind),), states=())
    call = catalogue_operations()["cache.read"].call({"key": "a"})
    [(_, name)] = spec.keys_of(call.keys)

    fill_keys(client, spec, call, 2_500)

    count = {"string": "strlen", "hash": "hlen", "list": "llen", "set": "scard", "zset": "zcard"}
    assert client.type(name) == kind.encode()
    assert getattr(client, count.get(kind, "xlen"))(name) == 2_500 * (10 if kind == "string" else 1)


def sidecar(tmp_path: Path, text: str) -> Sidecar | None:
    root = project(tmp_path, LOOP) / "scripts"
    (root / "tags" / "walk.v1.worst.lua").write_text(text)
    registry = load(root)
    return find_sidecar(registry, script("tags.walk", registry))


def test_placeholders_of_a_call_may_be_left_out_or_given(tmp_path):
    found = sidecar(tmp_path, "-- @call name=x\n--  @call  name='y z'\nreturn 1\n")

    assert found is not None
    assert found.calls == ({"name": "x"}, {"name": "y z"})
    assert found.file == "tags/walk.v1.worst.lua"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("-- @call nmae=x", "1: @call: tags.walk has no parameter 'nmae'"),
        ("\n-- @call name", "2: @call: 'name': expected name=value"),
        ("-- @call name='x", "1: @call: No closing quotation"),
    ],
)
def test_a_call_that_does_not_fit_the_header_has_its_place(text, problem, tmp_path):
    with pytest.raises(ConfigError) as caught:
        sidecar(tmp_path, text)

    assert f"tags/walk.v1.worst.lua:{problem}" in str(caught.value)


def test_a_sidecar_that_fails_says_at_which_size(tmp_path, client):
    found = sidecar(tmp_path, "redis.call('SADD', KEYS[1])")
    assert found is not None
    call = catalogue_operations()["cache.read"].call({"key": "a"})

    with pytest.raises(ConfigError, match=r"walk.v1.worst.lua: at n=10: .*[Ww]rong number"):
        found.fill(client, call, 10)
