"""Every script of the catalogue, with one valid call of each taken from its own examples."""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path

from redislua.codegen.load import Operation
from redislua.codegen.names import names_of
from redislua.runtime import Call
from redislua.spec.model import Arg, Script
from redislua.spec.notation import ExampleCall, Reference
from redislua.spec.registry import Registry, load
from redislua.spec.typing import arguments

ROOT = Path(__file__).parents[2]


@cache
def registry() -> Registry:
    """The catalogue."""
    return load(ROOT / "scripts")


@cache
def operations() -> dict[str, Operation]:
    """The catalogue, ready to be called through the committed bindings."""
    found = {}
    for script in registry().scripts:
        module = importlib.import_module(f"redislua.bindings.{script.family}")
        names = names_of(registry(), script)
        found[f"{script.family}.{names.function}"] = Operation(script, names, module)
    return found


def valid_call(script: Script) -> Call[object]:
    """A call that the script accepts: the first of its own examples without references."""
    operation = operations()[script.full_name]
    for example in script.examples:
        for line in example.lines:
            if not isinstance(line, ExampleCall) or line.script != script.name:
                continue
            if line.expectation.error:
                continue
            given = arguments(script, line.arguments)
            if not any(isinstance(value, Reference) for value in given.values()):
                return operation.call(given)
    raise AssertionError(f"{script.file} has no example of itself")


def numeric_arguments() -> list[tuple[Script, int, Arg]]:
    """Every argument that Lua reads as a number: script, index in ARGV, argument."""
    return [
        (script, index, arg)
        for script in registry().scripts
        for index, arg in enumerate(script.args)
        if arg.type.is_numeric
    ]
