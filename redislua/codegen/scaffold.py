"""First files: what ``redislua init`` and ``redislua new`` write. Nothing is overwritten."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from redislua.errors import ConfigError, GenerateError
from redislua.spec.config import Config
from redislua.spec.registry import is_name

TABLE = """\
[tool.redislua]
scripts = "scripts"         # one folder per family, one .lua file per operation and major version
output = "redis_scripts"    # generated package; commit it
"""
STARTER = ("tickets", "reserve")
_VERSION = re.compile(rb"^-- @version[ \t]+[0-9.]+", re.MULTILINE)


def init(root: Path) -> tuple[Path, ...]:
    """Write the ``[tool.redislua]`` table and a first script into a project.

    Returns:
        The files that were written or extended.

    Raises:
        ConfigError: When the project is already set up, or its pyproject.toml is broken.
    """
    pyproject = root / "pyproject.toml"
    _refuse_nested(root)
    text = pyproject.read_text(encoding="utf-8") if pyproject.is_file() else ""
    if "redislua" in _tools(pyproject, text):
        raise ConfigError(f"{pyproject} already has a [tool.redislua] table; nothing was changed")
    extended = f"{text.rstrip()}\n\n{TABLE}" if text.strip() else TABLE
    _tools(pyproject, extended)
    family, name = STARTER
    script = root / "scripts" / family / f"{name}.v1.lua"
    if (root / "scripts").exists() and any((root / "scripts").iterdir()):
        raise ConfigError(
            f"{root / 'scripts'} is not empty; add this to {pyproject} by hand:\n\n{TABLE}"
        )
    _write_new(script, _template("starter.lua.j2"))
    pyproject.write_text(extended, encoding="utf-8")
    return pyproject, script


def _refuse_nested(root: Path) -> None:
    """A project inside a project is a slip: somebody is in the wrong folder."""
    for folder in root.parents:
        pyproject = folder / "pyproject.toml"
        if pyproject.is_file() and "redislua" in _tools(pyproject, pyproject.read_text("utf-8")):
            raise ConfigError(f"{root} is inside the project of {pyproject}; nothing was changed")


def _tools(path: Path, text: str) -> dict[str, object]:
    try:
        tools = tomllib.loads(text).get("tool", {})
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"{path}: not TOML, or no place for a [tool.redislua] table: {error}"
        ) from error
    if not isinstance(tools, dict):
        raise ConfigError(f"{path}: tool is not a table")
    return tools


def new(config: Config, where: str, *, next_major: bool = False) -> Path:
    """Write a script skeleton, or the next major version of an existing script.

    Args:
        config: The project.
        where: ``family/name``.
        next_major: Copy the newest version of the script as the next major.

    Raises:
        GenerateError: For a name that cannot be one, or a script that is there already.
    """
    family, _, name = where.partition("/")
    if not is_name(family) or not is_name(name):
        raise GenerateError(
            f"{where!r}: expected family/name, each of a-z, 0-9 and _ and no Python keyword, "
            "as in orders/claim"
        )
    folder = config.scripts / family
    majors = _majors(folder, name)
    if next_major:
        return _copy(folder, name, majors)
    if majors:
        raise GenerateError(
            f"{folder / f'{name}.v{max(majors)}.lua'} is there already; "
            f"`redislua new {where} --next-major` makes version {max(majors) + 1} from it"
        )
    path = folder / f"{name}.v1.lua"
    _write_new(path, _template("skeleton.lua.j2", family=family, name=name, major=1))
    return path


def _majors(folder: Path, name: str) -> list[int]:
    pattern = re.compile(rf"{re.escape(name)}\.v([1-9][0-9]*)\.lua")
    names = [path.name for path in folder.glob(f"{name}.v*.lua")] if folder.is_dir() else []
    return [int(match[1]) for match in map(pattern.fullmatch, names) if match]


def _copy(folder: Path, name: str, majors: list[int]) -> Path:
    if not majors:
        raise GenerateError(f"{folder / name}: there is no version to start from")
    newest = folder / f"{name}.v{max(majors)}.lua"
    path = folder / f"{name}.v{max(majors) + 1}.lua"
    source = newest.read_bytes()
    version = b"-- @version %d.0.0" % (max(majors) + 1)
    try:
        with path.open("xb") as file:
            file.write(_VERSION.sub(version, source, count=1))
    except OSError as error:
        raise GenerateError(f"{path}: cannot be written: {error.strerror}") from error
    return path


def _template(file: str, **values: object) -> str:
    environment = Environment(  # noqa: S701  # Lua text, not HTML
        loader=PackageLoader("redislua.codegen", "templates"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    return environment.get_template(file).render(**values)


def _write_new(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise GenerateError(f"{path} is there already; nothing was changed") from None
    except OSError as error:
        raise GenerateError(f"{path}: cannot be written: {error.strerror}") from error
