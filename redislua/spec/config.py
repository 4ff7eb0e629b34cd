"""``[tool.redislua]`` of a project's pyproject.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redislua.errors import ConfigError

KEYS = ("scripts", "output")


@dataclass(frozen=True, slots=True)
class Config:
    """Where a project keeps its scripts and its generated modules.

    Attributes:
        root: The folder of pyproject.toml.
        scripts: The scripts folder.
        output: The package that generated modules are written to.
    """

    root: Path
    scripts: Path
    output: Path


def find_config(start: Path) -> Config:
    """Read the nearest pyproject.toml with a ``[tool.redislua]`` table, upwards from ``start``.

    Raises:
        ConfigError: When there is none, or what it says does not fit.
    """
    for folder in (start, *start.parents):
        path = folder / "pyproject.toml"
        if path.is_file():
            table = _table(path)
            if table is not None:
                return _config(path, table)
    raise ConfigError(
        f"no pyproject.toml with a [tool.redislua] table in {start} or above it; "
        "`redislua init` writes one"
    )


def _table(path: Path) -> dict[str, Any] | None:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    table = document.get("tool", {}).get("redislua")
    if table is not None and not isinstance(table, dict):
        raise ConfigError(f"{path}: [tool.redislua]: expected a table")
    return table


def _config(path: Path, table: dict[str, Any]) -> Config:
    unknown = sorted(set(table) - set(KEYS))
    if unknown:
        raise ConfigError(
            f"{path}: [tool.redislua] has an unknown key {unknown[0]!r}: expected {', '.join(KEYS)}"
        )
    root = path.parent.resolve()
    return Config(
        root=root,
        scripts=_folder(path, root, table, "scripts", "scripts"),
        output=_folder(path, root, table, "output", None),
    )


def _folder(path: Path, root: Path, table: dict[str, Any], key: str, default: str | None) -> Path:
    value = table.get(key, default)
    if not isinstance(value, str) or not value:
        raise ConfigError(
            f'{path}: [tool.redislua] {key}: expected a folder below the project, as in {key} = "scripts"'
        )
    folder = (root / value).resolve()
    if folder == root or not folder.is_relative_to(root):
        raise ConfigError(
            f"{path}: [tool.redislua] {key} = {value!r} leaves the project: "
            f"expected a folder below {root}"
        )
    return folder
