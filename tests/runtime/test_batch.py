"""Batches: several calls in one write, each with its own outcome; and transactions."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis

from redislua.bindings import cache, limit
from redislua.errors import (
    InvalidArgumentType,
    InvalidArgumentValue,
    NotExecuted,
    OutcomeUnknown,
    ScriptFault,
    ScriptNotDeployed,
)
from redislua.runtime import Call, run_many
from redislua.runtime.steps import MOST_BYTES, MOST_CALLS
from tests.runtime.callers import Caller
from tests.runtime.proxy import Proxy
from tests.runtime.samples import call as sample
from tests.runtime.samples import incr


def test_calls_of_any_families_come_back_typed_in_order(surface):
    calls = (
        limit.gcra(subject="u", limit=5, period=timedelta(hours=1), burst=5),
        cache.get_or_lock(key="k", owner="a", hold=1000),
        limit.gcra(subject="u", limit=5, period=timedelta(hours=1), burst=5),
    )

    replies = surface.call_many(*calls)

    assert [reply.remaining for reply in (replies[0], replies[2])] == [4, 3]
    assert replies[1] == cache.GetOrLockFill()


def test_an_empty_batch_sends_nothing(caller: Caller, client: Any):
    own = caller.open_like(client)

    assert caller.run_many(own) == ()
    assert caller.run_many(own, atomic=True) == ()


@pytest.mark.parametrize("atomic", [False, True])
def test_the_order_is_kept(caller: Caller, client: Any, atomic: bool):
    own = caller.open_like(client)
    push = [sample("return redis.call('RPUSH', KEYS[1], ARGV[1])", b"%d" % n) for n in range(200)]

    assert caller.run_many(own, *push, atomic=atomic) == tuple(range(1, 201))
    assert client.lrange("{sample}", 0, -1) == [b"%d" % n for n in range(200)]


def test_a_batch_larger_than_a_write_keeps_its_order(caller: Caller, client: Any):
    own = caller.open_like(client)

    assert caller.run_many(own, *[incr()] * 700) == tuple(range(1, 701))


def test_a_script_is_loaded_once_and_nothing_is_asked(caller: Caller, client: Any):
    own = caller.open_like(client)
    client.config_resetstat()

    for _ in range(5):
        caller.run_many(own, *[incr()] * 10)

    stats = client.info("commandstats")
    assert stats["cmdstat_script|load"]["calls"] == 1
    assert stats["cmdstat_evalsha"]["calls"] == 50
    assert "cmdstat_script|exists" not in stats


@pytest.mark.parametrize("atomic", [False, True])
def test_a_flush_between_batches_is_healed(caller: Caller, client: Any, atomic: bool):
    own = caller.open_like(client)
    caller.run_many(own, incr(), incr(), atomic=atomic)

    client.script_flush()

    assert caller.run_many(own, incr(), incr(), atomic=atomic) == (3, 4)


def test_a_failing_call_stops_no_other_and_is_raised_at_the_end(caller: Caller, client: Any):
    own = caller.open_like(client)
    bad = sample("return redis.call('NOSUCH')")

    with pytest.raises(ScriptFault):
        caller.run_many(own, incr(), bad, incr())

    assert client.get("{sample}") == b"2"
    first, second, third = caller.run_many(own, incr(), bad, incr(), return_exceptions=True)
    assert (first, third) == (3, 4)
    assert isinstance(second, ScriptFault)


def test_a_failing_call_in_a_transaction_does_not_undo_the_others(caller: Caller, client: Any):
    own = caller.open_like(client)
    bad = sample("return redis.call('NOSUCH')")

    results = caller.run_many(own, incr(), bad, incr(), atomic=True, return_exceptions=True)

    assert (results[0], results[2]) == (1, 2)
    assert isinstance(results[1], ScriptFault)


@pytest.mark.parametrize("atomic", [False, True])
def test_lost_replies_of_never_are_unknown_and_run_once(
    caller: Caller, client: Any, proxy: Proxy, atomic: bool
):
    faulty = caller.open(proxy.url)
    caller.run_many(faulty, incr("never"))
    proxy.arm("drop_reply", shots=100)

    if atomic:
        with pytest.raises(OutcomeUnknown):
            caller.run_many(faulty, *[incr("never")] * 3, atomic=True)
    else:
        lost = caller.run_many(faulty, *[incr("never")] * 3, return_exceptions=True)
        assert [type(one) for one in lost] == [OutcomeUnknown] * 3

    assert proxy.met == 1
    assert client.get("{sample}") == b"4"


def test_no_other_command_comes_between_the_calls_of_a_transaction(client: Any, server: Any):
    torn = []

    def work() -> None:
        with redis.Redis.from_url(server.url) as own:
            for _ in range(100):
                first, second, third = run_many(own, incr(), incr(), incr(), atomic=True)
                if not first + 2 == second + 1 == third:
                    torn.append((first, second, third))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert torn == []
    assert client.get("{sample}") == b"1200"


def test_a_storm_of_flushes_leaks_no_noscript_and_runs_every_call_once(client: Any, server: Any):
    done = threading.Event()
    failed: list[BaseException] = []

    def work(atomic: bool) -> None:
        with redis.Redis.from_url(server.url) as own:
            try:
                for _ in range(60):
                    run_many(own, *[incr("never")] * 10, atomic=atomic, deadline=20)
            except BaseException as error:
                failed.append(error)

    def flush() -> None:
        with redis.Redis.from_url(server.url) as own:
            while not done.is_set():
                own.script_flush()

    workers = [threading.Thread(target=work, args=(atomic,)) for atomic in (False, True, False)]
    flusher = threading.Thread(target=flush)
    for thread in (flusher, *workers):
        thread.start()
    for thread in workers:
        thread.join()
    done.set()
    flusher.join()

    assert failed == []
    assert client.get("{sample}") == b"1800"


@pytest.fixture
def poor(client: Any, server: Any):
    """Make a client of a user with some rights."""
    opened: list[Any] = []

    def make(caller: Caller, *rights: str, keys: str = "*") -> Any:
        client.acl_setuser(
            "poor", enabled=True, nopass=True, reset=True, keys=[keys],
            commands=["+@connection", "+multi", "+exec", "+incr", *rights],
        )  # fmt: skip
        return caller.open_like(client, username="poor", password="x")

    yield make
    client.acl_deluser("poor")
    assert opened == []


def test_a_transaction_of_a_user_who_may_not_load_goes_by_eval(
    caller: Caller, client: Any, poor: Any
):
    own = poor(caller, "+evalsha", "+eval")

    assert caller.run_many(own, incr(), incr(), atomic=True) == (1, 2)


def test_a_transaction_that_cannot_bring_its_scripts_runs_nothing(
    caller: Caller, client: Any, poor: Any
):
    own = poor(caller, "+evalsha")

    with pytest.raises(ScriptNotDeployed):
        caller.run_many(own, incr(), incr(), atomic=True)

    assert client.dbsize() == 0


def test_a_transaction_with_a_forbidden_key_runs_nothing(caller: Caller, client: Any, poor: Any):
    own = poor(caller, "+evalsha", "+eval", "+script", keys="{sample}")
    allowed = incr()
    forbidden = Call(allowed.script, (b"{sample}:other",), (b"",), int)

    with pytest.raises(NotExecuted, match=r"NOPERM|permission"):
        caller.run_many(own, allowed, forbidden, atomic=True)

    assert client.dbsize() == 0


@pytest.mark.parametrize("call", [incr("safe", marker=b"x" * (MOST_BYTES // 2)), None])
def test_a_transaction_larger_than_a_write_is_refused_before_anything_is_sent(
    caller: Caller, client: Any, call: Any
):
    calls = [call] * 3 if call else [incr()] * (MOST_CALLS + 1)

    with pytest.raises(InvalidArgumentValue, match="a transaction is not split"):
        caller.run_many(caller.open_like(client), *calls, atomic=True)

    assert client.dbsize() == 0


def test_what_is_no_call_is_refused(caller: Caller, client: Any):
    with pytest.raises(InvalidArgumentType):
        caller.run_many(caller.open_like(client), limit.gcra)  # type: ignore[arg-type]


def test_the_tuple_is_typed(tmp_path: Path):
    program = tmp_path / "typed.py"
    program.write_text(
        "import redis\n"
        "from redislua.bindings import cache, limit\n"
        "from redislua.runtime import run_many\n"
        "client = redis.Redis()\n"
        "one = limit.gcra(subject='u', limit=1, period=1000, burst=1)\n"
        "two = cache.read(key='k')\n"
        "reveal_type(run_many(client, one, two))\n"
        "reveal_type(run_many(client, *[one, two]))\n"
    )

    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", str(program)],
        capture_output=True,
        text=True,
        check=False,
    )

    revealed = [line for line in done.stdout.split("\n") if "Revealed type" in line]
    assert "GcraAllowed" in revealed[0]
    assert "ReadHit" in revealed[0]
    assert "tuple[Any, ...]" in revealed[1]
