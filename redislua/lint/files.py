"""Which files are linted, and their bytes: nothing here can hang, whatever a path names."""

# Strings, not paths: a thousand files are looked at in a tenth of a second.
# ruff: noqa: PTH113, PTH114, PTH116, PTH118, PTH119, PTH120

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

__all__ = ["MAX_BYTES", "TooLarge", "Trouble", "find", "read", "shown"]

MAX_BYTES = 1024 * 1024
"""Largest file that is analysed. redislua's own scripts may have far less."""

_SIDECAR = re.compile(r"(?P<script>.+\.v[1-9]\d*)\.worst\.lua")
_PASSED_BY = frozenset({"node_modules", "__pycache__", "site-packages"})


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that could not be linted.

    Attributes:
        path: What was asked for, or found.
        reason: Why not, in words.
    """

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class TooLarge:
    """A file beyond `MAX_BYTES`, of so many bytes."""

    size: int


def find(paths: Iterable[str]) -> Iterator[str | Trouble]:
    """Yield the files that paths name, each once: files as given, folders in sorted order.

    The sidecars of redislua's scripts (``name.v1.worst.lua``) are no scripts: they are
    passed by. Hidden folders below a given one are, too, and links to folders.
    """
    seen: set[str] = set()
    for path in paths:
        for found in _below(path):
            if isinstance(found, Trouble):
                yield found
            elif found not in seen and not _is_sidecar(found):
                seen.add(found)
                yield found


def _below(path: str) -> Iterator[str | Trouble]:
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        yield Trouble(path, _why(path, error))
        return
    if not stat.S_ISDIR(mode):
        yield os.path.normpath(path)
        return
    count = 0
    for found in _walk(path):
        count += 1
        yield found
    if not count:
        yield Trouble(path, "there is no .lua file in this folder")


def _walk(root: str) -> Iterator[str | Trouble]:
    troubles: list[Trouble] = []

    def unlisted(error: OSError) -> None:
        troubles.append(Trouble(os.fsdecode(error.filename), _why(error.filename, error)))

    for folder, folders, files in os.walk(root, onerror=unlisted):
        yield from troubles
        troubles.clear()
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and name not in _PASSED_BY
        )
        for name in sorted(files):
            if name.lower().endswith(".lua") and not name.startswith("."):
                yield os.path.normpath(os.path.join(folder, name))
    yield from troubles


def _is_sidecar(path: str) -> bool:
    form = _SIDECAR.fullmatch(os.path.basename(path))
    return form is not None and os.path.isfile(
        os.path.join(os.path.dirname(path), f"{form['script']}.lua")
    )


def read(path: str) -> bytes | TooLarge | Trouble:
    """The bytes of a regular file."""
    try:
        # O_NONBLOCK: opening a FIFO that nobody writes to would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        return Trouble(path, _why(path, error))
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return Trouble(path, "not a regular file")
        if status.st_size > MAX_BYTES:
            return TooLarge(status.st_size)
        data = b""
        while len(data) <= MAX_BYTES:
            part = os.read(descriptor, MAX_BYTES + 1)
            data += part
            if not part:
                return data
        return TooLarge(len(data))
    except OSError as error:
        return Trouble(path, _why(path, error))
    finally:
        os.close(descriptor)


def _why(path: str | bytes, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        if os.path.islink(path):
            return "a symbolic link that leads nowhere"
        return "there is no such file or folder"
    return f"cannot be read: {error.strerror}"


def shown(path: str) -> str:
    """A path that can be printed: one line, whatever bytes a file name has."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
