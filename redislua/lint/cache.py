"""What was found before: results by content, in one file that is safe to delete.

The key of a result is a digest of the script's bytes, its path, all settings, and the linter
itself. Each line of the file is one result behind a checksum: a line that was cut or changed
is as if it were not there. Writers replace the file whole, after taking over what others
have written meanwhile; the worst that a race can do is to lose results, which are found again.
"""

# Strings, not paths: a thousand files are looked at in a tenth of a second.
# ruff: noqa: PTH116, PTH117, PTH118, PTH120

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import redislua
from redislua.lint.settings import Settings
from redislua.spec.whole import replace

__all__ = ["Cache", "folder_of"]

FOLDER = ".redislua_cache"
MOST = 20_000
"""Results that are kept; beyond it those that were used longest ago are dropped."""

_FIRST = b"redislua lint cache 1\n"
_KEY = 32
_SUM = 8
_PACKAGES = ("lint", "syntax", "spec")
_PARSERS = ("lupa", "tree_sitter", "tree_sitter_lua")


def folder_of(root: Path | None) -> Path:
    """Where results are kept: in the project, or else in the user's cache folder."""
    if root is not None:
        return root / FOLDER
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The specification of XDG: a relative path is to be ignored.
    home = Path(base) if os.path.isabs(base) else Path.home() / ".cache"
    return home / "redislua"


class Cache:
    """Results of earlier runs, and of this one."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        """Read the results of earlier runs.

        Args:
            folder: Where they are kept; made when there is something to keep.
            settings: What this run is told: other settings have other results.
        """
        self._path = folder / "lint"
        self._prefix = hashlib.sha256(_identity(settings)).digest()
        self._lines = _read(self._path)
        self._used: dict[bytes, bytes] = {}
        self._is_new = False

    def key(self, path: str, source: bytes) -> bytes:
        """What the result for a file is found by."""
        digest = hashlib.sha256(self._prefix)
        digest.update(b"%d\0" % len(source))
        digest.update(os.fsencode(path))
        # A rule asks for the worst case beside a script.
        worst = f"{path.removesuffix('.lua')}.worst.lua"
        has_worst = os.path.exists(worst)  # noqa: PTH110 - asked for each of thousands of files
        digest.update(b"\0worst\0" if has_worst else b"\0")
        digest.update(source)
        return digest.hexdigest()[:_KEY].encode()

    def get(self, key: bytes) -> Any:
        """The value that was kept, or None."""
        line = self._used.get(key) or self._lines.get(key)
        if line is None or line[:_SUM] != _checksum(line[_SUM:]):
            return None
        self._used[key] = line
        return json.loads(line[_SUM:])

    def put(self, key: bytes, value: Any) -> None:
        """Keep a value that JSON has."""
        text = json.dumps(value, separators=(",", ":")).encode()
        self._used[key] = _checksum(text) + text
        self._is_new = True

    def save(self) -> None:
        """Write what is new.

        Where nothing can be written (a read-only checkout) the next run is as slow as this
        one, and nothing else is lost.
        """
        if not self._is_new:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            _sign(self._path.parent)
            kept = {key: line for key, line in _read(self._path).items() if key not in self._used}
            lines = [*kept.items(), *self._used.items()][-MOST:]
            replace(self._path, _FIRST + b"".join(b"%b%b\n" % pair for pair in lines))
        except OSError:
            return


def _read(path: Path) -> dict[bytes, bytes]:
    """Lines by key; one that is no line of a cache is passed over."""
    try:
        data = path.read_bytes()
    except OSError:
        return {}
    if not data.startswith(_FIRST):
        return {}
    return {line[:_KEY]: line[_KEY:] for line in data[len(_FIRST) :].split(b"\n") if line}


def _checksum(text: bytes) -> bytes:
    return b"%08x" % zlib.crc32(text)


def _sign(folder: Path) -> None:
    """Keep the folder out of version control and of backups."""
    for name, text in (
        (".gitignore", "*\n"),
        ("CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n"),
    ):
        path = folder / name
        if not path.exists():
            path.write_text(text)


# --- what a result depends on ----------------------------------------------------------------


def _identity(settings: Settings) -> bytes:
    """Everything but the file itself."""
    told = [
        redislua.__version__,
        settings.select,
        settings.ignore,
        settings.per_file_ignores,
        settings.targets,
        os.fspath(settings.root or ""),
        os.fspath(settings.scripts or ""),
        *_sources(settings),
    ]
    return repr(told).encode("utf-8", "surrogateescape")


def _sources(settings: Settings) -> Iterator[tuple[str, int, int]]:
    """The linter's own files and its parsers: who works on them never sees an old result."""
    own = os.path.dirname(redislua.__file__)
    if settings.commands is not None:
        yield _stamp(os.fspath(settings.commands))
    for package in _PACKAGES:
        for folder, _, names in os.walk(os.path.join(own, package)):
            if not folder.endswith("__pycache__"):
                for name in names:
                    yield _stamp(os.path.join(folder, name))
    for parser in _PARSERS:
        spec = importlib.util.find_spec(parser)
        if spec is not None and spec.origin is not None:
            yield _stamp(spec.origin)


def _stamp(path: str) -> tuple[str, int, int]:
    try:
        status = os.stat(path)
    except FileNotFoundError:  # an editor's temporary file, gone again
        return path, 0, 0
    return path, status.st_mtime_ns, status.st_size
