"""A registry as callable functions, without files: how every verb gets from spec to call."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from redislua.codegen.names import Names, names_of
from redislua.codegen.render import render
from redislua.runtime import Call
from redislua.runtime import Script as RuntimeScript
from redislua.spec.model import Script
from redislua.spec.registry import Registry


@dataclass(frozen=True, slots=True)
class Operation:
    """One script, ready to be called.

    Attributes:
        spec: Its header.
        names: Its generated names.
        module: The generated module, executed in memory.
    """

    spec: Script
    names: Names
    module: types.ModuleType

    @property
    def script(self) -> RuntimeScript:
        """The generated module's own `Script` value."""
        found: RuntimeScript = getattr(self.module, self.names.constant)
        return found

    def call(self, arguments: Mapping[str, Any]) -> Call[Any]:
        """Build a call from typed keyword arguments; rows are given as tuples."""
        given = dict(arguments)
        for group in self.spec.groups:
            if group.name in given:
                row = getattr(self.module, self.names.argument_row(group))
                given[group.name] = [row(*values) for values in given[group.name]]
        call: Call[Any] = getattr(self.module, self.names.function)(**given)
        return call

    def variant_name(self, reply: Any) -> str:
        """The header's name of a reply's variant, or ``""`` for a bare reply."""
        if not self.spec.variants:
            return ""
        return type(reply).__name__.removeprefix(self.names.stem)


def load_operations(
    registry: Registry, texts: Mapping[str, str] | None = None
) -> dict[str, Operation]:
    """Execute all modules in memory, and return operations by full name.

    Args:
        registry: The scripts.
        texts: What `render` made of them, where that is at hand already.

    Raises:
        GenerateError: When the scripts cannot be rendered.
    """
    modules = {
        path.removesuffix(".py"): _execute(path, text)
        for path, text in (texts if texts is not None else render(registry)).items()
        if path != "__init__.py"
    }
    operations = {}
    for script in registry.scripts:
        names = names_of(registry, script)
        operations[f"{script.family}.{names.function}"] = Operation(
            script, names, modules[script.family]
        )
    return operations


def _execute(path: str, text: str) -> types.ModuleType:
    module = types.ModuleType(path.removesuffix(".py"))
    code = compile(text, f"<generated {path}>", "exec", dont_inherit=True)
    exec(code, module.__dict__)  # noqa: S102  # our own rendering, verified against its source
    return module
