"""What an application pays for: redis-py, the standard library, and nothing of the toolchain."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROGRAM = """
import json, sys
import redis, redis.asyncio
before = set(sys.modules)
import {module}
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def imported(module: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(module=module)],
        capture_output=True,
        text=True,
        check=True,
    )
    names: list[str] = json.loads(done.stdout)
    return names


@pytest.mark.parametrize("module", ["redislua.bindings.limit", "redislua.bindings.cache"])
def test_bindings_import_redis_the_standard_library_and_the_runtime(module):
    family = module.rpartition(".")[2]

    ours, foreign = set(), set()
    for name in imported(module):
        top = name.partition(".")[0]
        if top == "redislua":
            ours.add(".".join(name.split(".")[:2]))
        elif top not in sys.stdlib_module_names:
            foreign.add(name)

    assert foreign == set()
    assert ours == {"redislua", "redislua.errors", "redislua.runtime", "redislua.bindings"}
    assert f"redislua.bindings.{family}" in imported(module)


def test_the_package_itself_imports_nothing():
    assert imported("redislua") == ["redislua"]
