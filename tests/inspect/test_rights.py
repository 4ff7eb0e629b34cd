"""What scripts may need, asked of real users: commands, keys, channels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from redislua.bindings import limit
from redislua.codegen.load import load_operations
from redislua.errors import AccessDenied, ScriptAccessDenied, ScriptError
from redislua.inspect.facts import examine
from redislua.inspect.finding import Finding
from redislua.inspect.rights import acl_rule, lacking, wants_of
from redislua.probe.examples import fill_in
from redislua.runtime import Call, run
from redislua.server import Cluster, Server, start
from redislua.spec.notation import ExampleCall
from redislua.spec.registry import load, resolve
from redislua.spec.typing import arguments
from tests.cli.shell import ROOT

CATALOGUE = load(ROOT / "scripts")
SCRIPTS = CATALOGUE.scripts
FAMILIES = sorted({script.family for script in SCRIPTS})
PASSWORD = "secret"


def of_family(*names: str, namespace: str = "") -> list[Any]:
    return [wants_of(script, namespace) for script in SCRIPTS if script.family in names]


@pytest.fixture
def admin(private: Server) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(private.url) as client:
        yield client


def allow(admin: redis.Redis, rule: str) -> None:
    admin.execute_command("ACL", "SETUSER", "app", "reset", "on", f">{PASSWORD}", *rule.split())


def found(admin: redis.Redis, wanted: list[Any], namespace: str = "") -> list[Finding]:
    return list(lacking(examine("n", admin), admin, wanted, "app", namespace))


def test_commands_keys_and_channels_come_from_the_script() -> None:
    (fill,) = [wants_of(one, "shop") for one in SCRIPTS if one.full_name == "cache.fill"]

    assert {"GET", "HSET", "SPUBLISH", "TIME", "UNLINK"} <= set(fill.commands)
    assert fill.keys == (
        "shop:cache:{redislua-doctor}:entry",
        "shop:cache:{redislua-doctor}:lease",
    )
    assert all(channel.startswith("shop:cache:{redislua-doctor}:") for channel in fill.channels)
    assert fill.channels


@pytest.mark.parametrize("namespace", ["", "shop"])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_rule_that_is_recommended_is_enough_and_is_found_to_be(
    admin: redis.Redis, family: str, namespace: str
) -> None:
    wanted = of_family(family, namespace=namespace)

    allow(admin, acl_rule(wanted, namespace))

    assert found(admin, wanted, namespace) == []


def test_every_example_runs_under_the_recommended_rule_and_nothing_else_does(
    private: Server, admin: redis.Redis
) -> None:
    operations = {one.spec.file: one for one in load_operations(CATALOGUE).values()}
    url = private.url.replace("redis://", f"redis://app:{PASSWORD}@")
    with redis.Redis.from_url(url) as client:
        for script, example in ((one, two) for one in SCRIPTS for two in one.examples):
            calls = [line for line in example.lines if isinstance(line, ExampleCall)]
            called = {resolve(CATALOGUE, script, line) for line in calls}
            allow(admin, acl_rule([wants_of(one) for one in called]))
            admin.flushall()
            replies: dict[int, Any] = {}
            for number, line in enumerate(example.lines, 1):
                if not isinstance(line, ExampleCall):
                    continue
                operation = operations[resolve(CATALOGUE, script, line).file]
                given = fill_in(arguments(operation.spec, line.arguments), replies)
                replies[number] = _outcome(client, operation.call(given))
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.flushall()


def _outcome(client: redis.Redis, call: Call[Any]) -> Any:
    """The reply; what the script itself refuses is as good, what the server refuses is not."""
    try:
        return run(client, call)
    except (AccessDenied, ScriptAccessDenied):
        raise
    except ScriptError as error:
        return error


@pytest.mark.parametrize(
    ("taken", "missing"),
    [
        ("-evalsha", "run EVALSHA"),
        ("-get", "run GET"),
        ("-set -time", "run SET, TIME"),
        ("-script|load", "run EVAL, SCRIPT LOAD"),
        ("resetkeys ~other:*", "use keys such as shop:limit:{redislua-doctor}:gcra"),
    ],
)
def test_each_right_that_is_taken_away_is_found(
    admin: redis.Redis, taken: str, missing: str
) -> None:
    wanted = [wants_of(one, "shop") for one in SCRIPTS if one.full_name == "limit.gcra"]
    allow(admin, f"{acl_rule(wanted, 'shop')} {taken}")

    (one,) = found(admin, wanted, "shop")

    assert (one.code, one.severity) == ("missing-rights", "error")
    assert one.text == f"user 'app' may not {missing}"
    allow(admin, one.remedy.removeprefix("ACL SETUSER app "))
    assert found(admin, wanted, "shop") == []


def test_a_channel_that_may_not_be_used_is_found(admin: redis.Redis) -> None:
    wanted = [wants_of(one) for one in SCRIPTS if one.full_name == "cache.fill"]
    allow(admin, f"{acl_rule(wanted)} resetchannels")

    (one,) = found(admin, wanted)

    assert one.text == "user 'app' may not run SPUBLISH"


def test_eval_alone_loads_scripts_too(admin: redis.Redis) -> None:
    wanted = of_family("limit")
    allow(admin, f"{acl_rule(wanted)} -script|load +eval")

    assert found(admin, wanted) == []


def test_whoever_may_not_ask_is_told_who_may(private: Server, admin: redis.Redis) -> None:
    wanted = of_family("limit")
    allow(admin, f"{acl_rule(wanted)} +info")
    url = private.url.replace("redis://", f"redis://app:{PASSWORD}@")

    with redis.Redis.from_url(url) as client:
        facts = examine("n", client)
        (one,) = lacking(facts, client, wanted, "", "")

    assert (one.code, one.severity) == ("rights-unknown", "note")
    assert "--user" in one.remedy
    assert {"CONFIG GET", "ACL WHOAMI"} <= facts.refused
    assert (facts.user, facts.config) == ("", {})


def test_a_user_that_does_not_exist_cannot_be_judged(admin: redis.Redis) -> None:
    facts = examine("n", admin)

    (one,) = lacking(facts, admin, of_family("limit"), "nobody", "")

    assert one.code == "rights-unknown"


def test_a_command_that_was_renamed_is_found(server: Server) -> None:
    if server.kind == "url":
        pytest.skip("needs a server of its own")
    config = {"rename-command": "HMGET OTHER"}
    with start(server.kind, config=config) as opened, redis.Redis.from_url(opened.url) as client:
        (one,) = lacking(examine("n", client), client, of_family("limit"), "", "")

    assert one.code == "missing-command"
    assert "HMGET" in one.text
    assert "limit.token_bucket" in one.text
    assert "limit.block" not in one.text


def test_on_a_cluster_the_rule_holds_for_its_client(cluster: Cluster) -> None:
    wanted = of_family("limit", namespace="shop")
    rule = acl_rule(wanted, "shop", cluster=True)
    for node in cluster.nodes:
        node.ask("ACL SETUSER", "app", "reset", "on", f">{PASSWORD}", *rule.split())
    host, port = cluster.addresses[0]

    try:
        with redis.RedisCluster(host, port, username="app", password=PASSWORD) as client:
            replies = [
                run(
                    client,
                    limit.gcra(subject=str(one), limit=5, period=1_000, burst=5, namespace="shop"),
                )
                for one in range(20)
            ]
    finally:
        for node in cluster.nodes:
            node.ask("ACL DELUSER", "app")

    assert all(isinstance(reply, limit.GcraAllowed) for reply in replies)
