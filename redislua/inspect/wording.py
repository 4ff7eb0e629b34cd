"""How figures are said."""

from __future__ import annotations

__all__ = ["sized"]


def sized(count: int) -> str:
    """Say a number of bytes: ``1.5 GiB``."""
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.3g} {unit}"
        size /= 1024
    return f"{size:.3g} TiB"
