"""The kitchen registry, one script for each thing a header can say: its specs and its golden module."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

from redislua.codegen.names import names_of
from redislua.spec.model import Script
from redislua.spec.registry import Registry, load

ROOT = Path(__file__).parents[2]
KITCHEN = ROOT / "tests" / "registries" / "features"


def load_golden() -> Any:
    """Import the golden module, once for the process: classes must be found to be pickled."""
    name = "kitchen_golden"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, KITCHEN / "golden" / "kitchen.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


kitchen: Any = load_golden()


def generated() -> list[tuple[Registry, Script, Any]]:
    """Every script of the catalogue and of the kitchen, with its generated module."""
    found = []
    for folder in (ROOT / "scripts", KITCHEN / "scripts"):
        registry = load(folder)
        for script in registry.scripts:
            module = kitchen
            if folder.parent == ROOT:
                module = importlib.import_module(f"redislua.bindings.{script.family}")
            found.append((registry, script, module))
    return found


def decoder_of(registry: Registry, script: Script, module: Any) -> Any:
    """The generated decoder of a script's reply."""
    return getattr(module, names_of(registry, script).decoder)
