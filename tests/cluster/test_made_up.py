"""Scripts that answer with errors which only a node may give: real nodes, both drivers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from redis.crc import key_slot

from redislua.errors import CallError, NotExecuted, ScriptFault
from redislua.runtime import Call, RetryClass
from redislua.server import Cluster
from tests.cluster.callers import ClusterCaller, incr, keys
from tests.runtime.samples import script

KEY = b"k"
SLOT = key_slot(KEY)


def answering(text: str, retry: RetryClass = "never") -> Call[Any]:
    """A call that counts its executions and then answers with an error of its own."""
    body = f"redis.call('INCR', KEYS[1]) return redis.error_reply('{text}')"
    return Call(script(body, retry=retry), (KEY,), (), decode=int)


def executions(cluster: Cluster) -> int:
    """How often such calls ran."""
    return int(cluster.owner(KEY).ask("GET", KEY.decode()) or 0)


@pytest.fixture
def elsewhere(bare_cluster: Cluster) -> str:
    """Another node of the cluster than the key's: host and port."""
    owner = bare_cluster.owner(KEY)
    host, port = next(node.address for node in bare_cluster.nodes if node is not owner)
    return f"{host}:{port}"


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port at which nobody is expected."""
    with socket.create_server(("127.0.0.1", 0)) as opened:
        opened.setblocking(False)
        yield opened


def was_visited(listener: socket.socket) -> bool:
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def assert_unharmed(caller: ClusterCaller, client: Any) -> None:
    """Calls on all nodes find their way."""
    some = [b"other:" + key for key in keys(9)]
    assert [caller.run(client, incr(key)) for key in some] == [1] * 9
    assert caller.run_many(client, *[incr(key) for key in some]) == (2,) * 9


@pytest.mark.parametrize("code", ["MOVED", "ASK"])
def test_a_redirection_to_a_stranger_leads_nowhere(
    code: str, caller: ClusterCaller, bare_cluster: Cluster, listener: socket.socket
) -> None:
    """It may be a node that has just joined, so the call waits; nobody else ever names it."""
    client = caller.open_cluster(bare_cluster)
    spoof = answering(f"{code} {SLOT} 127.0.0.1:{listener.getsockname()[1]}")

    with pytest.raises(NotExecuted) as raised:
        caller.run(client, spoof, deadline=0.5)
    [in_batch] = caller.run_many(client, spoof, deadline=0.5, return_exceptions=True)

    assert raised.value.code == in_batch.code == code
    assert isinstance(in_batch, NotExecuted)
    assert not was_visited(listener)
    assert_unharmed(caller, client)


NO_NODE_SAYS = [
    *("MOVED 99999 {}", "MOVED -1 {}", "MOVED x {}", "MOVED 1 {}", "ASK 1 {}"),
    *("MOVED {slot} nowhere", "MOVED {slot} :", "MOVED {slot}", "MOVED made up", "ASK", "ASK 1"),
]


@pytest.mark.parametrize("text", NO_NODE_SAYS)
def test_a_redirection_that_no_node_gives_is_a_fault_of_the_script_that_ran_once(
    text: str, caller: ClusterCaller, bare_cluster: Cluster, elsewhere: str
) -> None:
    client = caller.open_cluster(bare_cluster)
    spoof = answering(text.format(elsewhere, slot=SLOT), retry="safe")

    with pytest.raises(ScriptFault) as raised:
        caller.run(client, spoof)
    assert executions(bare_cluster) == 1
    in_batch = caller.run_many(client, spoof, incr(b"other"), spoof, return_exceptions=True)
    assert executions(bare_cluster) == 3
    [in_exec] = caller.run_many(client, spoof, atomic=True, return_exceptions=True)
    assert executions(bare_cluster) == 4

    assert [type(one) for one in (*in_batch, in_exec)] == [
        ScriptFault,
        int,
        ScriptFault,
        ScriptFault,
    ]
    codes = {raised.value.code, in_batch[0].code, in_batch[2].code, in_exec.code}
    assert codes == {text.split()[0]}
    assert_unharmed(caller, client)


@pytest.mark.parametrize(
    "text",
    [
        *("MOVED {slot} {}", "ASK {slot} {}", "TRYAGAIN", "CLUSTERDOWN", "CROSSSLOT"),
        *("READONLY", "LOADING", "MASTERDOWN", "BUSY"),
    ],
)
def test_what_a_node_might_have_said_ends_in_one_of_our_errors_and_harms_no_other_call(
    text: str, caller: ClusterCaller, bare_cluster: Cluster, elsewhere: str
) -> None:
    client = caller.open_cluster(bare_cluster)
    said = text.format(elsewhere, slot=SLOT)
    spoof = answering(said if " " in said else f"{said} made up")

    with pytest.raises(CallError) as raised:
        caller.run(client, spoof, deadline=0.3)

    # A real node answers ASK for a slot of another's with a MOVED of its own.
    assert raised.value.code in (said.split()[0], "MOVED")
    assert_unharmed(caller, client)
