"""A file on disk, whole or not at all: written beside its place, then moved into it."""

from __future__ import annotations

import tempfile
from pathlib import Path

__all__ = ["replace", "stage"]

SOURCE_MODE = 0o644


def replace(path: Path, data: bytes, mode: int = SOURCE_MODE) -> None:
    """Put bytes in the place of a file, which nobody ever sees half written.

    Raises:
        OSError: It cannot be written. The old file is as it was.
    """
    stage(path, data, mode).replace(path)


def stage(path: Path, data: bytes, mode: int = SOURCE_MODE) -> Path:
    """Write bytes beside a file, for the caller to move into its place.

    Args:
        path: The file to be.
        data: What it is to hold.
        mode: Its permissions; temporary files are private by default, and sources are not.

    Raises:
        OSError: They cannot be written. Nothing is left behind.
    """
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as file:
        staged = Path(file.name)
        try:
            file.write(data)
            staged.chmod(mode)
        except BaseException:
            staged.unlink()
            raise
    return staged
