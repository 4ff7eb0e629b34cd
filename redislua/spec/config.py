"""``[tool.redislua]`` of a project's pyproject.toml."""

from __future__ import annotations

import keyword
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redislua.errors import ConfigError, NoProject

KEYS = ("scripts", "output")
_USUAL = {"scripts": "scripts", "output": "redis_scripts"}


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
    raise NoProject(
        f"no pyproject.toml with a [tool.redislua] table in {start} or above it; "
        "`redislua init` writes one"
    )


def _table(path: Path) -> dict[str, Any] | None:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    tool = document.get("tool", {})
    if not isinstance(tool, dict):
        raise ConfigError(f"{path}: tool: expected a table")
    table = tool.get("redislua")
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
    scripts = _folder(path, root, table, "scripts", "scripts")
    output = _folder(path, root, table, "output", None)
    if output == scripts or output.is_relative_to(scripts):
        raise ConfigError(f"{path}: [tool.redislua] output: expected a folder outside the scripts'")
    for part in output.relative_to(root).parts:
        if not part.isidentifier() or keyword.iskeyword(part):
            raise ConfigError(
                f"{path}: [tool.redislua] output: {part!r} cannot be imported; "
                'expected a package such as output = "redis_scripts"'
            )
    return Config(root=root, scripts=scripts, output=output)


def _folder(path: Path, root: Path, table: dict[str, Any], key: str, default: str | None) -> Path:
    value = table.get(key, default)
    if not isinstance(value, str) or not value:
        raise ConfigError(
            f"{path}: [tool.redislua] {key}: expected a folder below the project, "
            f'as in {key} = "{_USUAL[key]}"'
        )
    folder = (root / value).resolve()
    if folder == root or not folder.is_relative_to(root):
        raise ConfigError(
            f"{path}: [tool.redislua] {key} = {value!r} leaves the project: "
            f"expected a folder below {root}"
        )
    return folder
