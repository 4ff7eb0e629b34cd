"""What a connection URL says, without connecting and without ever showing a secret."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NoReturn, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

from redislua.errors import InvalidArgumentValue

Kind: TypeAlias = Literal["single", "unix", "sentinel", "cluster"]

SCHEMES: Mapping[str, tuple[Kind, bool]] = {
    f"{product}{secure}{plus}": (kind, bool(secure))
    for product in ("redis", "valkey")
    for secure in ("", "s")
    for plus, kind in (("", "single"), ("+sentinel", "sentinel"), ("+cluster", "cluster"))
} | {"unix": ("unix", False)}  # type: ignore[assignment] # literals in a tuple widen to str
"""For each scheme the kind of client and whether it speaks TLS."""

PARAMETERS = frozenset(
    [
        "client_name",
        "connect_timeout",
        "db",
        "health_check_interval",
        "max_connections",
        "password",
        "read_timeout",
        "retry_for",
        "sentinel_password",
        "sentinel_username",
        "ssl_ca_certs",
        "ssl_certfile",
        "ssl_keyfile",
        "username",
    ]
)
"""What may follow the ``?`` of a URL."""

_PORTS = {"sentinel": 26379}
_PORT = 6379
_HOST = re.compile(r"(?:\[(?P<v6>[^\[\]]+)\]|(?P<name>[^:\[\]]+))(?::(?P<port>[0-9]{1,5}))?")
_NO_PORT = re.compile(r":(?![0-9]+(?=[,/?#]|$))[^,/?#\]]*(?=[,/?#]|$)")


@dataclass(frozen=True, slots=True)
class Address:
    """A URL, taken apart.

    Attributes:
        kind: Which client it asks for.
        secure: TLS, to data servers and Sentinels alike.
        hosts: Host and port of each server, Sentinel or start-up node; empty for ``unix``.
        path: The socket of ``unix``, else ``""``.
        master: Name of the primary that Sentinels watch, else ``""``.
        db: Number of the database.
        options: The query's parameters, and the user and password, percent-decoded.
        shown: The URL without its secrets: for messages.
    """

    kind: Kind
    secure: bool
    hosts: tuple[tuple[str, int], ...]
    path: str
    master: str
    db: int
    options: Mapping[str, str] = field(repr=False)
    shown: str


def parse(url: str, *, caller: str) -> Address:
    """Take a URL apart.

    Args:
        url: As `redislua.patterns.connect.connect` describes it.
        caller: Name of the function that the user called, for the error.

    Raises:
        InvalidArgumentValue: It is not such a URL. Its text shows no secret.
    """
    return _Parser(url, caller).address()


def redacted(url: str) -> str:
    """Return a URL for people to read: no password, also where the URL is malformed.

    All up to the last ``@`` may be a password with characters that should have been
    encoded; so may a port that is no number, and any value of the query.
    """
    scheme, mark, rest = url.partition("://")
    if not mark:
        return "***"
    _, at, rest = rest.rpartition("@")
    rest, question, query = rest.partition("?")
    rest = _NO_PORT.sub(":***", rest.partition("#")[0])
    names = [part.partition("=")[0] for part in query.split("&")] if question else []
    known = "&".join(f"{name if name in PARAMETERS else '***'}=***" for name in names)
    return f"{scheme}://{'***@' if at else ''}{rest}{question}{known}"


class _Parser:
    def __init__(self, url: str, caller: str) -> None:
        self._url = url
        self._shown = redacted(url)
        self._caller = caller
        try:
            self._parts = urlsplit(url)
        except ValueError:
            self._refuse("a URL; brackets are for IPv6 addresses, redis://[::1]:6379")

    def _refuse(self, expected: str) -> NoReturn:
        # `from None`: the errors of urllib quote what they could not read.
        raise InvalidArgumentValue(self._caller, "url", self._shown, expected) from None

    def address(self) -> Address:
        parts = self._parts
        if "://" not in self._url:
            self._refuse("a URL with its scheme, as in redis://localhost:6379")
        if parts.scheme not in SCHEMES:
            self._refuse(f"a scheme of {', '.join(sorted(SCHEMES))}")
        kind, secure = SCHEMES[parts.scheme]
        if parts.fragment or "@" in parts.path:
            self._refuse("the characters # / ? @ of a password as %23 %2F %3F %40")
        userinfo, _, netloc = parts.netloc.rpartition("@")
        options = {**self._query(), **_credentials(userinfo)}
        master, path, db = self._path(kind, options.pop("db", None))
        return Address(
            kind=kind,
            secure=secure,
            hosts=self._hosts(kind, netloc),
            path=path,
            master=master,
            db=db,
            options=options,
            shown=self._shown,
        )

    def _query(self) -> dict[str, str]:
        found: dict[str, str] = {}
        pairs = parse_qsl(self._parts.query, keep_blank_values=True)
        for name, value in pairs:
            if name not in PARAMETERS:
                self._refuse(f"query parameters of {', '.join(sorted(PARAMETERS))}")
            if name in found:
                self._refuse(f"the query parameter {name} once")
            found[name] = value
        return found

    def _path(self, kind: Kind, query_db: str | None) -> tuple[str, str, int]:
        """Return the primary's name, the socket's path and the database."""
        path = unquote(self._parts.path)
        if kind == "unix":
            if path in ("", "/"):
                self._refuse("the path of a socket, unix:///run/redis.sock")
            return "", path, self._database(query_db or "")
        words = path.strip("/").split("/")
        master = words.pop(0) if kind == "sentinel" else ""
        if kind == "sentinel" and not master:
            self._refuse("the name of the primary after the hosts, redis+sentinel://host/mymaster")
        path_db = "/".join(words)
        if path_db and query_db:
            self._refuse("the database once: as the path or as ?db=")
        db = self._database(path_db or query_db or "")
        if kind == "cluster" and db:
            self._refuse("no database but 0: a cluster has no other")
        return master, "", db

    def _database(self, text: str) -> int:
        if text and not (text.isascii() and text.isdecimal() and len(text) < 6):
            self._refuse("a database as a whole number from 0")
        return int(text or 0)

    def _hosts(self, kind: Kind, netloc: str) -> tuple[tuple[str, int], ...]:
        if kind == "unix":
            if netloc:
                self._refuse("three slashes before the path of a socket, unix:///run/redis.sock")
            return ()
        hosts = tuple(self._host(kind, text) for text in netloc.split(","))
        if kind == "single" and len(hosts) > 1:
            self._refuse("one host; several go with +sentinel or +cluster, redis+cluster://h1,h2")
        return hosts

    def _host(self, kind: Kind, text: str) -> tuple[str, int]:
        match = _HOST.fullmatch(text)
        if match is None:
            self._refuse("host:port, a port being a number from 1 to 65535")
        port = int(match["port"] or _PORTS.get(kind, _PORT))
        if not 1 <= port <= 65535:
            self._refuse("a port from 1 to 65535")
        return unquote(match["v6"] or match["name"]), port


def _credentials(userinfo: str) -> dict[str, str]:
    username, _, password = userinfo.partition(":")
    found = {"username": unquote(username), "password": unquote(password)}
    return {name: value for name, value in found.items() if value}
