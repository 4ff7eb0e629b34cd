"""The project that a verb works on: its configuration and its scripts."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from pathlib import Path

from redislua import bindings
from redislua.cli.console import stderr
from redislua.errors import ConfigError, NoProject
from redislua.spec.config import Config, find_config
from redislua.spec.model import Script
from redislua.spec.registry import Registry, from_sources, load


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


def catalogue() -> Registry:
    """redislua's own scripts: the sources that its bindings carry."""
    sources = {}
    for found in pkgutil.iter_modules(bindings.__path__):
        module = importlib.import_module(f"{bindings.__name__}.{found.name}")
        sources.update({script.file: script.source for script in module.SCRIPTS})
    return from_sources(sources, root=Path("scripts"))


def scripts() -> Registry:
    """The project's scripts; outside a project the catalogue's, and a note that says so."""
    found = own()
    if found is not None:
        return found
    stderr().print("no project here: redislua's own catalogue", style="dim")
    return catalogue()


def find(name: str) -> tuple[Registry, Script]:
    """A script by its full name: of the project, or else of the catalogue.

    Raises:
        ConfigError: When neither has it.
    """
    names: tuple[str, ...] = ()
    for source in (own, catalogue):
        known = source()
        script = known.find(name) if known is not None else None
        if known is not None and script is not None:
            return known, script
        names += known.names if known is not None else ()
    near = difflib.get_close_matches(name.replace("/", "."), names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(names)}"
    raise ConfigError(f"no script is called {name!r}: {hint}")


def own() -> Registry | None:
    """The project's scripts; None outside a project."""
    try:
        found = config()
    except NoProject:
        return None
    return load(found.scripts)


def select(known: Registry, names: tuple[str, ...]) -> tuple[str, ...]:
    """Check script or family names, and return full names; none means all."""
    chosen: list[str] = []
    for name in names:
        matches = [full for full in known.names if full == name or full.split(".")[0] == name]
        if not matches:
            raise ConfigError(f"no script or family is called {name!r}: {', '.join(known.names)}")
        chosen += [full for full in matches if full not in chosen]
    return tuple(chosen) if names else known.names
