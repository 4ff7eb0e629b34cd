"""Every operation of the catalogue, from the states of its examples, with its replies lost.

A reply is lost after the script has run. What the catalogue holds then is what exactly one run
leaves; where a header says ``conservative`` it may be what two leave.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
import redis

from redislua.codegen.load import load_operations
from redislua.errors import OutcomeUnknown, ServerTooOld
from redislua.runtime import run, trouble, warm
from redislua.server import Cluster
from redislua.spec.model import Script
from redislua.spec.notation import Example
from redislua.spec.registry import from_sources
from tests.catalogue.samples import ROOT, operations, registry
from tests.catalogue.stage import ATTEMPTS, Picture, Stage, Step, alike, ended_on, ending, picture
from tests.runtime.callers import Caller
from tests.runtime.proxy import Proxy
from tests.surfaces import seeds

each = pytest.mark.parametrize("script", registry().scripts, ids=lambda script: script.full_name)


@cache
def catalogue() -> Stage:
    return Stage(registry(), operations())


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send again at once: how long a client waits is not what is tried here."""
    monkeypatch.setattr(trouble, "LEAST_PAUSE", 0.0)
    monkeypatch.setattr(trouble, "MOST_PAUSE", 0.0)


@dataclass(frozen=True)
class Network:
    """Servers, and a client of them whose replies may be lost.

    Attributes:
        nodes: Clients of each, as it is.
        direct: A client of all, as it is.
        proxies: What lies before each.
        call: Runs a call through them.
    """

    nodes: tuple[Any, ...]
    direct: Any
    proxies: tuple[Proxy, ...]
    call: Callable[[Any], Any]

    def lost(self, step: Step) -> Any:
        """How a call ends whose reply is lost after it ran."""
        met = sum(proxy.met for proxy in self.proxies)
        for proxy in self.proxies:
            proxy.arm("drop_reply")
        ended = ending(step.call, self.call)
        for proxy in self.proxies:
            proxy.calm()
        assert sum(proxy.met for proxy in self.proxies) == met + 1
        return ended

    def began(self) -> float:
        """Empty everything but the scripts, and return the time."""
        for node in self.nodes:
            node.flushall()
        seconds, micros = self.nodes[0].time()
        return float(seconds + micros / 1_000_000)


def left(
    stage: Stage, network: Network, script: Script, example: Example, answer: Callable[[Step], Any]
) -> list[Picture]:
    """What is there after each of the script's own calls."""
    began = network.began()
    pictures: list[Picture] = []

    def answered(step: Step) -> Any:
        if not step.own:
            return ended_on(network.direct, step)
        ended = answer(step)
        pictures.append(picture(network.nodes, began))
        return ended

    stage.play(script, example, answered)
    return pictures


def trial(stage: Stage, network: Network, script: Script, examples: Iterable[Example]) -> None:
    """Play examples with the reply of each of the script's own calls lost."""
    for example in examples:
        with contextlib.suppress(ServerTooOld):
            for attempt in range(ATTEMPTS):
                try:
                    _trial(stage, network, script, example)
                except AssertionError:
                    if attempt == ATTEMPTS - 1:
                        raise
                else:
                    break


def _trial(stage: Stage, network: Network, script: Script, example: Example) -> None:
    def lost(step: Step) -> Any:
        ended = network.lost(step)
        if step.script.retry == "never":
            assert type(ended) is OutcomeUnknown
        else:
            failed = isinstance(ended, Exception)
            assert failed == bool(step.expectation.error), ended
            assert not failed or not step.problem(ended), step.problem(ended)
        return ended

    def twice(step: Step) -> Any:
        ended = ending(step.call, lambda call: run(network.direct, call))
        ending(step.call, lambda call: run(network.direct, call))
        return ended

    once = left(stage, network, script, example, lambda step: ended_on(network.direct, step))
    found = left(stage, network, script, example, lost)
    # A call whose outcome is unknown may be what a later line refers to: the end of the trial.
    assert found
    same = alike(found, once)
    if not same and script.retry == "conservative":
        doubled = left(stage, network, script, example, twice)
        same = alike(found, doubled, share=0.01)
    assert same, f"{script.full_name}: {example.title}: {found} is not {once}"


# --- where it is played ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def scripts_loaded() -> Callable[[redis.Redis], None]:
    """Bring every script to a server: what is to be lost is a reply, and not NOSCRIPT."""
    scripts = [operation.script for operation in operations().values()]

    class Everything:
        SCRIPTS = tuple(scripts)

    def load(node: redis.Redis) -> None:
        warm(node, Everything, deadline=60)

    return load


@pytest.fixture(params=["blocking", "asyncio"])
def network(
    request: pytest.FixtureRequest,
    client: redis.Redis,
    proxy: Proxy,
    runner: asyncio.Runner,
    scripts_loaded: Callable[[redis.Redis], None],
) -> Iterator[Network]:
    """One server."""
    scripts_loaded(client)
    caller = Caller(is_async=request.param == "asyncio", runner=runner)
    ours = caller.open(proxy.url)
    yield Network((client,), client, (proxy,), lambda call: caller.run(ours, call))
    caller.close()


@pytest.fixture
def nodes(
    bare_cluster: Cluster, scripts_loaded: Callable[[redis.Redis], None]
) -> Iterator[Network]:
    """A cluster of three nodes, each behind a faulty network."""
    with contextlib.ExitStack() as stack:
        admins = tuple(
            stack.enter_context(redis.Redis(host, port)) for host, port in bare_cluster.addresses
        )
        proxies = {one: stack.enter_context(Proxy(*one)) for one in bare_cluster.addresses}
        for node in admins:
            scripts_loaded(node)
        known = seeds(bare_cluster.addresses)
        direct = stack.enter_context(redis.RedisCluster(startup_nodes=known))
        ours = stack.enter_context(
            redis.RedisCluster(
                startup_nodes=known,
                address_remap=lambda one: (
                    ("127.0.0.1", proxies[one].port) if one in proxies else one
                ),
            )
        )
        yield Network(admins, direct, tuple(proxies.values()), lambda call: run(ours, call))


@each
def test_a_lost_reply_does_what_the_header_says(script: Script, network: Network) -> None:
    """P26 and P27, for every operation."""
    trial(catalogue(), network, script, script.examples)


@each
def test_a_lost_reply_on_a_cluster_does_what_the_header_says(
    script: Script, nodes: Network
) -> None:
    trial(catalogue(), nodes, script, script.examples)


def test_those_that_a_repeat_may_count_twice_say_so() -> None:
    for script in registry().scripts:
        if script.retry != "safe":
            said = f"{script.summary} {script.description}".replace("\n", " ")
            assert any(word in said for word in ("resen", "twice", "again", "repeat")), script.file


def test_what_is_about_to_run_out_is_compared_in_neither_run() -> None:
    def kept(text: bytes, seconds: float) -> tuple[Any, ...]:
        return (text, ()), (b"expires", (seconds,))

    stays: Picture = {b"a": kept(b"x", 60.0)}
    brief: Picture = {**stays, b"b": kept(b"y", 0.05)}
    lasting: Picture = {**stays, b"b": kept(b"y", 5.0)}

    assert alike([brief], [stays])
    assert alike([stays], [brief])
    assert not alike([lasting], [stays])
    assert not alike([lasting], [{**stays, b"b": kept(b"z", 5.0)}])


# --- the trial can fail ----------------------------------------------------------------------

COUNTING = b"""#!lua
--- Count how often it runs.
--
-- A run more is one more.
--
-- @version 1.0.0
-- @key     counter    counter:{<name>} string
-- @returns Counted    runs:int
-- @retry   RETRY
-- @budget  calls<=1 growth=1
-- @example one
--   count name=a -> Counted runs=1
-- @example two
--   count name=a -> Counted runs=1
--   count name=a -> Counted runs=2

local counter = KEYS[1]

return {'Counted', redis.call('INCR', counter)}
"""


@pytest.mark.parametrize("retry", ["safe", "never", "conservative"])
def test_what_runs_twice_and_is_called_safe_is_found(
    retry: str, network: Network, client: redis.Redis
) -> None:
    """The negative control: right it is only as what it is."""
    source = COUNTING.replace(b"RETRY", retry.encode())
    wrong = from_sources({"sample/count.v1.lua": source}, root=ROOT / "scripts")
    stage = Stage(wrong, load_operations(wrong))
    client.script_load(source)
    (script,) = wrong.scripts

    if retry == "safe":
        with pytest.raises(AssertionError, match=r"sample\.count: one"):
            trial(stage, network, script, script.examples)
    else:
        trial(stage, network, script, script.examples)
