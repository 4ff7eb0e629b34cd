"""Ctrl-C, or what a signal raises, in a thread that waits: nobody else notices."""

from __future__ import annotations

import time
from typing import Any

import redis

from redislua.runtime import run
from tests.rig.interrupt import interrupted
from tests.runtime.coalescing.crowd import Sharing, echo
from tests.runtime.coalescing.gate import Gate
from tests.runtime.proxy import Proxy
from tests.runtime.samples import incr


def test_one_that_waits_for_the_shared_connection_touches_no_other(
    sharing: Sharing, gate: Gate, client: redis.Redis
) -> None:
    run(sharing.client, echo(0))
    gate.shut()
    before = sharing.begin(echo(1), echo(2))
    interrupted(sharing.client, echo(3))
    after = [sharing.queue(echo(n)) for n in range(4, 8)]
    gate.open()

    assert before.result() == (b"1", b"2")
    assert [one.result() for one in after] == [(b"%d" % n,) for n in range(4, 8)]


def test_one_whose_call_is_on_the_shared_connection_touches_no_other(
    sharing: Sharing, gate: Gate, client: redis.Redis
) -> None:
    run(sharing.client, echo(0))
    gate.shut()
    interrupted(sharing.client, incr("never"))
    after = [sharing.queue(echo(n)) for n in range(4)]
    gate.open()

    assert [one.result() for one in after] == [(b"%d" % n,) for n in range(4)]
    assert run(sharing.client, incr("never")) == 2


def test_one_that_waits_for_a_health_check_gives_its_room_back(proxy: Proxy) -> None:
    own: Any = redis.Redis(
        host="127.0.0.1", port=proxy.port, max_connections=1, health_check_interval=1
    )
    run(own, echo(0))
    time.sleep(1.1)
    proxy.arm("blackhole", pattern=b"PING")

    interrupted(own, echo(1))

    assert run(own, echo(2)) == b"2"
    own.close()
