"""The network, or the server, takes the reply, the request or the time."""

from __future__ import annotations

import time
from typing import Any

import pytest

from redislua.errors import OutcomeUnknown
from redislua.runtime import RetryClass
from tests.faults.forms import KINDS, PATIENT, Form
from tests.faults.grounds import Ground
from tests.faults.samples import COUNT, counting
from tests.runtime.proxy import FaultName, Proxy

# What a header allows does not depend on where the call goes: not everything is tried twice.
each_retry = pytest.mark.parametrize(
    ("ground", "retry"),
    [("server", "never"), ("server", "conservative"), ("server", "safe"), ("cluster", "never")],
    indirect=["ground"],
)

# With and without coalescing: what is lost is lost in another place.
pytestmark = pytest.mark.parametrize("form", KINDS, ids=str, indirect=True)

SLOW = """
local os = rawget(_G, 'os')
local function now()
    if os then return os.clock() end
    local time = redis.call('TIME')
    return time[1] + time[2] / 1e6
end
local began = now()
while now() - began < tonumber(ARGV[1]) do end
"""
"""Lua that takes ARGV[1] seconds: Redis 7.0 has no os.clock, and in later ones TIME stands still."""

SHORT = 0.2
"""Seconds: a deadline for a reply that is not to come."""


LOSSES: list[tuple[str, RetryClass, FaultName, int]] = [
    ("server", "never", "drop_reply", 30),
    ("server", "conservative", "drop_reply", 30),
    ("server", "safe", "drop_reply", 30),
    ("server", "never", "cut", 30),
    ("server", "never", "reset", 31),
    ("server", "conservative", "reset", 31),
    ("server", "safe", "reset", 31),
    ("cluster", "never", "drop_reply", 30),
    ("cluster", "safe", "drop_reply", 30),
    ("cluster", "never", "reset", 31),
]


@pytest.mark.parametrize(
    ("ground", "retry", "fault", "row"),
    LOSSES,
    ids=[f"{ground}-{retry}-{fault}-row-{row}" for ground, retry, fault, row in LOSSES],
    indirect=["ground"],
)
def test_a_lost_exchange(
    form: Form,
    ground: Ground,
    network: Proxy,
    retry: RetryClass,
    fault: FaultName,
    row: int,
) -> None:
    """Rows 30, 31 and 34: once for ``never``, else again until the reply comes.

    The calls beside it are safe: they are sent again where they do not share its transaction.
    """
    call = counting(retry=retry)
    client = form.open(ground, through=network)
    assert form.run(client, call) == 1
    network.arm(fault, shots=1, amount=2)

    ended = form.end(client, call, deadline=PATIENT)

    was_executed = row == 30
    again = retry != "never"
    together = form.is_atomic and not again
    assert network.met == 1
    assert ground.executions() == 1 + was_executed + again
    if again:
        assert ended.own == ground.executions()
    else:
        assert type(ended.own) is OutcomeUnknown
        assert ended.own.__cause__ is not None
    assert [type(one) for one in ended.beside] == form.neighbours * [
        OutcomeUnknown if together else int
    ]
    sent = 1 + was_executed + (not together)
    assert ground.executions_beside() == form.neighbours * sent
    assert form.run(client, call) == ground.executions() == 2 + was_executed + again


@each_retry
def test_replies_that_stay_lost(
    form: Form, ground: Ground, network: Proxy, retry: RetryClass
) -> None:
    """Rows 30 and 34: at most three executions, and one for ``never``."""
    call = counting(retry=retry)
    client = form.open(ground, through=network)
    form.run(client, call)
    network.arm("drop_reply", shots=100)

    ended = form.end(client, call, deadline=PATIENT)

    for one in (ended.own, *ended.beside):
        assert type(one) is OutcomeUnknown
    times = 1 if retry == "never" else 3
    assert ground.executions() == 1 + times
    times_beside = times if form.is_atomic else 3
    assert ground.executions_beside() == form.neighbours * (1 + times_beside)
    network.calm()
    assert form.run(client, call) == 2 + times


@each_retry
def test_a_reply_that_does_not_come_in_time(
    form: Form, ground: Ground, network: Proxy, retry: RetryClass
) -> None:
    """Row 32: the deadline ends it, and leaves no time to send it again."""
    call = counting(retry=retry)
    client = form.open(ground, through=network)
    form.run(client, call)
    network.arm("blackhole", shots=100)

    ended = form.end(client, call, deadline=SHORT)

    for one in (ended.own, *ended.beside):
        assert type(one) is OutcomeUnknown
    assert ground.executions() == 2
    assert ground.executions_beside() == 2 * form.neighbours
    network.calm()
    assert form.run(client, call, deadline=PATIENT) == 3


def test_a_script_slower_than_the_clients_timeout(form: Form, ground: Ground) -> None:
    """Row 33: the deadline counts and not the client's ``socket_timeout``; it runs once."""
    slow = counting(b"0.15", then=SLOW)
    client = form.open(ground, socket_timeout=0.05)
    form.run(client, COUNT, deadline=PATIENT)

    assert form.run(client, slow, deadline=PATIENT) == 2

    assert ground.executions() == 2
    assert ground.executions_beside() == 2 * form.neighbours


@each_retry
def test_a_script_slower_than_the_deadline(form: Form, ground: Ground, retry: RetryClass) -> None:
    """Row 33: it runs once, to its end, and the caller is not told what it did."""
    slow = counting(b"0.2", then=SLOW, retry=retry)
    client = form.open(ground)
    form.run(client, COUNT)

    ended = form.end(client, slow, deadline=0.1)

    assert type(ended.own) is OutcomeUnknown
    if form.neighbours:
        before, after = ended.beside
        assert type(after) is OutcomeUnknown
        # Its reply was ready long before; a server may keep it until the write is worked off.
        assert before == 3 or type(before) is OutcomeUnknown
    assert ground.executions() == 2
    assert ground.executions_beside() == 2 * form.neighbours
    assert form.run(client, COUNT, deadline=PATIENT) == 3


def test_a_late_reply_meets_nobody(form: Form, ground: Ground, network: Proxy) -> None:
    """Row 35: not the next call, and not the one after the late reply has come."""
    client = form.open(ground, through=network)
    form.run(client, COUNT)
    network.arm("delay", amount=0.3)

    ended = form.end(client, COUNT, deadline=0.15)

    for one in (ended.own, *ended.beside):
        assert type(one) is OutcomeUnknown
    ended = form.end(client, COUNT, deadline=PATIENT)
    assert (ended.own, ended.beside) == (3, form.beside(5, 6))
    time.sleep(0.2)
    ended = form.end(client, COUNT)
    assert (ended.own, ended.beside) == (4, form.beside(7, 8))
    assert ground.executions() == 4


def test_a_connection_that_died_while_idle_costs_no_call(form: Form, ground: Ground) -> None:
    """Row 5: it is found dead before anything is sent on it."""
    client: Any = form.open(ground)
    form.run(client, COUNT)
    ground.cut_all()

    assert form.run(client, COUNT) == ground.executions() == 2
    assert ground.executions_beside() == 2 * form.neighbours
