"""From every state that an example reaches: expiries, a full server, and a newer format.

The behaviour is that of one server, whatever way a call takes to it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
import redis

from redislua.errors import ServerTooOld
from redislua.probe.snapshot import snapshot
from redislua.runtime import run
from redislua.spec.model import Key, Script
from tests.catalogue.samples import operations, registry
from tests.catalogue.stage import ATTEMPTS, Stage, Step, ended_on, ending

each = pytest.mark.parametrize("script", registry().scripts, ids=lambda script: script.full_name)


def played(script: Script, client: redis.Redis, answer: Callable[[Step], Any]) -> int:
    """Play the script's examples, again where a short time was too short; the number of calls."""
    stage, calls = Stage(registry(), operations()), 0

    def counted(step: Step) -> Any:
        nonlocal calls
        calls += 1
        return answer(step)

    for example in script.examples:
        for attempt in range(ATTEMPTS):
            client.flushall()
            try:
                with contextlib.suppress(ServerTooOld):
                    stage.play(script, example, counted)
            except AssertionError:
                if attempt == ATTEMPTS - 1:
                    raise
            else:
                break
    return calls


# --- expiries --------------------------------------------------------------------------------


@each
def test_after_every_call_what_should_expire_does(script: Script, client: redis.Redis) -> None:
    """Every key of every call until then, and no key but these."""
    declared: dict[bytes, Key] = {}

    def look(step: Step) -> Any:
        declared.update({name: key for key, name in step.script.keys_of(step.call.keys)})
        ended = ended_on(client, step)
        left: Any = {name: client.pttl(name) for name in client.keys("*")}
        stay = {name for name, ms in left.items() if ms == -1}
        assert left.keys() <= declared.keys()
        assert not [name for name in stay if declared[name].expires], step.call
        return ended

    assert played(script, client, look) > 0


def test_a_key_expires_in_all_scripts_or_in_none() -> None:
    """Else what one leaves with an expiry another would leave without."""
    said: dict[str, set[bool]] = {}
    for script in registry().scripts:
        for key in script.keys:
            said.setdefault(str(key.pattern), set()).add(key.expires)

    assert {pattern for pattern, both in said.items() if len(both) > 1} == set()


# --- a full server ---------------------------------------------------------------------------


@contextlib.contextmanager
def full(client: redis.Redis) -> Any:
    """The server over its limit of memory, for a while."""
    client.config_set("maxmemory", 1)
    try:
        yield
    finally:
        client.config_set("maxmemory", 0)


@each
def test_a_full_server_refuses_a_call_before_it_writes_or_runs_it_to_its_end(
    script: Script, client: redis.Redis, make_full: Callable[[], None]
) -> None:
    """P30: as the shebang says, at every state that the examples reach."""
    make_full()  # the policy, and what is put right in the end
    client.config_set("maxmemory", 0)
    may = script.read_only or "allow-oom" in script.flags

    def look(step: Step) -> Any:
        if not step.own:
            return ended_on(client, step)
        if may:
            with full(client):
                return ended_on(client, step)
        before = snapshot(client)
        with full(client):
            refused = ending(step.call, lambda call: run(client, call))
        assert type(refused).__name__ == "OutOfMemory", refused
        assert snapshot(client) == before
        return ended_on(client, step)

    assert played(script, client, look) > 0


# --- two versions of a format ----------------------------------------------------------------


@each
def test_a_newer_format_is_refused_until_it_is_the_present_one_again(
    script: Script, client: redis.Redis
) -> None:
    """While a release is rolled out, and back: the old script waits, and then goes on.

    At every state that the examples reach; those that nothing is there at are made from nothing.
    """
    met = 0

    def look(step: Step) -> Any:
        nonlocal met
        for key, name in step.script.keys_of(step.call.keys) if step.own else []:
            state = step.script.state_of(key.name)
            if state is None or not client.exists(name) or step.expectation.error:
                continue
            met += 1
            present = client.hget(name, "v")
            assert present == b"%d" % state.number
            client.hset(name, "v", state.number + 1)
            before = snapshot(client)
            refused = ending(step.call, lambda call: run(client, call))
            assert type(refused).__name__ == "BadStateError", (step.call, refused)
            assert snapshot(client) == before
            client.hset(name, "v", state.number)
        return ended_on(client, step)

    played(script, client, look)

    assert met > 0 or not script.states or script.full_name in WITHOUT_NUMBER


WITHOUT_NUMBER = {"limit.reset"}
"""Scripts that meet states with a number, but in their examples one that carries none."""


def test_all_scripts_of_a_format_write_the_same_number() -> None:
    """A higher number comes with states of the one before, which are read and rewritten."""
    numbers: dict[str, set[int]] = {}
    for script in registry().scripts:
        for state in script.states:
            numbers.setdefault(state.format, set()).add(state.number)

    assert {name: found for name, found in numbers.items() if len(found) > 1} == {}
    grown = {name for name, found in numbers.items() if max(found) > 1}
    assert grown == set(OLDER), "give OLDER a test that shows such a state read and rewritten"


OLDER: dict[str, str] = {}
"""The test, by the format's name, that gives a state of its older number to the scripts."""
