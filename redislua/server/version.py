"""Which product and version a binary or a server is, and whether it is recent enough."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import redis

from redislua.errors import ServerUnavailable

FLOORS = {"Redis": (7, 0), "Valkey": (7, 2)}
"""Oldest version of each product that runs ``#!lua`` scripts as declared."""

VERSION_DEADLINE = 10.0
"""Seconds that a binary gets to print its version; it takes 10 ms."""

_PRINTED = re.compile(r"(Redis|Valkey) server v=(\d+(?:\.\d+)+)")


def of_binary(path: Path) -> str:
    """Ask a binary for its version, ``Redis 8.2.3``, and refuse what cannot serve.

    Raises:
        ServerUnavailable: It does not run, is no Redis or Valkey server, or is too old.
    """
    try:
        run = subprocess.run(  # noqa: S603 - the caller names the binary
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=VERSION_DEADLINE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ServerUnavailable(f"{path} does not run: {error}") from error
    printed = run.stdout.decode("utf-8", "replace")
    match = _PRINTED.match(printed)
    if match is None:
        said = printed.strip().splitlines() or ["nothing"]
        raise ServerUnavailable(
            f"{path} is no Redis or Valkey server: asked for --version it says {said[0][:80]!r}"
        )
    return above_floor(f"{match[1]} {match[2]}", str(path))


def of_server(client: redis.Redis) -> str:
    """Read the version of a running server from INFO, ``Valkey 9.1.2``."""
    answer: dict[str, Any] = client.info("server")
    # Valkey's redis_version says 7.2.4 for ever: a promise of compatibility.
    if "valkey_version" in answer:
        return f"Valkey {answer['valkey_version']}"
    return f"Redis {answer['redis_version']}"


def above_floor(version: str, place: str) -> str:
    """Return ``version``, or raise ServerUnavailable when it is below the floor."""
    product, _, number = version.partition(" ")
    floor = FLOORS[product]
    if tuple(int(part) for part in number.split(".")[:2]) < floor:
        raise ServerUnavailable(
            f"{place} is {version}, too old: redislua needs Redis 7.0 or Valkey 7.2, "
            "the first that keep to the flags of a '#!lua' line"
        )
    return version
