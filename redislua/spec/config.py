"""``[tool.redislua]`` of a project's pyproject.toml."""

from __future__ import annotations

import keyword
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redislua.errors import ConfigError, NoProject

KEYS = ("scripts", "output", "lint", "budget")
LINT_KEYS = ("select", "ignore", "per-file-ignores", "exclude", "targets", "commands")
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


@dataclass(frozen=True, slots=True)
class LintConfig:
    """``[tool.redislua.lint]``: what the linter is told by a project.

    Attributes:
        root: The folder of pyproject.toml.
        scripts: The scripts folder; None for a project that only lints.
        select: Rules to run, by code or name; empty for all that are on by default.
        ignore: Rules not to run.
        per_file_ignores: Globs, each with rules not to run on the files it matches.
        exclude: Globs of files that are passed by.
        targets: Servers the scripts are to run on, as in ``redis>=7.4``.
        commands: A file with the command table of the project's own server, or None.
    """

    root: Path
    scripts: Path | None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    exclude: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    commands: Path | None = None


def find_config(start: Path) -> Config:
    """Read the nearest pyproject.toml with a ``[tool.redislua]`` table, upwards from ``start``.

    Raises:
        ConfigError: When there is none, or what it says does not fit.
    """
    return _config(*_find(start))


def find_lint_config(start: Path) -> LintConfig:
    """Read what the nearest pyproject.toml says to the linter, upwards from ``start``.

    A project that only lints other people's scripts has a ``[tool.redislua.lint]`` table alone.

    Raises:
        ConfigError: When there is none, or what it says does not fit.
    """
    path, table = _find(start)
    if set(table) - {"lint"}:
        return _lint(path, table, _config(path, table).scripts)
    return _lint(path, table, None)


def _find(start: Path) -> tuple[Path, dict[str, Any]]:
    for folder in (start, *start.parents):
        path = folder / "pyproject.toml"
        if path.is_file():
            table = _table(path)
            if table is not None:
                return path, table
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
    _lint(path, table, scripts)
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
    if value is None:
        raise ConfigError(
            f'{path}: [tool.redislua] has no {key}: expected a folder, as in {key} = "{_USUAL[key]}"'
        )
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


# --- the linter ------------------------------------------------------------------------------


def _lint(path: Path, table: dict[str, Any], scripts: Path | None) -> LintConfig:
    lint = table.get("lint", {})
    if not isinstance(lint, dict):
        raise ConfigError(f"{path}: [tool.redislua.lint]: expected a table")
    unknown = sorted(set(lint) - set(LINT_KEYS))
    if unknown:
        raise ConfigError(
            f"{path}: [tool.redislua.lint] has an unknown key {unknown[0]!r}: "
            f"expected {', '.join(LINT_KEYS)}"
        )
    root = path.parent.resolve()
    ignores = lint.get("per-file-ignores", {})
    if not isinstance(ignores, dict):
        raise ConfigError(
            f"{path}: [tool.redislua.lint] per-file-ignores: expected a table, "
            'as in per-file-ignores = {"legacy/*" = ["RL501"]}'
        )
    return LintConfig(
        root=root,
        scripts=scripts,
        select=_words(path, lint, "select", '["RL2"]'),
        ignore=_words(path, lint, "ignore", '["RL106"]'),
        per_file_ignores=tuple(
            (pattern, _words(path, ignores, pattern, '["RL501"]', within="per-file-ignores"))
            for pattern in ignores
        ),
        exclude=_words(path, lint, "exclude", '["vendor/*"]'),
        targets=_words(path, lint, "targets", '["redis>=7.4", "valkey>=8.1"]'),
        commands=_commands(path, root, lint.get("commands")),
    )


def _words(
    path: Path, table: dict[str, Any], key: str, usual: str, *, within: str = ""
) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(word, str) and word for word in value):
        named = f'{within}."{key}"' if within else key
        raise ConfigError(
            f"{path}: [tool.redislua.lint] {named}: expected a list of strings, as in {usual}"
        )
    return tuple(value)


def _commands(path: Path, root: Path, value: object) -> Path | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value.endswith(".json") or not (root / value).is_file():
        raise ConfigError(
            f"{path}: [tool.redislua.lint] commands: expected the .json file of a command table"
        )
    return (root / value).resolve()
