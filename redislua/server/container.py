"""A server in a container, through testcontainers and whatever engine it finds.

The container is removed by `Server.stop`, at exit, and after a SIGKILL by the reaper
that testcontainers starts beside it.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping
from typing import Any

import redis

from redislua.errors import ServerUnavailable
from redislua.server import version
from redislua.server.running import Server, arguments

ENGINE_DEADLINE = 3.0
"""Seconds that the container engine gets to answer at all."""

START_DEADLINE = 60.0
"""Seconds from the container's start, its image being here, until the server must answer."""

_PORT = 6379
_POLL = 0.05
_LAST_LINES = 8


def start(image: str, *, unix_socket: bool, config: Mapping[str, str]) -> Server:
    """Start a container of ``image``, pulling it when it is not here, and wait for its server.

    Raises:
        ServerUnavailable: testcontainers is not installed, no engine answers, the image
            cannot be had, or its server does not start or is too old.
    """
    kind = f"container:{image}"
    if unix_socket:
        raise ServerUnavailable(f"{kind}: a container is reached by TCP, not by a Unix socket")
    # Clients come from outside the container, where protected mode lets nobody in.
    command = arguments({"protected-mode": "no", **config})
    require_engine(kind)
    from testcontainers.core.container import DockerContainer

    # The images' entry point puts the server's name before a command of options.
    container = DockerContainer(image).with_command(command).with_exposed_ports(_PORT)
    try:
        container.start()
        url = _url_of(container)
        product = _wait_until_ready(container, url, kind)
    except BaseException as error:
        container.stop()
        if isinstance(error, ServerUnavailable) or not isinstance(error, Exception):
            raise
        # docker-py, requests and testcontainers each raise classes of their own.
        raise ServerUnavailable(
            f"{kind}: the container did not start: {type(error).__name__}: {error}"
        ) from error
    return Server(kind, url, product, container.stop)


def require_engine(kind: str) -> None:
    """Raise ServerUnavailable, within `ENGINE_DEADLINE`, unless a container engine answers."""
    try:
        from docker.errors import DockerException
        from requests.exceptions import RequestException
        from testcontainers.core.docker_client import DockerClient
    except ImportError as error:
        raise ServerUnavailable(
            f'{kind}: containers need testcontainers: pip install "redislua[container]"'
        ) from error
    try:
        DockerClient(timeout=ENGINE_DEADLINE).client.close()
    except (DockerException, RequestException) as error:
        place = os.environ.get("DOCKER_HOST") or "its default socket"
        raise ServerUnavailable(
            f"{kind}: no container engine answers at {place}: start Docker, or use a server "
            "without it: embedded, binary:/path/to/redis-server"
        ) from error


def _url_of(container: Any) -> str:
    return f"redis://{container.get_container_host_ip()}:{container.get_exposed_port(_PORT)}/0"


def _wait_until_ready(container: Any, url: str, kind: str) -> str:
    """Return the server's version as soon as it answers."""
    deadline = time.monotonic() + START_DEADLINE
    with contextlib.closing(redis.Redis.from_url(url, socket_timeout=START_DEADLINE)) as client:
        while True:
            try:
                return version.above_floor(version.of_server(client), kind)
            except redis.RedisError as error:
                container.reload()
                if container.status == "exited" or time.monotonic() > deadline:
                    raise ServerUnavailable(
                        f"{kind}: no Redis or Valkey server answered in it: "
                        f"{str(error).rstrip('.')}."
                        f"{_last_lines(container)}"
                    ) from error
            time.sleep(_POLL)


def _last_lines(container: Any) -> str:
    log = b"".join(container.get_logs()).decode("utf-8", "replace")
    lines = [line for line in log.splitlines() if line.strip()][-_LAST_LINES:]
    return "\n  ".join([" Its last lines:", *lines]) if lines else " It printed nothing."
