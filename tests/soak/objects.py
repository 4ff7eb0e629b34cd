"""Three shared objects: their scripts, what each may answer, and workers that use them.

Whether a script may be sent again after its reply was lost is not a matter of taste. Here
it follows from what a second execution answers, other callers having come in between:

* *incr*, *swap*, *release*: something else than the first would have. ``never``.
* *acquire*: the same, because the token that asks is new each time: the lock is still held
  by it, or it was not given and may be given now. ``safe``.
* *leave*: the same, because it never says whether the lock was held. ``safe``.
* *look*: what is there. ``safe``.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from redislua.errors import CallError
from redislua.runtime import Call
from tests.rig.crowd import PATIENT, Attempt
from tests.rig.history import Step, Steps
from tests.rig.linearizability import REFUSED, UNKNOWN, Model
from tests.runtime.samples import script

INCR = script("return redis.call('INCR', KEYS[1])")

LOOK = script(
    "return redis.call('GET', KEYS[1]) or ''",
    flags=" flags=no-writes",
    retry="safe",
)
SWAP = script(
    "if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end\n"
    "redis.call('SET', KEYS[1], ARGV[2])\n"
    "return 1"
)

ACQUIRE = script(
    "local holder = redis.call('HGET', KEYS[1], 'holder')\n"
    "if holder == ARGV[1] then return tonumber(redis.call('HGET', KEYS[1], 'fence')) end\n"
    "if holder then return 0 end\n"
    "redis.call('HSET', KEYS[1], 'holder', ARGV[1])\n"
    "return redis.call('HINCRBY', KEYS[1], 'fence', 1)",
    retry="safe",
)
RELEASE = script(
    "if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[1] then return 0 end\n"
    "return redis.call('HDEL', KEYS[1], 'holder')"
)
LEAVE = script(
    "if redis.call('HGET', KEYS[1], 'holder') == ARGV[1] then\n"
    "  redis.call('HDEL', KEYS[1], 'holder')\n"
    "end\n"
    "return 1",
    retry="safe",
)


@dataclass(frozen=True, slots=True)
class Subject:
    """One shared object.

    Attributes:
        name: For people.
        model: What it may answer.
        steps: ``steps(chance, name, key, length)`` is one worker's use of it.
    """

    name: str
    model: Model[Any]
    steps: Callable[[random.Random, str, bytes, int], Steps]

    def __str__(self) -> str:
        return self.name


def _attempt(chance: random.Random, *calls: Call[Any], atomic: bool = False) -> Attempt:
    """An attempt that is now and then given too little time, or cancelled."""
    hurry = chance.random()
    if hurry < 0.1:
        return Attempt(calls, atomic, deadline=chance.uniform(0.0005, 0.02))
    if hurry < 0.2:
        return Attempt(calls, atomic, cancel_after=chance.uniform(0, 0.005))
    return Attempt(calls, atomic)


# --- a counter --------------------------------------------------------------------------------


def _count(state: int, asked: Any, result: Any) -> Any:
    """``("incr", n)`` gives the numbers of n increments that nothing comes between."""
    following = tuple(range(state + 1, state + asked[1] + 1))
    return state + asked[1] if result in (UNKNOWN, following) else REFUSED


def _counting(chance: random.Random, name: str, key: bytes, length: int) -> Steps:
    incr = Call(INCR, (key,), (), decode=lambda reply: (int(reply),))
    plain = Call(INCR, (key,), (), decode=int)
    for _ in range(length):
        form, many = chance.random(), chance.randint(2, 4)
        if form < 0.7:
            yield Step((("incr", 1),), _attempt(chance, incr))
        elif form < 0.85:
            yield Step((("incr", 1),) * many, _attempt(chance, *[incr] * many))
        else:
            yield Step((("incr", many),), _attempt(chance, *[plain] * many, atomic=True))


COUNTER = Subject(
    "counter",
    Model(0, _count, missed=lambda state, _, result: result[0] <= state),
    _counting,
)


# --- a register with compare-and-set ----------------------------------------------------------


def _compare_and_set(state: bytes, asked: Any, result: Any) -> Any:
    if asked[0] == "look":
        return state if result in (UNKNOWN, state) else REFUSED
    swapped = state == asked[1]
    if result not in (UNKNOWN, int(swapped)):
        return REFUSED
    return asked[2] if swapped else state


def _swapping(chance: random.Random, name: str, key: bytes, length: int) -> Steps:
    value = b""
    for number in range(length):
        if number == 0 or chance.random() < 0.5:
            look = Call(LOOK, (key,), (), decode=bytes)
            (seen,) = yield Step((("look",),), _attempt(chance, look))
            value = seen if isinstance(seen, bytes) else value
        new = f"{name}.{number}".encode()
        swap = Call(SWAP, (key,), (value, new), decode=int)
        (swapped,) = yield Step((("swap", value, new),), _attempt(chance, swap))
        value = new if swapped == 1 else value


REGISTER = Subject(
    "register",
    Model(b"", _compare_and_set, lambda asked, result: asked[0] == "look" or result == 0),
    _swapping,
)


# --- a lock with fencing numbers --------------------------------------------------------------


def _hold(state: tuple[bytes, int], asked: Any, result: Any) -> Any:
    """The state is the holder, ``b""`` for none, and the number of the last one."""
    (holder, fence), (verb, token) = state, asked
    answer, after = 0, state
    if verb == "acquire" and holder in (b"", token):
        fence += not holder
        answer, after = fence, (token, fence)
    elif verb != "acquire":
        answer = int(verb == "leave" or holder == token)
        after = (b"", fence) if holder == token else state
    return after if result in (UNKNOWN, answer) else REFUSED


def _is_passed(state: tuple[bytes, int], asked: Any, result: Any) -> bool:
    """A fencing number given out to another, or given back, is given out no more."""
    (holder, fence), (verb, token) = state, asked
    return verb == "acquire" and 0 < result <= fence and (holder, fence) != (token, result)


def _locking(chance: random.Random, name: str, key: bytes, length: int) -> Steps:
    for number in range(length):
        token = f"{name}.{number}".encode()
        acquire = Call(ACQUIRE, (key,), (token,), decode=int)
        (fence,) = yield Step((("acquire", token),), _attempt(chance, acquire))
        if fence == 0:
            continue
        if chance.random() < 0.5:
            release = Call(RELEASE, (key,), (token,), decode=int)
            (released,) = yield Step((("release", token),), _attempt(chance, release))
            if released == 1:
                continue
        # A lock left behind would make the rest of the history dull.
        leave = Call(LEAVE, (key,), (token,), decode=int)
        for _ in range(3):
            (left,) = yield Step((("leave", token),), Attempt((leave,), deadline=PATIENT))
            if not isinstance(left, CallError):
                break


LOCK = Subject(
    "lock",
    Model(
        (b"", 0),
        _hold,
        observes=lambda asked, result: asked[0] != "leave" and result == 0,
        missed=_is_passed,
    ),
    _locking,
)

SUBJECTS = (COUNTER, REGISTER, LOCK)
