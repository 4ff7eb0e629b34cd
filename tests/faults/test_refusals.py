"""The server turns the call away: it is not executed, and the next one is."""

from __future__ import annotations

import threading

import pytest
import redis

from redislua.errors import NotExecuted, OutcomeUnknown, OutOfMemory, ScriptKilled, ServerLoading
from redislua.server.node import Node
from tests.faults.forms import PATIENT, Form
from tests.faults.grounds import Ground, wait_until
from tests.faults.refusals import REFUSALS, Refusal, full, is_busy, kill, orphaned
from tests.faults.samples import COUNT, beside, counting, endless, reading

WHERE = (("server", True), ("server", False), ("cluster", True))
"""The ground, and whether the server has the script."""


def each_refusal(*refusals: Refusal) -> pytest.MarkDecorator:
    """Each on every ground that can come to it."""
    cases = {
        f"{one.name}-row-{one.row}-{ground}-{'known' if known else 'missing'}": (ground, one, known)
        for one in refusals
        for ground, known in WHERE
        if ground == "server" or one.in_cluster
    }
    return pytest.mark.parametrize(
        ("ground", "refusal", "has_script"), cases.values(), ids=cases, indirect=["ground"]
    )


@each_refusal(*REFUSALS)
def test_a_refused_call_was_not_executed(
    form: Form, ground: Ground, refusal: Refusal, has_script: bool
) -> None:
    """Rows 9, 21, 25, 27, 28, 29 and 41, whether or not the server has the script."""
    client = form.open(ground)
    assert form.run(client, COUNT) == 1
    if not has_script:
        ground.home.script_flush()

    with refusal.on(ground):
        ended = form.once(client, COUNT)

    for one in (ended.own, *ended.beside):
        assert type(one) is refusal.error
        assert one.code == refusal.code
    assert ground.executions() == 1
    assert ground.executions_beside() == form.neighbours
    assert form.run(client, COUNT, deadline=PATIENT) == ground.executions() == 2


@each_refusal(*(one for one in REFUSALS if one.error.transient))
def test_what_passes_is_waited_for(
    form: Form, ground: Ground, refusal: Refusal, has_script: bool
) -> None:
    """Rows 9, 21, 27 and 41: one call lives through it, and is executed once."""
    client = form.open(ground)
    assert form.run(client, COUNT) == 1
    if not has_script:
        ground.home.script_flush()
    ending = refusal.on(ground)
    ending.__enter__()
    timer = threading.Timer(0.05, ending.__exit__, (None, None, None))
    timer.start()

    try:
        assert form.run(client, COUNT, deadline=PATIENT) == 2
    finally:
        timer.join()

    assert ground.executions() == 2
    assert ground.executions_beside() == 2 * form.neighbours


def test_a_replica_that_lost_its_primary_serves_no_reads(form: Form, one_server: Ground) -> None:
    """Row 29, MASTERDOWN; writes meet READONLY before it."""
    client = form.open(one_server)
    form.run(client, COUNT)
    form.run(client, reading(), among=reading())

    with orphaned(one_server):
        reads = one_server.calls("get")
        ended = form.once(client, reading(), among=reading())
        assert one_server.calls("get") == reads

    for one in (ended.own, *ended.beside):
        assert type(one) is ServerLoading
        assert one.code == "MASTERDOWN"
    assert form.run(client, reading(), among=reading()) == b"1"


def test_a_full_server_runs_what_ends_something_and_what_reads(form: Form, ground: Ground) -> None:
    """Row 25: scripts whose shebang says ``allow-oom`` or ``no-writes``."""
    ending = counting(flags=" flags=allow-oom")
    among = beside(" flags=allow-oom")
    client = form.open(ground)
    form.run(client, ending, among=among)

    with full(ground):
        ended = form.end(client, ending, among=among)
        read = form.end(client, reading(), among=reading())

    if form.is_atomic and ground.is_redis_7_0:
        # When full it takes nothing into a transaction, whatever it is.
        assert [type(one) for one in (ended.own, read.own)] == [OutOfMemory] * 2
    else:
        assert (ended.own, ended.beside) == (2, form.beside(3, 4))
        assert (read.own, read.beside) == (b"2", form.beside(b"2", b"2"))
    assert form.run(client, COUNT) == ground.executions()


def test_one_call_that_is_refused_stops_no_other(form: Form, ground: Ground) -> None:
    """Row 25: in a batch those that may run do; a transaction runs whole or not at all."""
    client = form.open(ground)
    form.run(client, COUNT, among=beside(" flags=allow-oom"))

    with full(ground):
        ended = form.end(client, COUNT, among=beside(" flags=allow-oom"))

    assert type(ended.own) is OutOfMemory
    assert ground.executions() == 1
    if form.is_atomic:
        assert [type(one) for one in ended.beside] == [OutOfMemory] * 2
        assert ground.executions_beside() == 2
    else:
        assert ended.beside == form.beside(3, 4)


def test_a_script_that_is_killed_was_not_executed(form: Form, ground: Ground) -> None:
    """Row 22: SCRIPT KILL ends what has not written; the calls around it ran."""
    client = form.open(ground)
    form.run(client, COUNT)
    with ground.configured(lua_time_limit="10"):
        killer = threading.Thread(target=kill_when_busy, args=(ground,))
        killer.start()
        try:
            ended = form.end(client, endless(), deadline=PATIENT)
        finally:
            killer.join()

    assert type(ended.own) is ScriptKilled
    assert isinstance(ended.own, NotExecuted)
    assert ended.beside == form.beside(3, 4)
    assert ground.executions() == 1
    assert form.run(client, COUNT) == 2


def kill_when_busy(ground: Ground) -> None:
    """SCRIPT KILL, as an operator does it."""
    wait_until(lambda: is_busy(ground))
    kill(ground)


def test_a_server_that_had_to_be_stopped_leaves_the_outcome_unknown(form: Form, node: Node) -> None:
    """Row 23: a script that has written cannot be killed; what it did goes with the server."""
    ground = Ground(node)
    client = form.open(ground)
    form.run(client, COUNT)
    ground.home.config_set("lua-time-limit", "10")

    def stop() -> None:
        wait_until(lambda: is_busy(ground))
        with pytest.raises(redis.ResponseError, match="UNKILLABLE"):
            ground.home.script_kill()
        node.kill()
        node.restart()
        ground.home.connection_pool.disconnect()  # not every redis-py notices by itself

    stopping = threading.Thread(target=stop)
    stopping.start()
    try:
        ended = form.end(client, counting(then="while true do end"), deadline=PATIENT)
    finally:
        stopping.join()

    assert type(ended.own) is OutcomeUnknown
    assert form.run(client, COUNT, deadline=PATIENT) == ground.executions() == 1
    ground.close()
