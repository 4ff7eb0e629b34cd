"""How the command line says what went wrong; it imports nothing, for the verbs that must be quick."""

from __future__ import annotations

__all__ = ["told"]


def told(error: Exception) -> str:
    """What went wrong, in words; of the system's errors the file and the reason."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror[0].lower()}{error.strerror[1:]}"
    return str(error)
