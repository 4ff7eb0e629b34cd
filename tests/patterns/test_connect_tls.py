"""TLS: who is trusted, and by what name. The certificates are made for the run."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import redislua.server
from redislua.errors import ServerUnavailable
from redislua.patterns.connect import NotConnected
from redislua.server import Server
from tests.patterns.openers import Opener
from tests.runtime.callers import Caller
from tests.runtime.coalescing.crowd import at_once, echo
from tests.runtime.samples import incr

pytestmark = pytest.mark.client_side


class Secured(NamedTuple):
    """A server that speaks TLS.

    Attributes:
        url: By an address that its certificate names.
        other_url: By a name that its certificate does not have.
        ca: Who signed it.
        other_ca: Who did not.
        cert: A certificate for clients.
        key: Its key.
    """

    url: str
    other_url: str
    ca: str
    other_ca: str
    cert: str
    key: str


def openssl(folder: Path, *words: str) -> None:
    """Run openssl in a folder."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("there is no openssl to make certificates with")
    subprocess.run([program, *words], cwd=folder, check=True, capture_output=True)


def authority(folder: Path, name: str) -> None:
    """Make a certificate authority: ``name.crt`` and ``name.key``."""
    openssl(
        folder,
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"),
        *("-keyout", f"{name}.key", "-out", f"{name}.crt"),
    )


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two authorities and a certificate for 127.0.0.1, signed by the first."""
    folder = tmp_path_factory.mktemp("tls")
    authority(folder, "ca")
    authority(folder, "other")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl(
        folder,
        *("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=server"),
        *("-keyout", "own.key", "-out", "own.csr"),
    )
    openssl(
        folder,
        *("x509", "-req", "-in", "own.csr", "-CA", "ca.crt", "-CAkey", "ca.key"),
        *("-CAcreateserial", "-days", "2", "-extfile", "names", "-out", "own.crt"),
    )
    return folder


@pytest.fixture(scope="module")
def secured(certificates: Path) -> Iterator[Secured]:
    """Of the servers that tests run on only distributions' builds speak TLS."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    files = {
        name: str(certificates / name) for name in ("ca.crt", "other.crt", "own.crt", "own.key")
    }
    config = {
        "tls-port": str(port),
        "tls-ca-cert-file": files["ca.crt"],
        "tls-cert-file": files["own.crt"],
        "tls-key-file": files["own.key"],
    }
    with _start(config):
        yield Secured(
            f"rediss://127.0.0.1:{port}",
            f"rediss://localhost:{port}",
            files["ca.crt"],
            files["other.crt"],
            files["own.crt"],
            files["own.key"],
        )


def _start(config: dict[str, str]) -> Server:
    try:
        return redislua.server.start("binary:redis-server", config=config)
    except ServerUnavailable as error:
        pytest.skip(f"no server with TLS on PATH: {error}")


def test_the_right_authority_and_a_client_s_certificate_let_commands_and_scripts_through(
    opener: Opener, secured: Secured
) -> None:
    options = {"ssl_certfile": secured.cert, "ssl_keyfile": secured.key}
    client = opener.open(secured.url, ssl_ca_certs=secured.ca, **options)
    by_query = opener.open(
        f"{secured.url}?ssl_ca_certs={secured.ca}&ssl_certfile={secured.cert}"
        f"&ssl_keyfile={secured.key}"
    )

    opener.do(client, "delete", "n", "{sample}")
    assert opener.do(client, "incr", "n") == 1
    assert opener.do(by_query, "incr", "n") == 2
    assert opener.run(client, incr()) == 1


def test_a_crowd_shares_connections_over_tls(
    opener: Opener, secured: Secured, runner: asyncio.Runner
) -> None:
    """Large and small calls, more than have a connection to themselves."""
    client = opener.open(
        secured.url, ssl_ca_certs=secured.ca, ssl_certfile=secured.cert, ssl_keyfile=secured.key
    )
    caller = Caller(is_async=opener.is_async, runner=runner)
    calls = [echo(number, size=200_000 * (number % 7 == 0)) for number in range(64)]

    for _ in range(3):
        assert at_once(caller, client, calls) == [b"%d" % number for number in range(64)]


@pytest.mark.parametrize("which", ["another authority", "the system's", "another name"])
def test_a_server_that_cannot_prove_itself_is_refused_at_once(
    opener: Opener, secured: Secured, which: str
) -> None:
    url = secured.other_url if which == "another name" else secured.url
    trusted = {
        "another authority": secured.other_ca,
        "the system's": None,
        "another name": secured.ca,
    }[which]
    # Long: that it is not tried again is what ends the test.
    client = opener.open(url, ssl_ca_certs=trusted, retry_for=3600)

    with pytest.raises(NotConnected, match=r"(?i)certificate"):
        opener.do(client, "get", "n")
