"""The project that a verb works on: its configuration and its scripts."""

from __future__ import annotations

from pathlib import Path

from redislua.codegen.load import Operation, load_operations
from redislua.errors import ConfigError
from redislua.spec.config import Config, find_config
from redislua.spec.registry import Registry, load


def config() -> Config:
    """Find the configuration from the current folder upwards."""
    return find_config(Path.cwd())


def folder_name(found: Config) -> str:
    """The scripts folder as the project writes it: what generated files name as their source."""
    return found.scripts.relative_to(found.root).as_posix()


def registry() -> tuple[Config, Registry]:
    """The configuration and its scripts."""
    found = config()
    return found, load(found.scripts)


def operations() -> tuple[Registry, dict[str, Operation]]:
    """The scripts, ready to be called."""
    found, scripts = registry()
    return scripts, load_operations(scripts, folder=folder_name(found))


def select(known: Registry, names: tuple[str, ...]) -> tuple[str, ...]:
    """Check script or family names, and return full names; none means all."""
    chosen: list[str] = []
    for name in names:
        matches = [full for full in known.names if full == name or full.split(".")[0] == name]
        if not matches:
            raise ConfigError(f"no script or family is called {name!r}: {', '.join(known.names)}")
        chosen += [full for full in matches if full not in chosen]
    return tuple(chosen) if names else known.names
