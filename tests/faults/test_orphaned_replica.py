"""A replica of a cluster has lost its primary, and serves nothing without it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
import redis
from redis.cluster import LoadBalancingStrategy

from redislua.server import Cluster, Server
from tests.faults.forms import PATIENT, Form
from tests.faults.grounds import Ground, wait_until
from tests.faults.samples import KEY, reading


@pytest.fixture(scope="module")
def orphaned(whole_cluster: Ground) -> Iterator[Ground]:
    """The cluster; its replica of the samples' keys takes a second to be brought back."""
    cluster = whole_cluster.server
    assert isinstance(cluster, Cluster)
    whole_cluster.empty()
    owner = cluster.owner(KEY)
    [replica] = cluster.replicas_of(owner)
    owner.ask("SET", KEY.decode(), 1)
    whole_cluster.await_listed(replica)
    with cut_off(whole_cluster.client_of(replica), whole_cluster.client_of(owner)):
        yield whole_cluster
    cluster.await_ready()


@contextlib.contextmanager
def cut_off(replica: redis.Redis, primary: redis.Redis) -> Iterator[None]:
    """Break the link, and have the replica use a password that the primary does not take."""
    replica.config_set("replica-serve-stale-data", "no")
    replica.config_set("masterauth", "wrong")
    replica.config_set("masteruser", "nobody")
    primary.execute_command("CLIENT", "KILL", "TYPE", "replica")
    try:
        wait_until(lambda: replica.info("replication")["master_link_status"] == "down")
        yield
    finally:
        replica.config_set("masterauth", "")
        replica.config_set("masteruser", "")
        replica.config_set("replica-serve-stale-data", "yes")
        wait_until(lambda: replica.info("replication")["master_link_status"] == "up")


def test_the_primary_answers_instead(form: Form, server: Server, orphaned: Ground) -> None:
    """Row 29: MASTERDOWN of a replica that is read from, and that lacks the script."""
    forget_scripts(orphaned)
    client = form.open(orphaned, load_balancing_strategy=LoadBalancingStrategy.ROUND_ROBIN)

    # Where a call goes first is drawn: one in 256 times these never meet the replica.
    for _ in range(8):
        ended = form.end(client, reading(), among=reading(), deadline=PATIENT)
        assert (ended.own, ended.beside) == (b"1", form.beside(b"1", b"1"))


def forget_scripts(ground: Ground) -> None:
    """SCRIPT FLUSH on every node, which Redis 7.0 refuses on a replica that serves nothing."""
    for node in ground.nodes:
        serves_stale = node.config_get("replica-serve-stale-data")["replica-serve-stale-data"]
        node.config_set("replica-serve-stale-data", "yes")
        node.script_flush()
        node.config_set("replica-serve-stale-data", str(serves_stale))
