"""What a client tries again: nothing that may have been executed, everything else for a while."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
import redis.asyncio.sentinel
import redis.sentinel

from redislua.patterns.connect import NotConnected
from redislua.server import Cluster, SentinelSet, Server
from tests.patterns.openers import Opener
from tests.runtime.proxy import FaultName, Proxy

pytestmark = pytest.mark.client_side

LOSSES: list[tuple[FaultName, float]] = [("drop_reply", 0), ("cut", 2), ("blackhole", 0)]
NO_MASTER = (redis.sentinel.MasterNotFoundError, redis.asyncio.sentinel.MasterNotFoundError)
DOWN = (NotConnected, *NO_MASTER)
PATIENT: dict[str, Any] = {"retry_for": 20, "read_timeout": 0.3}


class Route:
    """A way to a server through a faulty network.

    Attributes:
        url: For `connect`.
        proxy: The network.
        direct: A client that goes around it.
        options: What `connect` needs besides.
    """

    def __init__(self, url: str, proxy: Proxy, direct: redis.Redis, **options: Any) -> None:
        self.url = url
        self.proxy = proxy
        self.direct = direct
        self.options = options


@pytest.fixture(params=["single", "sentinel", "cluster"])
def route(request: pytest.FixtureRequest, server: Server) -> Iterator[Route]:
    """To one server, to what Sentinels name, to the node of a cluster that serves ``n``."""
    if request.param == "single":
        client: redis.Redis = request.getfixturevalue("client")
        proxy: Proxy = request.getfixturevalue("proxy")
        yield Route(proxy.url, proxy, client)
    elif request.param == "sentinel":
        kept: SentinelSet = request.getfixturevalue("sentinel_set")
        primary = kept.primary()
        with Proxy(*primary.address) as proxy, redis.Redis.from_url(primary.url) as client:
            yield Route(kept.url, proxy, client, address=("127.0.0.1", proxy.port))
    else:
        cluster: Cluster = request.getfixturevalue("cluster")
        owner = cluster.owner("n")
        with Proxy(*owner.address) as proxy, redis.Redis.from_url(owner.url) as client:
            moved = {owner.address: ("127.0.0.1", proxy.port)}
            yield Route(
                cluster.url, proxy, client, address_remap=lambda place: moved.get(place, place)
            )


def through(opener: Opener, route: Route, **options: Any) -> Any:
    """A client that takes a route."""
    address = route.options.get("address")
    if address is None:
        return opener.open(route.url, **route.options, **options)
    client = opener.open(route.url, **options)
    # Sentinels name the server itself; the proxy stands before it.
    manager = client.connection_pool.sentinel_manager

    def there(_name: str) -> Any:
        return address

    async def athere(_name: str) -> Any:
        return address

    manager.discover_master = athere if opener.is_async else there
    return client


@pytest.mark.parametrize(("fault", "amount"), LOSSES)
def test_a_command_whose_reply_was_lost_is_executed_once(
    opener: Opener, route: Route, fault: FaultName, amount: float
) -> None:
    client = through(opener, route, **PATIENT)
    opener.do(client, "incr", "n")
    route.proxy.arm(fault, pattern=b"INCR", shots=100, amount=amount)

    with pytest.raises((redis.ConnectionError, redis.TimeoutError)) as raised:
        opener.do(client, "incr", "n")

    assert not isinstance(raised.value, NotConnected)
    assert route.proxy.met == 1
    assert route.direct.get("n") == b"2"
    route.proxy.arm(fault, shots=0)
    assert opener.do(client, "incr", "n") == 3


def test_a_lost_reply_is_sent_again_on_demand(opener: Opener, route: Route) -> None:
    client = through(opener, route, resend=True, **PATIENT)
    opener.do(client, "incr", "n")
    route.proxy.arm("drop_reply", pattern=b"INCR", shots=2)

    assert opener.do(client, "incr", "n") == 4
    assert route.proxy.met == 2


@pytest.mark.parametrize(
    "reply",
    [
        b"LOADING the dataset",
        b"CLUSTERDOWN The cluster is down",
        b"MASTERDOWN Link with MASTER is down",
        b"TRYAGAIN Multiple keys request during rehashing of slot",
        b"READONLY You can't write against a read only replica.",
    ],
    ids=lambda reply: reply.split()[0].decode(),
)
def test_a_refusal_is_waited_out(opener: Opener, route: Route, reply: bytes) -> None:
    client = through(opener, route, **PATIENT)
    opener.do(client, "incr", "n")
    route.proxy.arm("answer", pattern=b"INCR", shots=2, reply=b"-" + reply + b"\r\n")

    assert opener.do(client, "incr", "n") == 2
    assert route.proxy.met == 2


def test_a_refusal_that_stays_ends_in_redis_py_s_own_error(
    opener: Opener, client: redis.Redis, proxy: Proxy
) -> None:
    faulty = opener.open(proxy.url, retry_for=0.1)
    proxy.arm("answer", pattern=b"INCR", shots=1000, reply=b"-LOADING the dataset\r\n")

    with pytest.raises(redis.BusyLoadingError):
        opener.do(faulty, "incr", "n")
    assert proxy.met > 1
    assert client.get("n") is None


def test_an_error_is_judged_by_itself_and_not_by_what_the_caller_was_handling(
    opener: Opener, route: Route
) -> None:
    """Sentinel connections say READONLY by an error whose context is the READONLY."""
    client = through(opener, route, **PATIENT)
    opener.do(client, "incr", "n")
    route.proxy.arm("drop_reply", pattern=b"INCR", shots=100)

    try:
        raise redis.ReadOnlyError("another command's")
    except redis.ReadOnlyError:
        with pytest.raises((redis.ConnectionError, redis.TimeoutError)):
            opener.do(client, "incr", "n")

    assert route.direct.get("n") == b"2"


def test_a_replica_s_readonly_is_final(opener: Opener, client: redis.Redis, proxy: Proxy) -> None:
    replica = opener.open(proxy.url, role="replica", **PATIENT)
    proxy.arm("answer", pattern=b"INCR", shots=100, reply=b"-READONLY a replica\r\n")

    with pytest.raises(redis.ReadOnlyError):
        opener.do(replica, "incr", "n")
    assert proxy.met == 1


def test_a_pipeline_is_never_sent_twice(opener: Opener, client: redis.Redis, proxy: Proxy) -> None:
    faulty = opener.open(proxy.url, resend=True, **PATIENT)
    opener.do(faulty, "incr", "n")
    proxy.arm("drop_reply", pattern=b"INCR", shots=100)
    pipe = faulty.pipeline(transaction=False).incr("n").incr("n")

    with pytest.raises(redis.ConnectionError):
        opener.do(pipe, "execute")
    assert proxy.met == 1
    assert client.get("n") == b"3"


def test_an_idle_connection_that_answers_no_ping_is_replaced_before_the_command(
    opener: Opener, client: redis.Redis, proxy: Proxy
) -> None:
    faulty = opener.open(proxy.url, health_check_interval=0.05, **PATIENT)
    opener.do(faulty, "incr", "n")
    proxy.arm("blackhole", pattern=b"PING")
    time.sleep(0.1)  # the interval itself is what is tested

    assert opener.do(faulty, "incr", "n") == 2
    assert proxy.met == 1


def test_a_wrong_password_is_not_tried_again(opener: Opener, proxy: Proxy) -> None:
    refused = opener.open(proxy.url, username="nobody", password="wrong", **PATIENT)
    proxy.arm("delay", pattern=b"nobody", shots=100)

    with pytest.raises(redis.AuthenticationError) as raised:
        opener.do(refused, "get", "n")
    assert proxy.met == 1
    assert "wrong" not in str(raised.value)


def test_a_full_pool_is_waited_for(opener: Opener, client: redis.Redis, server: Server) -> None:
    small = opener.open(server.url, max_connections=1, retry_for=0.1)
    taken = opener.wait(small.connection_pool.get_connection)

    with pytest.raises(redis.exceptions.MaxConnectionsError):
        opener.do(small, "get", "n")
    opener.wait(small.connection_pool.release, taken)
    assert opener.do(small, "get", "n") is None


def outage_of_one(server: Server, client: redis.Redis) -> None:
    """Restart a server on its port; it refuses connections for 1.5 s."""
    with pytest.raises(redis.ConnectionError):
        client.execute_command("DEBUG", "RESTART", "1500")


def test_after_an_outage_the_same_client_works_again(opener: Opener, private: Server) -> None:
    """The server is stopped and started again on its port, for longer than is retried."""
    client = opener.open(private.url, retry_for=0.1)
    assert opener.do(client, "incr", "n") == 1
    with redis.Redis(connection_pool=redis.ConnectionPool.from_url(private.url)) as direct:
        outage_of_one(private, direct)

    with pytest.raises(NotConnected):
        opener.do(client, "incr", "n")
    until = time.monotonic() + 20
    assert eventually(lambda: opener.do(client, "incr", "n"), until) == 1


def test_an_outage_shorter_than_what_is_retried_is_not_seen(
    opener: Opener, private: Server
) -> None:
    client = opener.open(private.url, retry_for=20)
    assert opener.do(client, "incr", "n") == 1
    with redis.Redis(connection_pool=redis.ConnectionPool.from_url(private.url)) as direct:
        outage_of_one(private, direct)

    assert opener.do(client, "incr", "n") == 1


def test_after_a_failover_a_sentinel_s_client_reaches_the_new_primary(
    opener: Opener, private_sentinel_set: SentinelSet
) -> None:
    client = opener.open(private_sentinel_set.url, retry_for=30)
    assert opener.do(client, "set", "n", 1)
    old = private_sentinel_set.primary()
    old.kill()

    assert opener.do(client, "set", "n", 2)
    assert private_sentinel_set.primary() != old


def test_after_a_failover_a_cluster_s_client_reaches_the_new_primary(
    opener: Opener, private_cluster: Cluster
) -> None:
    client = opener.open(private_cluster.url, retry_for=30)
    old = private_cluster.owner("n")
    assert opener.do(client, "set", "n", 1)
    old.kill()

    until = time.monotonic() + 30
    assert eventually(lambda: opener.do(client, "set", "n", 2), until)
    assert private_cluster.owner("n") != old


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.1:1",
        "redis+sentinel://127.0.0.1:1,127.0.0.1:2/mymaster",
        "redis+cluster://127.0.0.1:1,127.0.0.1:2",
    ],
)
def test_where_nobody_listens_the_error_says_that_nothing_was_sent(
    opener: Opener, url: str
) -> None:
    """A blocking cluster client fails where it is made, the others at the first command."""
    with pytest.raises(DOWN, match=r"Connection refused|No master|Connect call failed"):
        opener.do(opener.open(url, retry_for=0.05), "get", "n")


def test_a_cluster_client_closes_its_connections(opener: Opener, cluster: Cluster) -> None:
    client = opener.open(cluster.url, client_name="counted")
    for number in range(20):
        opener.do(client, "get", f"{number}")
    opener.close()

    names = [one["name"] for node in cluster.primaries() for one in clients_of(node.url)]
    assert "counted" not in names


def test_a_cluster_client_closes_its_connections_after_an_error_too(
    opener: Opener, cluster: Cluster
) -> None:
    owner = cluster.owner("n")
    with Proxy(*owner.address) as proxy:
        moved = {owner.address: ("127.0.0.1", proxy.port)}
        client = opener.open(
            cluster.url, client_name="counted", address_remap=lambda place: moved.get(place, place)
        )
        for number in range(20):
            opener.do(client, "get", f"{number}")
        proxy.arm("drop_reply", pattern=b"INCR")
        with pytest.raises(redis.ConnectionError):
            opener.do(client, "incr", "n")
        opener.close()

        names = [one["name"] for node in cluster.primaries() for one in clients_of(node.url)]
    assert "counted" not in names


def clients_of(url: str) -> list[dict[str, str]]:
    """What a server says of its clients."""
    with redis.Redis.from_url(url) as client:
        found: list[dict[str, str]] = client.client_list()
    return found


def eventually(attempt: Callable[[], Any], until: float) -> Any:
    """The result of the first attempt that ends in no error of the connection."""
    while True:
        try:
            return attempt()
        except (redis.ConnectionError, redis.TimeoutError):
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def test_a_broken_pipeline_of_a_blocking_cluster_client_is_sent_again_by_redis_py(
    opener: Opener, cluster: Cluster
) -> None:
    """What `connect` documents: the asyncio client sends it once."""
    owner = cluster.owner("n")
    with Proxy(*owner.address) as proxy, redis.Redis.from_url(owner.url) as direct:
        moved = {owner.address: ("127.0.0.1", proxy.port)}
        client = opener.open(
            cluster.url, address_remap=lambda place: moved.get(place, place), **PATIENT
        )
        opener.do(client, "incr", "n")
        proxy.arm("drop_reply", pattern=b"INCR")
        pipe = client.pipeline()
        pipe.incr("n")

        if opener.is_async:
            with pytest.raises(redis.ConnectionError):
                opener.do(pipe, "execute")
        else:
            assert opener.do(pipe, "execute") == [3]

        assert direct.get("n") == (b"2" if opener.is_async else b"3")
