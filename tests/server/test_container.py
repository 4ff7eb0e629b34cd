"""Containers: a real one where an engine answers, a clear sentence where none does."""

from __future__ import annotations

import gc
import os
import socket
import sys
from collections.abc import Iterator

import pytest
import redis

from redislua.errors import ServerUnavailable
from redislua.server import container, start

IMAGE = os.environ.get("REDISLUA_TEST_IMAGE", "redis:8.2")


@pytest.fixture(autouse=True)
def _collect() -> Iterator[None]:
    """docker-py leaves the socket of a refused connection to the collector: collect it here."""
    yield
    gc.collect()


pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed:ResourceWarning"
)


def _failure(*, unix_socket: bool = False) -> str:
    with pytest.raises(ServerUnavailable) as caught:
        start("container:redis:8.2", unix_socket=unix_socket)
    return str(caught.value)


def test_a_container_serves_and_is_gone_after_stop() -> None:
    try:
        container.require_engine("this test")
    except ServerUnavailable as absent:
        pytest.skip(str(absent))

    with (
        start(f"container:{IMAGE}", config={"maxmemory": "10mb"}) as server,
        redis.Redis.from_url(server.url, decode_responses=True) as client,
    ):
        assert client.config_get("maxmemory", "save") == {"maxmemory": "10485760", "save": ""}
        assert server.version.split(" ")[0] in ("Redis", "Valkey")

    with redis.Redis.from_url(server.url) as client, pytest.raises(redis.ConnectionError):
        client.ping()


def test_an_image_that_cannot_be_had_is_named() -> None:
    try:
        container.require_engine("this test")
    except ServerUnavailable as absent:
        pytest.skip(str(absent))

    with pytest.raises(ServerUnavailable, match="localhost/no-such-image"):
        start("container:localhost/no-such-image:1")


def test_no_engine_is_one_sentence_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")

    assert _failure() == (
        "container:redis:8.2: no container engine answers at unix:///nonexistent/docker.sock: "
        "start Docker, or use a server without it: embedded, binary:/path/to/redis-server"
    )


def test_an_engine_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "ENGINE_DEADLINE", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{silent.getsockname()[1]}")

        assert "no container engine answers at tcp://127.0.0.1:" in _failure()


def test_without_testcontainers_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "testcontainers.core.docker_client", None)

    assert 'pip install "redislua[container]"' in _failure()


def test_a_container_has_no_unix_socket() -> None:
    assert "by TCP, not by a Unix socket" in _failure(unix_socket=True)
