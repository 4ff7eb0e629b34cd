"""What the runtime uses of the client libraries' connections: fails when they change it."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest
import redis
import redis.asyncio
import valkey
import valkey.asyncio

LIBRARIES = [redis, valkey]

METHODS: dict[str, tuple[str, ...]] = {
    "connect": (),
    "check_health": (),
    "pack_command": (),
    "pack_commands": ("commands",),
    "send_packed_command": ("command", "check_health"),
    "read_response": ("disable_decoding", "disconnect_on_error"),
}
"""Methods of every connection, with the parameters that are passed."""

AWAITED = {"connect", "check_health", "send_packed_command", "read_response"}
"""Those that are coroutines on an asyncio connection."""

SETTINGS = {
    "socket_timeout",
    "socket_connect_timeout",
    "retry",
    "retry_on_error",
    "retry_on_timeout",
    "health_check_interval",
}


def connection_classes(library: Any, *, is_async: bool) -> list[Any]:
    package = library.asyncio if is_async else library
    names = ("Connection", "SSLConnection", "UnixDomainSocketConnection")
    return [getattr(package.connection, name) for name in names]


@pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "asyncio"])
@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.__name__)
@pytest.mark.parametrize("method", METHODS)
def test_connections_have_the_methods_that_are_used(
    library: Any, is_async: bool, method: str
) -> None:
    for kind in connection_classes(library, is_async=is_async):
        function = getattr(kind, method)

        assert set(METHODS[method]) <= set(inspect.signature(function).parameters)
        assert inspect.iscoroutinefunction(function) == (is_async and method in AWAITED)


@pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "asyncio"])
@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.__name__)
def test_connections_take_the_settings_that_are_set(library: Any, is_async: bool) -> None:
    for kind in connection_classes(library, is_async=is_async):
        taken = {
            name
            for base in kind.__mro__
            if base is not object
            for name in inspect.signature(base.__init__).parameters
        }

        assert taken >= SETTINGS


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.__name__)
def test_blocking_connections_show_their_socket_and_disconnect(library: Any, client: Any) -> None:
    address = client.connection_pool.connection_kwargs
    connection = library.connection.Connection(host=address["host"], port=address["port"])
    connection.connect()

    assert isinstance(connection._sock.fileno(), int)
    connection.disconnect()
    assert connection._sock is None


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.__name__)
def test_asyncio_connections_show_their_writer_and_close_at_once(library: Any, client: Any) -> None:
    address = client.connection_pool.connection_kwargs

    async def look() -> None:
        connection = library.asyncio.connection.Connection(
            host=address["host"], port=address["port"]
        )
        await connection.connect()
        assert isinstance(connection._writer.get_extra_info("socket").fileno(), int)
        connection._writer.transport.abort()
        assert connection._writer.is_closing()
        connection._close()
        assert connection._writer is None

    asyncio.run(look())


@pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "asyncio"])
@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.__name__)
def test_without_a_retry_setting_a_connection_tries_once(library: Any, is_async: bool) -> None:
    for kind in connection_classes(library, is_async=is_async)[:1]:
        connection = kind(retry=None, retry_on_error=(), retry_on_timeout=False)

        assert connection.retry._retries == 0


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.__name__)
def test_pools_show_how_they_make_connections(library: Any) -> None:
    for package in (library, library.asyncio):
        kind = package.Redis if library is redis else package.Valkey
        pool = kind(socket_timeout=1.5).connection_pool

        assert inspect.isclass(pool.connection_class)
        assert pool.connection_kwargs["socket_timeout"] == 1.5
        assert pool.max_connections > 0


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.__name__)
def test_libraries_name_their_errors_alike(library: Any) -> None:
    errors = library.exceptions

    assert issubclass(errors.MaxConnectionsError, errors.ConnectionError)
    assert issubclass(errors.BusyLoadingError, errors.ConnectionError)
    assert issubclass(errors.AuthenticationError, errors.ConnectionError)
    assert not issubclass(errors.TimeoutError, errors.ConnectionError)
    for name in ("NoScriptError", "NoPermissionError", "OutOfMemoryError", "ReadOnlyError"):
        assert issubclass(getattr(errors, name), errors.ResponseError)
