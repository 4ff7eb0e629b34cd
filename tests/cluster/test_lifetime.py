"""Cluster clients that end, fork, change their event loop, or reach nodes by other addresses."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
import redis

from redislua.bindings import limit
from redislua.errors import AccessDenied, NotExecuted, ScriptNotDeployed, ServerUnreachable
from redislua.runtime import arun, run
from redislua.runtime.pools import pools
from redislua.server import Cluster
from tests.cluster.callers import (
    ClusterCaller,
    Proxies,
    connections,
    forget_stats,
    incr,
    keys,
    refused,
    seen,
)


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether something becomes true within some seconds."""
    pause = threading.Event()
    return any(condition() or pause.wait(0.02) for _ in range(250))


# --- its end ---------------------------------------------------------------------------------


def test_a_blocking_client_that_is_lost_leaves_no_connection(
    runner: asyncio.Runner, library: ModuleType, bare_cluster: Cluster
) -> None:
    name = f"lost-{library.__name__}"
    caller = ClusterCaller(is_async=False, runner=runner)
    client = caller.make_cluster(bare_cluster, library=library, client_name=name)
    for key in keys(30):
        run(client, incr(key))
    assert min(connections(bare_cluster.nodes, name)) > 0

    client.close()
    del client
    gc.collect()

    assert eventually(lambda: connections(bare_cluster.nodes, name) == [0, 0, 0])


def test_an_asyncio_client_that_is_lost_leaves_no_connection(
    runner: asyncio.Runner, library: ModuleType, bare_cluster: Cluster
) -> None:
    name = f"alost-{library.__name__}"
    caller = ClusterCaller(is_async=True, runner=runner)

    async def use() -> None:
        client = caller.make_cluster(bare_cluster, library=library, client_name=name)
        for key in keys(30):
            await arun(client, incr(key))
        assert min(connections(bare_cluster.nodes, name)) > 0
        await client.aclose()

    async def wait_for_the_end() -> bool:
        gc.collect()
        for _ in range(250):
            if connections(bare_cluster.nodes, name) == [0, 0, 0]:
                return True
            await asyncio.sleep(0.02)
        return False

    runner.run(use())
    assert runner.run(wait_for_the_end())


def test_the_end_of_an_event_loop_closes_what_was_opened_in_it(
    library: ModuleType, bare_cluster: Cluster, runner: asyncio.Runner
) -> None:
    """A client that outlives its loop is used again in the next one."""
    name = f"loops-{library.__name__}"
    caller = ClusterCaller(is_async=True, runner=runner)
    client = caller.make_cluster(bare_cluster, library=library, client_name=name)

    async def use() -> list[int]:
        return [await arun(client, incr(key)) for key in keys(30)]

    for turn in (1, 2, 3):
        assert asyncio.run(use()) == [turn] * 30
        assert eventually(lambda: connections(bare_cluster.nodes, name) == [0, 0, 0])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_process_uses_connections_of_its_own(
    runner: asyncio.Runner, library: ModuleType, bare_cluster: Cluster
) -> None:
    caller = ClusterCaller(is_async=False, runner=runner)
    client = caller.open_cluster(bare_cluster, library=library)
    some = keys(30)
    for key in some:
        run(client, incr(key))

    child = os.fork()
    if child == 0:
        try:
            replies = [run(client, incr(key), deadline=10) for _ in range(20) for key in some]
            os._exit(0 if sorted(set(replies)) else 3)
        except BaseException:
            os._exit(4)
    mine = [run(client, incr(key), deadline=10) for _ in range(20) for key in some]
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert len(mine) == 600
    assert [run(client, incr(key)) for key in some] == [42] * 30
    caller.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_process_can_ask_the_cluster_that_its_parent_was_asking(
    runner: asyncio.Runner, bare_cluster: Cluster
) -> None:
    """The thread that asked is not there any more."""
    caller = ClusterCaller(is_async=False, runner=runner)
    client = caller.open_cluster(bare_cluster)
    topology = pools.of(client).topology
    assert topology is not None

    with topology.refreshing:
        child = os.fork()
        if child == 0:
            try:
                os._exit(0 if run(client, incr(b"k"), deadline=10) == 1 else 3)
            except BaseException:
                os._exit(4)
        _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    caller.close()


# --- other addresses -------------------------------------------------------------------------


def test_every_node_is_reached_where_the_clients_address_remap_says(
    caller: ClusterCaller, library: ModuleType, bare_cluster: Cluster
) -> None:
    forget_stats(bare_cluster.nodes)
    with Proxies(bare_cluster) as proxies:
        client = caller.open_cluster(
            proxies.addresses, library=library, address_remap=proxies.remap
        )
        some = keys(30)
        assert [caller.run(client, incr(key)) for key in some] == [1] * 30
        assert caller.run_many(client, *[incr(key) for key in some]) == (2,) * 30

        arrived = [proxies.before(node).arrived for node in bare_cluster.nodes]
        caller.close()
    assert arrived == seen(bare_cluster.nodes, "evalsha")
    assert min(arrived) >= 20


# --- users -----------------------------------------------------------------------------------

RIGHTS = ["-@all", "+evalsha", "+incr", "+cluster|slots", "+ping"]


@pytest.fixture
def users(bare_cluster: Cluster) -> Iterator[Callable[..., None]]:
    """``users(*rights)`` gives ``app`` its rights on every node."""

    def grant(*rights: str, keys: str = "~app:*") -> None:
        for node in bare_cluster.nodes:
            words = ("app", "reset", "on", ">secret", "resetchannels", keys)
            node.ask("ACL SETUSER", *words, *RIGHTS, *rights)

    yield grant
    for node in bare_cluster.nodes:
        node.ask("ACL DELUSER", "app")


def open_app(caller: ClusterCaller, cluster: Cluster, **options: Any) -> Any:
    """A client as that user."""
    return caller.open_cluster(cluster, username="app", password="secret", **options)


def test_a_user_with_the_least_rights_calls_scripts_that_somebody_loaded(
    runner: asyncio.Runner, bare_cluster: Cluster, users: Callable[..., None]
) -> None:
    caller = ClusterCaller(is_async=True, runner=runner)
    users()
    admin = caller.open_cluster(bare_cluster)
    own = open_app(caller, bare_cluster)
    some = [b"app:" + key for key in keys(20)]

    with pytest.raises(ScriptNotDeployed):
        caller.run(own, incr(some[0]))
    caller.run_many(admin, *[incr(key) for key in keys(20)])

    assert [caller.run(own, incr(key)) for key in some] == [1] * 20
    assert caller.run_many(own, *[incr(key) for key in some]) == (2,) * 20
    with pytest.raises(AccessDenied):
        caller.run(own, incr(b"foreign"))
    with pytest.raises(AccessDenied):
        caller.warm(own, limit)
    caller.close()


def test_a_blocking_client_needs_no_more_for_calls_than_an_asyncio_one(
    caller: ClusterCaller, bare_cluster: Cluster, users: Callable[..., None]
) -> None:
    """``command`` is for redis-py's own start, ``cluster`` beside slots for its reading of it."""
    users("+command", "+info")
    own = open_app(caller, bare_cluster)
    forget_stats(bare_cluster.nodes)
    users("+script|load", "-command", "-info")

    assert [caller.run(own, incr(b"app:" + key)) for key in keys(20)] == [1] * 20


def test_a_user_who_may_not_ask_for_the_slots_is_told_so(
    runner: asyncio.Runner, bare_cluster: Cluster, users: Callable[..., None]
) -> None:
    caller = ClusterCaller(is_async=True, runner=runner)
    users("-cluster|slots")

    with pytest.raises(AccessDenied, match=r"cluster\|slots"):
        caller.run(open_app(caller, bare_cluster), incr(b"app:k"))
    caller.close()


def test_a_user_who_may_not_list_the_nodes_is_routed_all_the_same(
    runner: asyncio.Runner, bare_cluster: Cluster, users: Callable[..., None]
) -> None:
    """CLUSTER NODES goes along after a redirection to a stranger, and is refused here."""
    caller = ClusterCaller(is_async=False, runner=runner)
    users("+script|load", "+command", "+info")
    own = open_app(caller, bare_cluster)
    topology = pools.of(own).topology
    assert topology is not None
    topology.met_stranger = True
    forget_stats(bare_cluster.nodes)

    assert [caller.run(own, incr(b"app:" + key)) for key in keys(20)] == [1] * 20

    assert not topology.stale
    assert sum(refused(bare_cluster.nodes, "cluster|nodes")) == 1
    caller.close()


@pytest.mark.parametrize("secret", ["wrong", None])
def test_a_wrong_password_is_told_at_once(
    secret: str | None, runner: asyncio.Runner, bare_cluster: Cluster, users: Callable[..., None]
) -> None:
    caller = ClusterCaller(is_async=True, runner=runner)
    users("+command")
    own = caller.open_cluster(bare_cluster, username="app", password=secret or "")

    with pytest.raises(AccessDenied) as raised:
        caller.run(own, incr(b"app:k"), deadline=20)
    assert raised.value.code == "WRONGPASS"
    caller.close()


def test_a_client_of_nowhere_is_not_executed(runner: asyncio.Runner) -> None:
    """No node can be reached, so nobody can say who serves the keys."""
    caller = ClusterCaller(is_async=True, runner=runner)
    client = caller.open_cluster([("127.0.0.1", 1)])

    with pytest.raises(ServerUnreachable):
        caller.run(client, incr(b"k"), deadline=0.3)
    replies = caller.run_many(client, incr(b"k"), incr(b"l"), deadline=0.3, return_exceptions=True)
    assert [type(one) for one in replies] == [ServerUnreachable] * 2
    caller.close()


def test_a_client_of_a_single_server_is_no_cluster_client(bare_cluster: Cluster) -> None:
    """On one node of a cluster it is told where else to go, and does not go there."""
    owner = bare_cluster.owner(b"k")
    other = next(node for node in bare_cluster.nodes if node is not owner)
    with redis.Redis.from_url(other.url) as client, pytest.raises(NotExecuted) as raised:
        run(client, incr(b"k"))
    assert raised.value.code == "MOVED"
