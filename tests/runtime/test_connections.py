"""The pool of a client: bounded, closed with its client, and never shared by mistake."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import textwrap
import threading
import time
import uuid
import weakref
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.asyncio

import redislua
from redislua.errors import ServerUnreachable, UnsupportedClient
from redislua.runtime import arun, run
from redislua.runtime.connections import Pool, wire
from redislua.runtime.pools import async_pools, pools
from tests.runtime.callers import Caller
from tests.runtime.proxy import Proxy
from tests.runtime.samples import call, incr


class Counted:
    """Counts the connections of one client by a name that no other client has."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.name = f"redislua-{uuid.uuid4()}"

    def __len__(self) -> int:
        return sum(one["name"] == self.name for one in self._client.client_list())

    def wait_for(self, count: int) -> None:
        """Wait until the server has noticed; the limit only ends a test that would hang."""
        limit = time.monotonic() + 30
        while len(self) != count:
            assert time.monotonic() < limit
            time.sleep(0.005)


@pytest.fixture
def counted(client: Any) -> Counted:
    """A name for a client, and its connections."""
    return Counted(client)


def test_calls_one_after_another_share_a_connection(
    caller: Caller, client: Any, counted: Counted
) -> None:
    own = caller.open_like(client, client_name=counted.name)

    for _ in range(5):
        caller.run(own, incr())

    assert len(counted) == 1


def test_connections_never_retry(caller: Caller, client: Any) -> None:
    own = caller.open_like(client)
    assert own.connection_pool.connection_kwargs["retry"].get_retries() > 0

    caller.run(own, incr())

    assert idle(caller, own)[0].connection.retry.get_retries() == 0


def test_connections_ask_for_no_maintenance_notifications(
    caller: Caller, client: Any, proxy: Proxy
) -> None:
    proxy.arm("delay", pattern=b"MAINT_NOTIFICATIONS", shots=100)
    own = caller.open(proxy.url, protocol=3)

    caller.run(own, incr())

    assert proxy.met == 0
    asked = own.ping()
    if caller.is_async:
        caller.wait(asked)
    # The control: the client itself does ask (asyncio clients since redis-py 8.1).
    asks = not caller.is_async or redis.__version__ >= "8.1"
    assert proxy.met == int(asks)


def test_clients_share_nothing(caller: Caller, client: Any) -> None:
    pool = redis.ConnectionPool(**client.connection_pool.connection_kwargs)
    first, second = redis.Redis(connection_pool=pool), redis.Redis(connection_pool=pool)

    assert pools.of(first) is pools.of(first) is not pools.of(second)


def test_a_collected_client_leaves_no_connection(client: Any, counted: Counted) -> None:
    own: Any = redis.Redis(**address(client), client_name=counted.name)
    run(own, incr())
    counted.wait_for(1)
    gone, pool = weakref.ref(own), pools.of(own)
    assert isinstance(pool, Pool)

    del own
    gc.collect()

    assert gone() is None
    assert not pool.idle
    counted.wait_for(0)


def test_a_collected_asyncio_client_leaves_no_connection(client: Any, counted: Counted) -> None:
    async def use() -> None:
        own: Any = redis.asyncio.Redis(**address(client), client_name=counted.name)
        await arun(own, incr())
        gone = weakref.ref(own)
        del own
        gc.collect()
        assert gone() is None
        await asyncio.to_thread(counted.wait_for, 0)

    asyncio.run(use())


def test_an_asyncio_client_that_outlives_its_loop_leaves_no_connection(
    client: Any, counted: Counted
) -> None:
    own: Any = redis.asyncio.Redis(**address(client), client_name=counted.name)

    for count in range(1, 4):
        assert asyncio.run(arun(own, incr())) == count
        counted.wait_for(0)


def test_loops_in_two_threads_use_connections_of_their_own(client: Any) -> None:
    own: Any = redis.asyncio.Redis(**address(client), client_name=counted.name)
    both = threading.Barrier(2)
    replies: list[int] = []

    async def use() -> None:
        replies.append(await arun(own, incr()))
        await asyncio.to_thread(both.wait)
        replies.extend([await arun(own, incr()) for _ in range(50)])
        await asyncio.to_thread(both.wait)

    threads = [threading.Thread(target=asyncio.run, args=(use(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(replies) == list(range(1, 103))


def test_an_exhausted_pool_is_not_executed(client: Any, proxy: Proxy) -> None:
    own: Any = redis.Redis(host="127.0.0.1", port=proxy.port, max_connections=1)
    run(own, incr())
    proxy.arm("delay", amount=1.0)
    slow = threading.Thread(target=run, args=(own, incr()), kwargs={"deadline": 30})
    slow.start()
    while not proxy.met:
        time.sleep(0.001)

    with pytest.raises(ServerUnreachable, match="Too many connections"):
        run(own, incr(), deadline=0.1)
    assert run(own, incr(), deadline=30) == 3

    slow.join()
    own.close()


def test_failures_give_their_room_back(caller: Caller, client: Any, proxy: Proxy) -> None:
    own = caller.open(proxy.url, max_connections=1)
    caller.run(own, incr("safe"))

    for _ in range(3):
        proxy.arm("drop_reply")
        caller.run(own, incr("safe"), deadline=30)

    assert proxy.met == 3
    assert len(idle(caller, own)) == 1


def test_threads_cross_no_replies(client: Any) -> None:
    own: Any = redis.Redis(**address(client))
    replies: list[int] = []

    def use() -> None:
        replies.extend([run(own, incr(), deadline=30) for _ in range(100)])

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(replies) == list(range(1, 801))
    own.close()


def test_pending_bytes_are_never_taken_for_a_reply(caller: Caller, client: Any) -> None:
    own = caller.open_like(client, protocol=3)
    caller.run(own, incr())
    line = idle(caller, own)[0]
    # An invalidation message, pushed by the server, is what a connection can hold unasked.
    send(caller, line, ("CLIENT", "TRACKING", "ON", "BCAST"))
    client.set("anything", 1)
    time.sleep(0.05)

    assert caller.run(own, incr()) == 2
    assert idle(caller, own)[0] is not line


def test_a_client_that_asks_for_health_checks_gets_them(
    caller: Caller, client: Any, proxy: Proxy
) -> None:
    own = caller.open(proxy.url, health_check_interval=0.01)
    caller.run(own, incr("never"))
    time.sleep(0.05)
    proxy.arm("drop_reply", pattern=b"PING")

    assert caller.run(own, incr("never")) == 2
    assert proxy.met == 1


def test_a_child_process_leaves_its_parents_connection_alone(client: Any) -> None:
    script = f"""
        import os, redis
        from redislua.runtime import run
        from redislua.runtime.pools import pools
        from tests.runtime.samples import incr

        client = redis.Redis(**{address(client)!r})
        assert run(client, incr()) == 1
        line = pools.of(client).idle[0]
        child = os.fork()
        if child == 0:
            assert not pools.of(client).idle
            del line
            assert run(client, incr()) == 2
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert pools.of(client).idle[0] is line
        assert run(client, incr()) == 3
        assert pools.of(client).idle[0] is line
    """
    in_process(script)


def test_a_child_process_leaves_its_parents_event_loop_alone(client: Any) -> None:
    script = f"""
        import asyncio, gc, os, redis.asyncio
        from redislua.runtime import arun
        from redislua.runtime.pools import async_pools
        from tests.runtime.samples import incr

        client = redis.asyncio.Redis(**{address(client)!r})

        async def again():
            gc.collect()
            return await arun(client, incr())

        async def use():
            assert await arun(client, incr()) == 1
            line = async_pools.of(client)._lane
            child = os.fork()
            if child == 0:
                asyncio._set_running_loop(None)
                del line
                assert asyncio.run(again()) == 2
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
            assert await arun(client, incr()) == 3
            assert async_pools.of(client)._lane is line

        asyncio.run(use())
    """
    in_process(script)


def test_importing_the_runtime_brings_redis_py_and_nothing_else() -> None:
    in_process(
        """
        import sys
        import redis, redis.asyncio, hiredis
        before = set(sys.modules)
        import redislua.runtime
        brought = {name.partition(".")[0] for name in set(sys.modules) - before}
        assert "redislua" in brought
        foreign = brought - {"redis", "redislua"} - set(sys.stdlib_module_names)
        assert not foreign, foreign
        """
    )


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda client: redis.asyncio.Redis(**address(client)), r"arun\(\)"),
        (lambda client: client.pipeline(), "pipeline"),
        (lambda _: object(), "not a client"),
        (lambda _: object.__new__(redis.RedisCluster), "not yet made"),
    ],
    ids=["asyncio", "pipeline", "object", "cluster"],
)
def test_run_refuses_what_it_cannot_use(client: Any, make: Any, says: str) -> None:
    with pytest.raises(UnsupportedClient, match=says):
        run(make(client), incr())


def test_arun_refuses_a_blocking_client(client: Any) -> None:
    with pytest.raises(UnsupportedClient, match=r"use run\(\)"):
        asyncio.run(arun(client, incr()))


def test_a_read_only_call_is_like_any_other(client: Any) -> None:
    assert run(client, call("return redis.call('TTL', KEYS[1])", flags=" flags=no-writes")) == -2


def address(client: Any) -> dict[str, Any]:
    """How to connect to the server of a client."""
    pool = client.connection_pool.connection_kwargs
    if "path" in pool:
        return {"unix_socket_path": pool["path"]}
    return {"host": pool["host"], "port": pool["port"]}


def idle(caller: Caller, client: Any) -> list[Any]:
    """The idle connections of a client's pool, the shared one included."""
    if not caller.is_async:
        pool: Any = pools.of(client)
        return list(pool.idle)

    async def look() -> list[Any]:
        pool: Any = async_pools.of(client)
        return [*pool.idle, *([pool._lane] if pool._lane else [])]

    return caller.wait(look())


def send(caller: Caller, line: Any, command: tuple[str, ...]) -> None:
    """Send a command on an idle connection and read its reply, behind the pool's back."""
    until = time.monotonic() + 30
    if not caller.is_async:
        line.write(line.pack([command]), until)
        assert line.read(1, until) == [b"OK"]
        return

    async def do() -> None:
        assert await line.submit(wire.pack([command]), 1, until) == b"OK"

    caller.wait(do())


def in_process(script: str) -> None:
    """Run a script in a Python of its own, with warnings as errors."""
    root = Path(redislua.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script)],
        env={"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
