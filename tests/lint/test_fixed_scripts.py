"""``--fix`` on scripts with defects put into them: afterwards they do what they did before."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from redislua.codegen.load import load_operations
from redislua.lint.engine import lint_paths
from redislua.lint.fixes import fix_file
from redislua.lint.settings import Settings
from redislua.probe.examples import run_examples
from redislua.server import Server
from redislua.spec.model import Script
from redislua.spec.registry import load
from tools.bench.mutations import KINDS

CATALOGUE = Path("scripts")

pytestmark = pytest.mark.client_side  # the fixes are the same whatever the server


def seeded(name: str) -> Callable[[Script], bytes | None]:
    return next(kind.seed for kind in KINDS if kind.name == name)


def older_command(script: Script) -> bytes | None:
    changed = script.source.replace(b"'HSET'", b"'HMSET'")
    return changed if changed != script.source else None


def no_prologue(script: Script) -> bytes | None:
    """The one key of a script read where it is used, and not bound above."""
    found = re.search(rb"(?m)^local (\w+) = KEYS\[1\]\n", script.source)
    if found is None:
        return None
    below = script.source[found.end() :]
    return script.source[: found.start()] + re.sub(rb"\b%s\b(?=[,)])" % found[1], b"KEYS[1]", below)


def idle_suppression(script: Script) -> bytes | None:
    return script.source + b"-- redislua: ignore[RL501] -- read in one piece\n"


DEFECTS: dict[str, tuple[Callable[[Script], bytes | None], int]] = {
    "global write": (seeded("global write"), 13),
    "lost local": (seeded("lost local"), 13),
    "global function": (seeded("global function"), 10),
    "lost flag": (seeded("lost flag"), 2),
    "space between flags": (seeded("space between flags"), 2),
    "older command": (older_command, 1),
    "no prologue": (no_prologue, 5),
    "idle suppression": (idle_suppression, 13),
}
"""For each defect that a fix mends how to make it, and how many scripts can have it at least."""


def fix_all(root: Path) -> int:
    return lint_paths([str(root)], Settings(), change=fix_file).fixed


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_fixed_catalogue_passes_its_examples(defect: str, tmp_path: Path, server: Server) -> None:
    root = tmp_path / "scripts"
    shutil.copytree(CATALOGUE, root)
    seed, fewest = DEFECTS[defect]
    wrong = {
        script.file: source
        for script in load(CATALOGUE).scripts
        if (source := seed(script)) is not None
    }
    for file, source in wrong.items():
        (root / file).write_bytes(source)

    mended = fix_all(root)

    changed = [file for file, source in wrong.items() if (root / file).read_bytes() != source]
    for file in wrong.keys() - set(changed):
        shutil.copy(CATALOGUE / file, root / file)  # what no fix mends is another test's
    texts = {path: path.read_bytes() for path in root.rglob("*.lua")}
    assert mended >= len(changed) >= fewest
    assert fix_all(root) == 0
    assert texts == {path: path.read_bytes() for path in root.rglob("*.lua")}
    registry = load(root)
    chosen = [script for script in registry.scripts if script.file in changed]
    for result in run_examples(registry, load_operations(registry), server.kind, chosen):
        assert result.passed or result.skipped, [line for line in result.lines if line.problem]
