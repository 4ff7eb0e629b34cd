"""From every state that an example reaches: expiries, a full server, and a newer format.

The behaviour is that of one server, whatever way a call takes to it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import redis

from redislua.codegen.load import load_operations
from redislua.errors import ServerTooOld
from redislua.probe.snapshot import snapshot
from redislua.runtime import run
from redislua.spec.model import Key, Script
from redislua.spec.registry import from_sources
from tests.catalogue.samples import ROOT, operations, registry
from tests.catalogue.stage import ATTEMPTS, Stage, Step, ended_on, ending

each = pytest.mark.parametrize("script", registry().scripts, ids=lambda script: script.full_name)


@cache
def catalogue() -> Stage:
    return Stage(registry(), operations())


def played(stage: Stage, script: Script, client: redis.Redis, answer: Callable[[Step], Any]) -> int:
    """Play the script's examples, again where a short time was too short; the number of calls."""
    calls = 0

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


def see_expiries(stage: Stage, script: Script, client: redis.Redis) -> int:
    """Look at every key after each call; the number of calls."""
    declared: dict[bytes, Key] = {}

    def look(step: Step) -> Any:
        declared.update({name: key for key, name in step.script.keys_of(step.call.keys)})
        ended = ended_on(client, step)
        left: Any = {name: client.pttl(name) for name in client.keys("*")}
        stay = {name for name, ms in left.items() if ms == -1}
        assert left.keys() <= declared.keys()
        assert not [name for name in stay if declared[name].expires], step.call
        return ended

    return played(stage, script, client, look)


@each
def test_after_every_call_what_should_expire_does(script: Script, client: redis.Redis) -> None:
    """Every key of every call until then, and no key but these."""
    assert see_expiries(catalogue(), script, client) > 0


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


def see_full(stage: Stage, script: Script, client: redis.Redis, *, may: bool) -> int:
    """Make each call on a full server: one that may run does, no other writes; how many calls."""

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

    return played(stage, script, client, look)


@pytest.fixture
def small(client: redis.Redis, make_full: Callable[[], None]) -> redis.Redis:
    """A server that evicts nothing and may be made full."""
    make_full()  # the policy, and what is put right in the end
    client.config_set("maxmemory", 0)
    return client


@each
def test_a_full_server_refuses_a_call_before_it_writes_or_runs_it_to_its_end(
    script: Script, small: redis.Redis
) -> None:
    """P30: as the shebang says, at every state that the examples reach."""
    may = script.read_only or "allow-oom" in script.flags
    assert see_full(catalogue(), script, small, may=may) > 0


# --- two versions of a format ----------------------------------------------------------------


def see_newer(stage: Stage, script: Script, client: redis.Redis) -> int:
    """Make each call on a state of a newer format, and then as it was; how many there were."""
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

    played(stage, script, client, look)
    return met


@each
def test_a_newer_format_is_refused_until_it_is_the_present_one_again(
    script: Script, client: redis.Redis
) -> None:
    """While a release is rolled out, and back: the old script waits, and then goes on.

    At every state that the examples reach; those that nothing is there at are made from nothing.
    """
    met = see_newer(catalogue(), script, client)
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


# --- the checks can fail ---------------------------------------------------------------------

MARK = """#!lua
--- Set a mark.
--
-- It is there for a minute.
--
-- @version 1.0.0
-- @key     mark       mark:{<name>}:mark hash expires
-- @returns Set        marks:int
-- @error   BadState   The key holds a state that this version does not understand.
-- @state   mark sample-mark/1
-- @retry   safe
-- @budget  calls<=3 growth=1
-- @example one
--   mark name=a -> Set marks=1
--   mark name=a -> Set marks=1

local mark = KEYS[1]

local format = redis.call('HGET', mark, 'v')
if format and format ~= '1' then
  return redis.error_reply('RLUA_BAD_STATE the mark is not in format 1')
end
redis.call('HSET', mark, 'v', '1')
redis.call('PEXPIRE', mark, 60000)
return {'Set', 1}
"""


def sample(client: redis.Redis, **changed: str) -> tuple[Stage, Script]:
    """The mark with some of its text changed, as a catalogue of its own."""
    text = MARK
    for part, new in changed.items():
        assert PARTS[part] in text
        text = text.replace(PARTS[part], new)
    found = from_sources({"sample/mark.v1.lua": text.encode()}, root=ROOT / "scripts")
    client.script_load(text)
    (script,) = found.scripts
    return Stage(found, load_operations(found)), script


PARTS = {
    "expiry": "redis.call('PEXPIRE', mark, 60000)\n",
    "asked": "format ~= '1'",
}


def test_the_sample_is_right_as_it_is(small: redis.Redis) -> None:
    stage, script = sample(small)

    assert see_expiries(stage, script, small) == 2
    assert see_full(stage, script, small, may=False) == 2
    assert see_newer(stage, script, small) == 1


def test_a_key_that_stays_is_found(client: redis.Redis) -> None:
    stage, script = sample(client, expiry="")

    with pytest.raises(AssertionError):
        see_expiries(stage, script, client)


def test_a_key_that_no_header_names_is_found(client: redis.Redis) -> None:
    stray = PARTS["expiry"] + "redis.call('SET', mark .. ':more', '1', 'PX', 60000)\n"
    stage, script = sample(client, expiry=stray)

    with pytest.raises(AssertionError):
        see_expiries(stage, script, client)


def test_a_call_that_a_full_server_refuses_and_should_not_is_found(small: redis.Redis) -> None:
    stage, script = sample(small)

    with pytest.raises(AssertionError, match="OutOfMemory"):
        see_full(stage, script, small, may=True)


def test_a_call_that_a_full_server_runs_and_should_not_is_found(small: redis.Redis) -> None:
    script = registry().find("lock.release")
    assert script is not None

    with pytest.raises(AssertionError):
        see_full(catalogue(), script, small, may=False)


def test_a_script_that_overwrites_a_newer_format_is_found(client: redis.Redis) -> None:
    stage, script = sample(client, asked="format == 'none'")

    with pytest.raises(AssertionError):
        see_newer(stage, script, client)
