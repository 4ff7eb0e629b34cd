"""Examples on a real server: every notation, what passes, and how a failure reads."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from redislua.codegen.load import load_operations
from redislua.probe.describe import value_text
from redislua.probe.examples import ExampleResult, run_examples
from redislua.spec.model import Type
from redislua.spec.registry import load

KITCHEN = Path(__file__).parents[1] / "registries" / "features" / "scripts"

pytestmark = pytest.mark.filterwarnings("ignore:Use kitchen.twice:DeprecationWarning")


def results(root: Path, kind: str, *names: str) -> list[ExampleResult]:
    registry = load(root)
    scripts = [script for name in names if (script := registry.find(name)) is not None]
    assert len(scripts) == len(names)
    return list(run_examples(registry, load_operations(registry), kind, scripts))


@pytest.mark.parametrize("name", load(KITCHEN).names)
def test_every_notation_works_on_a_server(name, server):
    found = results(KITCHEN, server.kind, name)

    assert found
    for result in found:
        assert result.passed, [line for line in result.lines if line.problem]


def changed(tmp_path: Path, file: str, old: str, new: str) -> Path:
    for path in KITCHEN.rglob("*.lua"):
        copy = tmp_path / path.relative_to(KITCHEN)
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text()
        if path.name == file:
            assert old in text
            text = text.replace(old, new, 1)
        copy.write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("file", "old", "new", "actual", "problem"),
    [
        ("ring.v1.lua", "Rung count=2", "Rung count=3", "Rung count=2", "expected count = 3"),
        ("ring.v1.lua", "Rung count=2", "Rung count>=3", "Rung count=2", "expected count >= 3"),
        ("ring.v1.lua", "Rung count=2", "Rung count<=1", "Rung count=2", "expected count <= 1"),
        (
            "rows.v1.lua",
            "rows=[(pan, 7) (cup, 2)]",
            "rows=[(cup, 2) (pan, 7)]",
            "Rows total=9 rows=[(pan, 7) (cup, 2)]",
            "expected other rows than [(pan, 7) (cup, 2)]",
        ),
        ("many.v1.lua", "-> 0", "-> 1", "0", "expected a value = 1"),
        ("many.v1.lua", "-> <=1", "-> >=1", "0", "expected a value >= 1"),
        ("own.v1.lua", "-> one", "-> two", "one", "expected a value = two"),
        ("own.v1.lua", "-> none", "-> one", "none", "expected a value = one"),
        ("echo.v1.lua", "-> error BadText", "-> Gaps", "BadTextError:", "the call failed"),
        ("echo.v1.lua", "-> Gaps word=yes", "-> error BadText", "Gaps word=yes", "expected error"),
        ("echo.v1.lua", "-> Gaps word=yes", "-> Echo whole=3", "Gaps word=yes", "expected Echo"),
        ("echo.v1.lua", "blob=none flag=true", "blob=x", "blob=none", "expected blob = b'x'"),
        ("echo.v1.lua", "whole=-3 text", "whole=-30 text", "InvalidArgumentValue:", "failed"),
    ],
)
def test_a_line_that_does_not_hold_shows_what_came_back(
    file, old, new, actual, problem, server, tmp_path
):
    root = changed(tmp_path, file, old, new)

    (result,) = results(root, server.kind, f"kitchen.{file.split('.')[0]}")

    assert not result.passed
    last = result.lines[-1]
    assert actual in last.actual
    assert problem in last.problem


def test_an_example_for_a_newer_server_is_skipped_with_a_reason(server, tmp_path):
    old, new = "redis>=7.0 valkey>=7.2", "redis>=99 valkey>=99"
    root = changed(tmp_path, "twice.v2.lua", old, new)

    (result,) = results(root, server.kind, "kitchen.twice")

    assert "needs redis>=99 or valkey>=99; the server is" in result.skipped
    assert result.lines == ()


def test_a_script_that_never_ends_fails_and_the_others_go_on(server, tmp_path):
    """The server that it holds is replaced; with writes made it cannot even be killed."""
    for file, loop in (
        ("many.v1.lua", "while true do end"),
        ("own.v1.lua", "redis.call('SET', held, value)\nwhile true do end"),
    ):
        old = {"many.v1.lua": "local found = 0", "own.v1.lua": "return before"}[file]
        root = changed(tmp_path / file, file, old, f"{loop}\n{old}" if "many" in file else loop)

        found = results(root, server.kind, f"kitchen.{file.split('.')[0]}", "kitchen.ring")

        assert [result.passed for result in found] == [False, True]
        assert found[0].lines[-1].problem == "the script did not finish in time"
        assert "OutcomeUnknown" in found[0].lines[-1].actual


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        (
            "rows.v1.lua",
            "redis.call('PEXPIRE', shelf, keep_ms)",
            "",
            "key 'kitchen:{a}:shelf' is left without the expiry that its @key declares",
        ),
        (
            "ring.v1.lua",
            "redis.call('HSET', rings, 'v', 1)",
            "",
            "key 'kitchen:{a}:rings' does not carry 1 in field v, as kitchen-rings/1 says",
        ),
        (
            "own.v1.lua",
            "redis.call('SET', held, value)",
            "redis.call('DEL', held) redis.call('RPUSH', held, value)",
            "key 'any:thing' is a list and not a string",
        ),
    ],
)
def test_what_a_call_leaves_behind_must_be_what_its_header_says(
    file, old, new, problem, server, tmp_path
):
    root = changed(tmp_path, file, old, new)

    (result,) = results(root, server.kind, f"kitchen.{file.split('.')[0]}")

    assert result.lines[-1].problem == problem


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("bytes", b"plain", "plain"),
        ("bytes", b"two words", "b'two words'"),
        ("bytes", b"\x00\xff", "b'\\x00\\xff'"),
        ("bytes", b"", "b''"),
        ("str", "a b", "'a b'"),
        ("str", "", "''"),
        ("bool", True, "true"),
        ("ms", timedelta(seconds=1.5), "1500ms"),
        ("us", timedelta(milliseconds=2), "2000us"),
        ("float", 0.1, "0.1"),
        ("int", None, "none"),
    ],
)
def test_values_are_shown_as_an_example_would_write_them(kind, value, text):
    assert value_text(Type(kind), value) == text
