"""Classes bound to a client, warming, and what the type checker says of them."""

from __future__ import annotations

import asyncio
import textwrap
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import redis
import redis.asyncio

import redislua
from redislua.errors import (
    AccessDenied,
    InvalidArgumentType,
    InvalidArgumentValue,
    OutcomeUnknown,
    ScriptFault,
    UnsupportedClient,
)
from redislua.runtime import AsyncBindings, Bindings, Call
from redislua.server import Server
from tests.runtime.callers import Caller
from tests.runtime.proxy import Proxy
from tests.runtime.samples import incr, script


class Counter(Bindings):
    """What the generator makes of a family, in short."""

    def incr(self, *, deadline: timedelta | float | None = None) -> int:
        return self._run(_call(self._namespace), deadline)


class AsyncCounter(AsyncBindings):
    """The same for asyncio clients."""

    async def incr(self, *, deadline: timedelta | float | None = None) -> int:
        return await self._run(_call(self._namespace), deadline)


def _call(namespace: str) -> Call[int]:
    made = incr()
    return Call(made.script, (f"{namespace}:{{sample}}".encode(),), made.args, made.decode)


def test_a_bound_class_runs_calls_in_its_namespace(client: Any) -> None:
    counter = Counter(client, namespace="shop")

    assert [counter.incr(), counter.incr(deadline=timedelta(seconds=1))] == [1, 2]
    assert int(client.get("shop:{sample}")) == 2


def test_a_bound_asyncio_class_runs_calls_in_its_namespace(
    client: Any, runner: asyncio.Runner
) -> None:
    caller = Caller(is_async=True, runner=runner)
    counter = AsyncCounter(caller.open_like(client), namespace="shop")

    assert [runner.run(counter.incr()), runner.run(counter.incr(deadline=1))] == [1, 2]
    assert int(client.get("shop:{sample}")) == 2
    caller.close()


@pytest.mark.parametrize("own", [None, 0.3])
def test_the_deadline_of_the_call_goes_before_that_of_the_class(
    client: Any, proxy: Proxy, own: float | None
) -> None:
    with redis.Redis(host="127.0.0.1", port=proxy.port) as faulty:
        counter = Counter(faulty, deadline=0.3 if own is None else 3600)
        counter.incr(deadline=30)
        proxy.arm("blackhole")

        with pytest.raises(OutcomeUnknown):
            counter.incr(deadline=own)


@pytest.mark.parametrize("kind", [Counter, AsyncCounter])
@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"namespace": "a b"}, InvalidArgumentValue, "namespace="),
        ({"namespace": None}, InvalidArgumentType, "namespace="),
        ({"deadline": 0}, InvalidArgumentValue, "deadline="),
        ({"deadline": "2s"}, InvalidArgumentType, "deadline="),
    ],
)
def test_bad_settings_are_refused_at_construction(
    kind: Any, options: dict[str, Any], error: type[Exception], says: str
) -> None:
    client = redis.Redis() if kind is Counter else redis.asyncio.Redis()

    with pytest.raises(error, match=f"{kind.__name__}: {says}"):
        kind(client, **options)


def test_a_client_of_the_other_kind_is_refused_at_construction() -> None:
    wrong_for: list[tuple[Any, Any]] = [
        (Counter, redis.asyncio.Redis()),
        (AsyncCounter, redis.Redis()),
    ]

    for kind, client in wrong_for:
        with pytest.raises(UnsupportedClient):
            kind(client)


# --- warm ------------------------------------------------------------------------------------


FIRST = SimpleNamespace(SCRIPTS=(script("return 1"), script("return 2")))
SECOND = SimpleNamespace(SCRIPTS=(script("return 3"),))


def test_warm_loads_every_script_of_every_module(caller: Caller, client: Any) -> None:
    own = caller.open_like(client)

    digests = caller.warm(own, FIRST, SECOND)

    assert digests == [one.sha1 for one in (*FIRST.SCRIPTS, *SECOND.SCRIPTS)]
    assert client.script_exists(*digests) == [True, True, True]


def test_warm_is_one_write(caller: Caller, client: Any, proxy: Proxy) -> None:
    own = caller.open(proxy.url)
    proxy.arm("delay", pattern=b"LOAD", shots=100)

    caller.warm(own, FIRST, SECOND)

    assert proxy.met == 1


def test_warm_of_nothing_loads_nothing(caller: Caller, client: Any) -> None:
    assert caller.warm(caller.open_like(client)) == []


def test_warm_survives_a_lost_reply(caller: Caller, client: Any, proxy: Proxy) -> None:
    own = caller.open(proxy.url)
    proxy.arm("drop_reply", pattern=b"LOAD")

    assert len(caller.warm(own, FIRST)) == 2
    assert proxy.met == 1


def test_warm_says_when_loading_is_not_permitted(caller: Caller, private: Server) -> None:
    with redis.Redis.from_url(private.url) as admin:
        admin.execute_command("ACL SETUSER app on >secret ~* +@all -script|load")
    own = caller.open(private.url, username="app", password="secret")

    with pytest.raises(AccessDenied):
        caller.warm(own, FIRST)


def test_warm_says_which_script_does_not_compile(caller: Caller, client: Any) -> None:
    broken = SimpleNamespace(SCRIPTS=(script("return 1"), script("\nlocal = 3")))

    with pytest.raises(ScriptFault, match="Error compiling") as raised:
        caller.warm(caller.open_like(client), broken)
    assert raised.value.line == 3


@pytest.mark.parametrize("deadline", [0, -1])
def test_warm_refuses_a_bad_deadline(caller: Caller, client: Any, deadline: float) -> None:
    with pytest.raises(InvalidArgumentValue, match="warm: deadline="):
        caller.warm(caller.open_like(client), FIRST, deadline=deadline)


# --- the type checker ------------------------------------------------------------------------


SOURCE = """\
import redis
import redis.asyncio
import valkey
import valkey.asyncio
from redislua.runtime import AsyncBindings, Bindings, Call, arun, awarm, run, warm
from typing_extensions import assert_type

def fits(call: Call[int], script_module: object) -> None:
    assert_type(run(redis.Redis(), call), int)
    run(redis.RedisCluster(), call)
    run(valkey.Valkey(), call)
    Bindings(redis.Redis())
    AsyncBindings(redis.asyncio.Redis())

async def fits_too(call: Call[int]) -> None:
    assert_type(await arun(redis.asyncio.Redis(), call), int)
    await arun(redis.asyncio.RedisCluster(), call)
    await arun(valkey.asyncio.Valkey(), call)

async def does_not(call: Call[int]) -> None:
    run(redis.asyncio.Redis(), call)
    run(redis.asyncio.RedisCluster(), call)
    run(valkey.asyncio.Valkey(), call)
    await arun(redis.Redis(), call)
    await arun(redis.RedisCluster(), call)
    await arun(valkey.Valkey(), call)
    Bindings(redis.asyncio.Redis())
    AsyncBindings(redis.Redis())
    warm(redis.asyncio.Redis())
    await awarm(redis.Redis())
    warm(redis.Redis(), redis)
"""


def test_mypy_refuses_a_client_of_the_other_kind(tmp_path: Path) -> None:
    api = pytest.importorskip("mypy.api")
    file = tmp_path / "uses.py"
    file.write_text(textwrap.dedent(SOURCE))
    root = Path(redislua.__file__).parents[1]

    out, err, _ = api.run(
        [
            str(file),
            f"--config-file={root / 'pyproject.toml'}",
            f"--cache-dir={tmp_path / 'cache'}",
            "--follow-imports=silent",
            "--no-pretty",
            "--hide-error-context",
        ]
    )

    lines = SOURCE.splitlines()
    wrong = lines.index("async def does_not(call: Call[int]) -> None:") + 1
    errors = [line for line in out.splitlines() if ": error:" in line]
    places = sorted({int(line.rsplit("uses.py:", 1)[1].split(":")[0]) for line in errors})
    assert err == ""
    assert places == list(range(wrong + 1, len(lines) + 1)), out
    assert all("[arg-type]" in line for line in errors), out
