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


def results(root: Path, url: str, name: str) -> list[ExampleResult]:
    registry = load(root)
    script = registry.find(name)
    assert script is not None
    return list(run_examples(registry, load_operations(registry), url, [script]))


@pytest.mark.parametrize("name", load(KITCHEN).names)
def test_every_notation_works_on_a_server(name, server):
    found = results(KITCHEN, server.url, name)

    assert found
    for result in found:
        assert result.passed, [line for line in result.lines if line.problem]


def changed(tmp_path: Path, file: str, old: str, new: str) -> Path:
    for path in KITCHEN.rglob("*.lua"):
        copy = tmp_path / path.relative_to(KITCHEN)
        copy.parent.mkdir(exist_ok=True)
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

    (result,) = results(root, server.url, f"kitchen.{file.split('.')[0]}")

    assert not result.passed
    last = result.lines[-1]
    assert actual in last.actual
    assert problem in last.problem


def test_an_example_for_a_newer_server_is_skipped_with_a_reason(server, tmp_path):
    old, new = "redis>=7.0 valkey>=7.2", "redis>=99 valkey>=99"
    root = changed(tmp_path, "twice.v2.lua", old, new)

    (result,) = results(root, server.url, "kitchen.twice")

    assert "needs redis>=99 or valkey>=99; the server is" in result.skipped
    assert result.lines == ()


def test_examples_start_on_an_empty_database(server, client):
    client.set("left", "over")

    results(KITCHEN, server.url, "kitchen.ring")

    assert client.get("left") is None


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
