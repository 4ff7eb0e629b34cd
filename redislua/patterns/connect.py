"""A redis-py client for production from one URL: `connect` and, for asyncio, `aconnect`.

::

    client = connect("rediss://app@redis.internal:6379/0", password=secret)
    client = connect("redis+sentinel://app@s1:26379,s2:26379/mymaster", password=secret)
    client = aconnect("redis+cluster://app@n1:6379,n2:6379", password=secret)

What is tried again
===================
A command of the client's own, ``client.get(...)``, is sent again while ``retry_for`` lasts
and only where the failure proves that it was not executed:

* no connection could be made, or none was free (`NotConnected` in the end, or redis-py's
  ``MaxConnectionsError`` and ``MasterNotFoundError``);
* the server answered LOADING, CLUSTERDOWN, MASTERDOWN or TRYAGAIN;
* the server answered READONLY, and ``role`` is ``primary``: idle connections are closed,
  and the next try asks DNS or the Sentinels anew.

**A command whose reply was lost is not sent again**: after a timeout or a connection that
broke, an INCR may have been executed, and the caller gets redis-py's own exception.
``resend=True`` sends it again all the same. The pauses between tries have full jitter:
even from 0 to 20 ms, then 40 ms, up to 250 ms. After an outage of any length the same
client works again.

Pipelines, transactions and Pub/Sub wait for a connection in the same way and are never
sent twice. The exception is the pipeline of a blocking *cluster* client: redis-py itself
sends the commands of a broken one again, one by one; `redislua.runtime.run_many` does not.

Calls of scripts through redislua have a rule of their own, by each script's ``@retry``,
and take from a client only how to connect.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from functools import partial
from typing import Any, Literal, TypedDict, Unpack, cast, get_args

import redis
import redis.asyncio
from redis.cluster import LoadBalancingStrategy
from redis.credentials import CredentialProvider

from redislua.errors import InvalidArgumentType, InvalidArgumentValue
from redislua.patterns import _address
from redislua.patterns._address import redacted
from redislua.patterns._clients import ASYNCIO, BLOCKING, Library
from redislua.patterns._patience import NotConnected, Patience, nothing

__all__ = ["NotConnected", "Options", "Role", "aconnect", "connect", "redacted"]

Role = Literal["primary", "replica"]


class Options(TypedDict, total=False):
    """Keywords of `connect` and `aconnect`; each overrides the URL.

    Attributes:
        username: ACL user.
        password: Its password.
        credential_provider: redis-py's, in place of both, for passwords that change.
        sentinel_username: ACL user of the Sentinels; the servers' is not sent to them.
        sentinel_password: Its password.
        client_name: Shown in CLIENT LIST: printable characters without spaces.
        connect_timeout: Until a connection counts as failed, seconds or a timedelta; 1 s.
        read_timeout: Until a reply counts as lost, seconds or a timedelta; 2 s. A blocking
            command (BLPOP) must wait for less.
        retry_for: For how long after the first try another one may begin, seconds or a
            timedelta; 2 s. 0 turns it off.
        resend: Send again what may have been executed: for readers, and for writers
            whose every command may be executed twice.
        max_connections: Most connections, of a cluster for each node; 100.
        health_check_interval: A connection idle for longer is asked PING before it is
            used, seconds or a timedelta; 30 s. 0 turns it off.
        ssl_ca_certs: File of the authorities to trust instead of the system's.
        ssl_certfile: File of this client's certificate.
        ssl_keyfile: File of its key.
        address_remap: For a cluster behind NAT: given the host and port that a node
            announces, returns those to connect to.
    """

    username: str | None
    password: str | None
    credential_provider: CredentialProvider | None
    sentinel_username: str | None
    sentinel_password: str | None
    client_name: str | None
    connect_timeout: timedelta | float
    read_timeout: timedelta | float
    retry_for: timedelta | float
    resend: bool
    max_connections: int
    health_check_interval: timedelta | float
    ssl_ca_certs: str | None
    ssl_certfile: str | None
    ssl_keyfile: str | None
    address_remap: Callable[[tuple[str, int]], tuple[str, int]] | None


def connect(
    url: str, *, role: Role = "primary", **options: Unpack[Options]
) -> redis.Redis | redis.RedisCluster:
    """Return a blocking client.

    Nothing is connected before the first command, with one exception: redis-py's blocking
    cluster client asks the start-up nodes for the slots when it is made.

    Args:
        url: One of

            * ``redis://user:password@host:6379/0``, with TLS ``rediss://``;
            * ``unix:///run/redis.sock?db=0``;
            * ``redis+sentinel://user:password@host:26379,host:26379/mymaster?db=0``, with
              TLS ``rediss+sentinel://``: the hosts are Sentinels, the user is the servers';
            * ``redis+cluster://user:password@host:6379,host:6379``, with TLS
              ``rediss+cluster://``.

            ``valkey`` may stand for ``redis`` in each. Special characters of the user and
            the password are percent-encoded; better, pass ``password=`` or
            ``credential_provider=`` and keep secrets out of URLs. IPv6 hosts are in
            brackets. All of `Options` that are texts and numbers may be query parameters.
            Certificates and host names are always verified.
        role: ``replica`` gives what Sentinels know as replicas (the primary when there is
            none), and in a cluster sends reads to a shard's replicas in turn with its
            primary. Replicas are behind: a read may miss the write before it, so sessions,
            locks and anything that compares before it sets need ``primary``. It affects
            plain reads and read-only scripts; in a cluster writes still reach the
            primaries, on one server they are refused with READONLY at once. For one
            server it says that this server is a replica.
        options: See `Options`.

    Raises:
        InvalidArgumentValue: The URL or an option is wrong; nothing was connected. The text
            shows no secret.
        InvalidArgumentType: An option is of the wrong type.
        NotConnected: For a blocking cluster client: no start-up node answered within
            ``retry_for`` and one more try, which takes at most ``connect_timeout`` and
            ``read_timeout`` for each node.
    """
    return cast(
        "redis.Redis | redis.RedisCluster", _Recipe("connect", url, role, options).make(BLOCKING)
    )


def aconnect(
    url: str, *, role: Role = "primary", **options: Unpack[Options]
) -> redis.asyncio.Redis | redis.asyncio.RedisCluster:
    """Return an asyncio client: `connect`, with the same arguments and errors.

    Not a coroutine: nothing is connected before the first command, in a cluster either.
    A cluster's nodes have no pool that could look at an idle connection: the first command
    after a node's restart may fail with redis-py's ConnectionError, as a lost reply does.
    """
    return cast(
        "redis.asyncio.Redis | redis.asyncio.RedisCluster",
        _Recipe("aconnect", url, role, options).make(ASYNCIO),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settings:
    """`Options`, complete and in seconds."""

    username: str | None = None
    password: str | None = None
    credential_provider: CredentialProvider | None = None
    sentinel_username: str | None = None
    sentinel_password: str | None = None
    client_name: str | None = None
    connect_timeout: float = 1.0
    read_timeout: float = 2.0
    retry_for: float = 2.0
    resend: bool = False
    max_connections: int = 100
    health_check_interval: float = 30.0
    ssl_ca_certs: str | None = None
    ssl_certfile: str | None = None
    ssl_keyfile: str | None = None
    address_remap: Callable[[tuple[str, int]], tuple[str, int]] | None = None


_SPANS = ("connect_timeout", "read_timeout", "retry_for", "health_check_interval")
_MAY_BE_ZERO = ("retry_for", "health_check_interval")
_TLS = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_CLIENT_NAME = re.compile(r"[!-~]+")


class _Recipe:
    """What a client is made of, for both libraries."""

    def __init__(self, caller: str, url: str, role: Role, options: Mapping[str, Any]) -> None:
        self._caller = caller
        if not isinstance(url, str):
            raise InvalidArgumentType(caller, "url", type(url), "a text")
        if role not in get_args(Role):
            raise InvalidArgumentValue(caller, "role", role, " or ".join(get_args(Role)))
        self._address = _address.parse(url, caller=caller)
        self._role = role
        self._settings = self._merged(options)

    def make(self, library: Library) -> Any:
        kind = self._address.kind
        if kind == "sentinel":
            return self._of_sentinels(library)
        if kind == "cluster":
            return self._of_cluster(library)
        pool = library.pool(
            patience=self._patience(),
            connection_class=library.connections[self._transport()],
            max_connections=self._settings.max_connections,
            **self._connection(library),
            **self._where(),
        )
        return library.client.from_pool(pool)

    def _where(self) -> dict[str, Any]:
        address = self._address
        if address.kind == "unix":
            return {"path": address.path, "db": address.db}
        host, port = address.hosts[0]
        return {"host": host, "port": port, "db": address.db}

    def _of_sentinels(self, library: Library) -> Any:
        settings = self._settings
        asking = self._connection(library) | {
            "username": settings.sentinel_username,
            "password": settings.sentinel_password,
            "credential_provider": None,
            "ssl": self._address.secure,
        }
        sentinel = library.sentinel(self._address.hosts, sentinel_kwargs=asking)
        choose = sentinel.master_for if self._role == "primary" else sentinel.slave_for
        return choose(
            self._address.master,
            redis_class=library.client,
            connection_pool_class=partial(library.sentinel_pool, patience=self._patience()),
            db=self._address.db,
            ssl=self._address.secure,
            max_connections=settings.max_connections,
            **self._connection(library),
        )

    def _of_cluster(self, library: Library) -> Any:
        settings = self._connection(library)
        replicas = self._role == "replica"
        make = partial(
            library.cluster,
            patience=self._patience(),
            startup=self._address.hosts,
            connection_class=library.cluster_connections[self._transport()],
            max_connections=self._settings.max_connections,
            address_remap=self._settings.address_remap,
            load_balancing_strategy=LoadBalancingStrategy.ROUND_ROBIN if replicas else None,
            ssl=self._address.secure,
            **settings,
        )
        # redis-py's blocking client connects here.
        return self._patience().running(make, nothing)

    def _connection(self, library: Library) -> dict[str, Any]:
        """Return the settings that every connection has, wherever it goes."""
        settings = self._settings
        common: dict[str, Any] = {
            "username": settings.username,
            "password": settings.password,
            "credential_provider": settings.credential_provider,
            "client_name": settings.client_name,
            "socket_connect_timeout": settings.connect_timeout,
            "socket_timeout": settings.read_timeout,
            "health_check_interval": settings.health_check_interval,
            "protocol": 3,
            "retry": library.once(),
            **library.quiet,
        }
        if self._address.kind != "unix":
            common["socket_keepalive"] = True
        if self._address.secure:
            common |= {name: getattr(settings, name) for name in _TLS}
            common |= {"ssl_cert_reqs": "required", "ssl_check_hostname": True}
        return common

    def _transport(self) -> str:
        if self._address.kind == "unix":
            return "unix"
        return "tls" if self._address.secure else "tcp"

    def _patience(self) -> Patience:
        return Patience(self._settings.retry_for, self._settings.resend, self._role == "primary")

    def _merged(self, options: Mapping[str, Any]) -> _Settings:
        """Lay the keywords over the URL's parameters, and look at each value."""
        known = {field.name for field in fields(_Settings)}
        for name in options:
            if name not in known:
                raise InvalidArgumentType(self._caller, name, "***", "no such keyword")
        from_url = dict(self._address.options)
        if options.get("credential_provider") is not None:
            if options.get("username") or options.get("password"):
                self._refuse("credential_provider", "no username and no password beside it")
            from_url = {
                name: value
                for name, value in from_url.items()
                if name not in ("username", "password")
            }
        given = {
            **from_url,
            **{name: value for name, value in options.items() if value is not None},
        }
        for name in _SPANS:
            if name in given:
                given[name] = self._seconds(name, given[name])
        if "max_connections" in given:
            given["max_connections"] = self._count(given["max_connections"])
        settings = _Settings(**given)
        self._check(settings)
        return settings

    def _check(self, settings: _Settings) -> None:
        address = self._address
        if settings.client_name and not _CLIENT_NAME.fullmatch(settings.client_name):
            self._refuse("client_name", "printable ASCII characters without spaces")
        for name in _TLS:
            if getattr(settings, name) is not None and not address.secure:
                self._refuse(name, "a scheme with TLS beside it, rediss://")
        if settings.ssl_keyfile is not None and settings.ssl_certfile is None:
            self._refuse("ssl_keyfile", "ssl_certfile beside it")
        for name in ("sentinel_username", "sentinel_password"):
            if getattr(settings, name) is not None and address.kind != "sentinel":
                self._refuse(name, "a scheme with +sentinel beside it")
        if settings.address_remap is not None and address.kind != "cluster":
            self._refuse("address_remap", "a scheme with +cluster beside it")

    def _seconds(self, name: str, value: Any) -> float:
        if isinstance(value, timedelta):
            value = value.total_seconds()
        try:
            seconds = float(value) if not isinstance(value, bool) else math.nan
        except (TypeError, ValueError):
            seconds = math.nan
        least = 0 if name in _MAY_BE_ZERO else 1e-6
        if not (math.isfinite(seconds) and seconds >= least):
            many = "0 or more" if name in _MAY_BE_ZERO else "more than 0"
            self._refuse(name, f"a timedelta or a number of seconds, {many}")
        return seconds

    def _count(self, value: Any) -> int:
        if isinstance(value, str) and value.isascii() and value.isdecimal():
            value = int(value[:9])
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            self._refuse("max_connections", "a whole number from 1")
        return int(value)

    def _refuse(self, name: str, expected: str) -> None:
        # No value: this is also where a password ends that was put in another's place.
        raise InvalidArgumentValue(self._caller, name, "***", expected) from None
