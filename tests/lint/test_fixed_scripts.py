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


def mended(root: Path, wrong: dict[str, bytes]) -> list[str]:
    """Write scripts with defects and fix them; the files in which something was mended.

    What no fix mends is another test's: such a script is put back.
    """
    shutil.copytree(CATALOGUE, root)
    for file, source in wrong.items():
        (root / file).write_bytes(source)
    count = fix_all(root)
    changed = [file for file, source in wrong.items() if (root / file).read_bytes() != source]
    for file in wrong.keys() - set(changed):
        shutil.copy(CATALOGUE / file, root / file)
    assert count >= len(changed)
    return changed


def with_defect(name: str) -> dict[str, bytes]:
    """The scripts that can have a defect, with it."""
    seed, _ = DEFECTS[name]
    seeds = ((script.file, seed(script)) for script in load(CATALOGUE).scripts)
    return {file: source for file, source in seeds if source is not None}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_second_fix_changes_nothing(defect: str, tmp_path: Path) -> None:
    root = tmp_path / "scripts"
    changed = mended(root, with_defect(defect))

    texts = {path: path.read_bytes() for path in root.rglob("*.lua")}
    assert len(changed) >= DEFECTS[defect][1]
    assert fix_all(root) == 0
    assert texts == {path: path.read_bytes() for path in root.rglob("*.lua")}


def test_a_fixed_catalogue_passes_its_examples(tmp_path: Path, server: Server) -> None:
    """Each script with one defect, those that few can have first, and then each in turn."""
    defects = {name: with_defect(name) for name in DEFECTS}
    fewest_first = sorted(defects, key=lambda name: len(defects[name]))
    wrong: dict[str, bytes] = {}
    met = dict.fromkeys(defects, 0)
    for script in load(CATALOGUE).scripts:
        can = [name for name in fewest_first if script.file in defects[name]]
        if can:
            chosen = min(can, key=lambda name: (met[name], fewest_first.index(name)))
            met[chosen] += 1
            wrong[script.file] = defects[chosen][script.file]
    assert min(met.values()) > 0
    root = tmp_path / "scripts"
    changed = mended(root, wrong)

    registry = load(root)
    chosen_scripts = [script for script in registry.scripts if script.file in changed]
    assert len(chosen_scripts) > len(wrong) / 2
    for result in run_examples(registry, load_operations(registry), server.kind, chosen_scripts):
        assert result.passed or result.skipped, [line for line in result.lines if line.problem]
