"""The servers that a URL leads to, and what is said when talking to them fails."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import redis
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    InvalidResponse,
    MovedError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
)
from redis.sentinel import MasterNotFoundError

from redislua.errors import ConfigError, InvalidArgumentValue, ServerUnavailable
from redislua.patterns.connect import NotConnected, redacted
from redislua.patterns.nodes import connect_each

__all__ = ["opened", "problem", "talking"]


@contextlib.contextmanager
def opened(url: str) -> Iterator[dict[str, redis.Redis]]:
    """Lend a client of each server that a URL leads to, for one block.

    Nothing is tried again: whoever looks after servers wants to see them fail.

    Raises:
        ConfigError: It is no such URL.
        ServerUnavailable: Whatever the clients raise within the block, as one sentence
            without a secret.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(talking(url))
        try:
            clients = connect_each(url, retry_for=0)
        except InvalidArgumentValue as error:
            where = "" if error.parameter == "url" else f"{error.parameter}: "
            raise ConfigError(f"{redacted(url)}: {where}expected {error.expected}") from error
        for client in clients.values():
            stack.callback(client.close)
        yield clients


@contextlib.contextmanager
def talking(url: str) -> Iterator[None]:
    """Turn what the client library raises into one sentence."""
    try:
        yield
    except (redis.RedisError, RedisClusterException) as error:
        raise ServerUnavailable(f"{redacted(url)}: {problem(error)}") from error


_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (AuthenticationError, "the password or the user name is missing or wrong: {}"),
    (BusyLoadingError, "the server is still reading its data: {}"),
    (MasterNotFoundError, "no Sentinel knows that primary, or none answers: {}"),
    (InvalidResponse, "it answers, but not as Redis does: {}"),
    (MovedError, "this is one node of a cluster: give the URL as redis+cluster://… ({})"),
    (NoPermissionError, "this user has not the right to ask: {}"),
    (ReadOnlyError, "this is a replica, which takes no writes: {}"),
    (OutOfMemoryError, "the server's memory is full, and it refuses writes: {}"),
    (redis.TimeoutError, "it does not answer in time: {}"),
    (NotConnected, "it cannot be reached: {}"),
    (redis.ConnectionError, "the connection broke: {}"),
    (redis.ResponseError, "it answers with an error: {}"),
)
"""What an exception means, the narrower classes first."""


def problem(error: Exception) -> str:
    """Say in one line what an exception of the client library means."""
    # Some of redis-py's texts end in the representation of a client.
    said = " ".join(str(error).partition(" : <")[0].split()) or type(error).__name__
    for kind, words in _WORDS:
        if isinstance(error, kind):
            return words.format(said)
    return said
