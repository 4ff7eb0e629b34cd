"""Rendered text onto disk: what would change, and changing it without half measures."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from redislua.codegen.render import MARKER
from redislua.errors import GenerateError
from redislua.spec.whole import stage


@dataclass(frozen=True, slots=True)
class Change:
    """One file that differs from what the scripts give.

    Attributes:
        path: The file.
        old: Its text, or None when it is missing.
        new: The text it must have, or None when it must go.
    """

    path: Path
    old: str | None
    new: str | None

    @property
    def verb(self) -> str:
        """What writing would do: create, update or remove."""
        if self.old is None:
            return "create"
        return "update" if self.new is not None else "remove"


def compare(output: Path, texts: Mapping[str, str]) -> tuple[Change, ...]:
    """List the files of the output folder that are not as rendered.

    A file of ours whose family is gone is to be removed; a file that is not ours is
    never touched.

    Raises:
        GenerateError: When a file in the way does not carry our marker, or is a link.
    """
    changes = []
    problems = []
    for name, new in sorted(texts.items()):
        path = output / name
        if path.is_symlink():
            problems.append(f"{path}: a symbolic link is in the way")
            continue
        old = _read(path)
        if old is not None and old != "" and not _ours(old):
            problems.append(f"{path}: not a generated file; move it, or name another output folder")
        elif old != new:
            changes.append(Change(path, old, new))
    if problems:
        raise GenerateError("\n".join(problems))
    return (*changes, *_stale(output, texts))


def _stale(output: Path, texts: Mapping[str, str]) -> Iterable[Change]:
    if not output.is_dir():
        return
    for path in sorted(output.glob("*.py")):
        if path.name not in texts and not path.is_symlink():
            old = _read(path)
            if old is not None and _ours(old):
                yield Change(path, old, None)


def _read(path: Path) -> str | None:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise GenerateError(f"{path}: cannot be read: {error}") from error


def _ours(text: str) -> bool:
    lines = text.split("\n", 2)
    return len(lines) > 1 and lines[1].startswith(MARKER)


def apply(output: Path, changes: Iterable[Change]) -> None:
    """Write the changes: every file whole or not at all.

    All new files are written beside their targets first; only when the last one is
    on disk are they moved into place.

    Raises:
        GenerateError: When the folder cannot be written; nothing has changed then.
    """
    changes = tuple(changes)
    staged: list[tuple[Path, Path]] = []
    try:
        output.mkdir(parents=True, exist_ok=True)
        for change in changes:
            if change.new is not None:
                temporary = stage(change.path, change.new.encode("ascii"))
                staged.append((temporary, change.path))
        for temporary, target in staged:
            temporary.replace(target)
        for change in changes:
            if change.new is None:
                change.path.unlink(missing_ok=True)
    except OSError as error:
        raise GenerateError(f"{output}: cannot be written: {error}") from error
    finally:
        for temporary, _ in staged:
            temporary.unlink(missing_ok=True)


def diff(change: Change, root: Path) -> str:
    """The unified diff of one change, with paths relative to the project."""
    name = change.path.relative_to(root).as_posix() if change.path.is_relative_to(root) else ""
    name = name or change.path.as_posix()
    return "".join(
        difflib.unified_diff(
            (change.old or "").splitlines(keepends=True),
            (change.new or "").splitlines(keepends=True),
            "/dev/null" if change.old is None else f"a/{name}",
            "/dev/null" if change.new is None else f"b/{name}",
        )
    )
