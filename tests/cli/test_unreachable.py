"""What the verbs that look at servers say when a server cannot be looked at: one clear line."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator

import click
import pytest
import redis
from click.testing import CliRunner, Result

from redislua.cli import bench_, doctor_, monitor_, slots_
from redislua.server import Cluster, Server, start
from tests.runtime.proxy import Proxy

SECRET = "s3cr3t"

VERBS: dict[str, tuple[click.Command, list[str]]] = {
    "doctor": (doctor_.command, []),
    "monitor": (monitor_.command, ["--once", "--interval", "0.1"]),
    "bench": (bench_.command, ["--rounds", "10"]),
    "slots": (slots_.command, ["key", "--url"]),
}
CONNECTING = ["doctor", "monitor", "bench"]
"""The verbs whose work is not over with the first reply."""


@pytest.fixture(params=VERBS)
def verb(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def run(verb: str, url: str) -> Result:
    command, words = VERBS[verb]
    return CliRunner().invoke(command, [*words, url])


def assert_one_line(done: Result, *texts: str) -> None:
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("error: ")
    for text in texts:
        assert text in line
    assert SECRET not in line


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("nonsense", "a URL with its scheme, as in redis://localhost:6379"),
        (f"http://:{SECRET}@h", "a scheme of"),
        (f"redis://user:{SECRET}@h:port", "a port being a number"),
        ("redis://h1,h2", "one host"),
        (f"redis://h?passwort={SECRET}", "query parameters of"),
        ("redis://h?read_timeout=soon", "read_timeout: expected a timedelta or a number"),
    ],
)
def test_a_url_that_cannot_be(verb: str, url: str, text: str) -> None:
    assert_one_line(run(verb, url), text)


@pytest.mark.parametrize(
    ("url", "text"),
    [
        (f"redis://user:{SECRET}@127.0.0.1:1", "cannot be reached: Error 111"),
        ("redis+cluster://127.0.0.1:1,127.0.0.1:2", "cannot be reached: Error 111"),
        ("redis://no-such-host.invalid", "Name or service not known"),
        ("unix:///no/such/socket", "No such file or directory"),
        ("redis+sentinel://127.0.0.1:1/mymaster", "no Sentinel knows that primary"),
    ],
)
def test_a_server_that_is_not_there(verb: str, url: str, text: str) -> None:
    assert_one_line(run(verb, url), text)


@pytest.mark.parametrize(
    ("user", "text"),
    [
        ("", "the password or the user name is missing or wrong"),
        (f"default:{SECRET}@", "the password or the user name is missing or wrong"),
        (f"nobody:{SECRET}@", "the password or the user name is missing or wrong"),
    ],
)
def test_a_wrong_password(verb: str, private: Server, user: str, text: str) -> None:
    with redis.Redis.from_url(private.url) as client:
        client.config_set("requirepass", "right")

    assert_one_line(run(verb, private.url.replace("redis://", f"redis://{user}")), text)


def test_a_database_that_is_not_there(verb: str, server: Server) -> None:
    url = f"{server.url.removesuffix('/0')}/99"

    assert_one_line(run(verb, url), "DB index is out of range")


def test_one_server_is_no_cluster(verb: str, server: Server) -> None:
    url = server.url.replace("redis://", "redis+cluster://")

    assert_one_line(run(verb, url), "cluster support disabled")


@pytest.fixture
def web() -> Iterator[str]:
    class Quiet(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Quiet) as opened:
        serving = threading.Thread(target=opened.serve_forever)
        serving.start()
        yield f"redis://127.0.0.1:{opened.server_port}"
        opened.shutdown()
        serving.join()


def test_something_else_that_answers(verb: str, web: str) -> None:
    assert_one_line(run(verb, web), "answers, but not as Redis does")


def test_something_that_never_answers(verb: str) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]

        assert_one_line(run(verb, f"redis://127.0.0.1:{port}?read_timeout=0.2"), "Timeout")


@pytest.mark.parametrize(
    ("verb", "command"),
    [
        ("doctor", b"TIME"),
        ("monitor", b"SLOWLOG"),
        ("bench", b"ZRANK"),
        ("slots", b"SLOTS"),
    ],
)
def test_a_connection_that_breaks_in_the_middle(proxy: Proxy, verb: str, command: bytes) -> None:
    proxy.arm("drop_reply", pattern=command)

    assert_one_line(run(verb, proxy.url), "the connection broke: Connection closed by server")
    assert proxy.met == 1


@pytest.mark.parametrize("verb", ["monitor", "bench"])
def test_a_server_that_dies_in_the_middle(server: Server, verb: str) -> None:
    if server.kind == "url":
        pytest.skip("needs a server to end")
    command, _ = VERBS[verb]
    longer = {"monitor": ["--once", "--interval", "1.5"], "bench": ["--rounds", "1000000"]}[verb]
    with start(server.kind) as opened:
        killing = threading.Timer(0.5, opened.stop)
        killing.start()
        done = CliRunner().invoke(command, [opened.url, *longer])
        killing.join()

    assert_one_line(done, "127.0.0.1")


@pytest.mark.parametrize("verb", CONNECTING)
def test_a_user_without_the_right(private: Server, verb: str) -> None:
    with redis.Redis.from_url(private.url) as admin:
        admin.execute_command("ACL", "SETUSER", "app", "on", f">{SECRET}", "+ping")

    url = private.url.replace("redis://", f"redis://app:{SECRET}@")

    assert_one_line(run(verb, url), "this user has not the right to ask", "no permissions")


def test_bench_on_one_node_of_a_cluster_says_how_to_name_it(bare_cluster: Cluster) -> None:
    for _ in range(30):
        done = run("bench", bare_cluster.nodes[0].url)
        if done.exit_code:  # its keys of this time are another node's
            break

    assert_one_line(done, "this is one node of a cluster", "redis+cluster://")


def test_bench_on_a_replica_says_so(server: Server) -> None:
    if server.kind == "url":
        pytest.skip("needs two servers")
    with start(server.kind) as primary, start(server.kind) as replica:
        host, _, port = primary.url.removeprefix("redis://").removesuffix("/0").partition(":")
        with redis.Redis.from_url(replica.url) as client:
            client.execute_command("REPLICAOF", host, port)

        assert_one_line(run("bench", replica.url), "this is a replica, which takes no writes")


def test_bench_on_a_full_server_says_so(private: Server) -> None:
    with redis.Redis.from_url(private.url) as client:
        client.config_set("maxmemory", 1)

    assert_one_line(run("bench", private.url), "memory is full")
