"""What a run of the linter is told: which rules, for which servers, where not."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from redislua.spec.config import LintConfig

__all__ = ["DEFAULT_SETTINGS", "Settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Options of a run. Rules are named by code, by the beginning of a code, or by name.

    Attributes:
        select: Rules to run; empty for all that are on by default.
        ignore: Rules not to run; stronger than ``select``.
        per_file_ignores: Globs, each with rules that are not run on files it matches.
        exclude: Globs of files that are passed by, also where they are named.
        targets: Servers the scripts are to run on, as in ``redis>=7.4``; empty for the
            project's floor.
        commands: A file with the command table of one's own server, or None.
        root: The project's folder: globs are relative to it, its cache is in it. None
            outside a project.
        scripts: The project's scripts folder, or None.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    exclude: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    commands: Path | None = None
    root: Path | None = None
    scripts: Path | None = None

    @classmethod
    def of(cls, config: LintConfig) -> Settings:
        """What a project's pyproject.toml says."""
        return cls(
            select=config.select,
            ignore=config.ignore,
            per_file_ignores=config.per_file_ignores,
            exclude=config.exclude,
            targets=config.targets,
            commands=config.commands,
            root=config.root,
            scripts=config.scripts,
        )

    def ignored_in(self, path: str) -> tuple[str, ...]:
        """Rules that are not run on a file, by its path."""
        if not self.per_file_ignores:
            return ()
        return tuple(
            word
            for pattern, words in self.per_file_ignores
            if self._matches(path, pattern)
            for word in words
        )

    def is_excluded(self, path: str) -> bool:
        """Whether a file is passed by."""
        return any(self._matches(path, pattern) for pattern in self.exclude)

    def _matches(self, path: str, pattern: str) -> bool:
        """Whether a glob means a file: its name, or its path below the project."""
        file = Path(path)
        names = [file.name, file.as_posix()]
        absolute = file.absolute()
        root = self.root or Path.cwd()
        if absolute.is_relative_to(root):
            names.append(absolute.relative_to(root).as_posix())
        return any(fnmatch.fnmatchcase(name, pattern) for name in names)


DEFAULT_SETTINGS = Settings()
"""Every rule that is on by default, for the project's floor."""
