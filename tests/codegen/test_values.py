"""Calls and replies as values: what they are equal to, and that nobody changes them."""

from __future__ import annotations

import copy
import dataclasses
import gc
import inspect
import itertools
import pickle
import weakref
from datetime import timedelta
from enum import IntEnum, StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redislua.codegen.names import names_of
from redislua.errors import InvalidArgumentType, InvalidArgumentValue
from redislua.runtime import Call
from redislua.runtime.encode import REMEMBERED
from tests.codegen.kitchen import generated, kitchen

SECOND = timedelta(seconds=1)
GOOD: dict[str, Any] = {
    "room": "a",
    "page": "1",
    "owner": "me",
    "whole": 1,
    "text": "",
    "blob": b"",
}
FLAG, TICK, PAUSE, HOURS, MODE = range(6, 11)


def echo(**settings: Any) -> Call[Any]:
    call: Call[Any] = kitchen.echo(**GOOD, token="t", **settings)
    return call


# --- calls -----------------------------------------------------------------------------------


def test_calls_of_the_same_arguments_are_equal_and_hash_alike():
    assert echo(pause=5) == echo(pause=timedelta(milliseconds=5)) != echo(pause=6)
    assert len({echo(pause=5), echo(pause=5), echo(pause=6)}) == 2


def test_a_call_is_made_by_position_or_by_keyword():
    made = echo()

    assert Call(made.script, made.keys, made.args, made.decode) == made
    assert (
        Call(script=made.script, keys=made.keys, args=made.args, decode=made.decode, channels=())
        == made
    )
    assert dataclasses.replace(made, keys=(b"k",)).keys == (b"k",)


def test_a_call_is_no_sequence():
    with pytest.raises(TypeError):
        _first, *_rest = echo()  # type: ignore[misc]  # that is the point


@pytest.mark.parametrize(
    ("registry", "script", "module"), [pytest.param(*one, id=one[1].file) for one in generated()]
)
@given(
    namespace=st.sampled_from(["", "shop", "a:b"]), text=st.text("ab:/é ", min_size=1, max_size=8)
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_call_has_the_keys_and_channels_that_are_named_for_plain_commands(
    registry, script, module, namespace, text
):
    names = names_of(registry, script)
    placed = dict.fromkeys(script.placeholders, text)
    if script.spread:
        placed[script.spread] = [text, "other"]
    given_ = {**placed, "namespace": namespace}
    arguments = {arg.name: sample(arg) for arg in script.args if arg.default is None}
    for group in script.groups:
        row = getattr(module, names.argument_row(group))
        arguments[group.name] = [row(*(sample(column) for column in group.columns))]

    call = getattr(module, names.function)(**arguments, **given_)

    assert call.keys == flat(named(getattr(module, names.keys_function), given_))
    if script.channels:
        assert call.channels == flat(named(getattr(module, names.channels_function), given_))


def named(function: Any, given: dict[str, Any]) -> Any:
    """Call a function with those of the arguments that it takes."""
    return function(**{name: given[name] for name in inspect.signature(function).parameters})


def flat(names: Any) -> tuple[bytes, ...]:
    """The names of keys or channels, those of a variadic key in their place."""
    values = [getattr(names, field.name) for field in dataclasses.fields(names)]
    return tuple(
        itertools.chain(*(value if isinstance(value, tuple) else (value,) for value in values))
    )


def sample(arg: Any) -> Any:
    """A value that the argument's header admits."""
    if arg.type.kind == "enum":
        return arg.type.choices[0]
    if arg.type.kind in ("str", "owner"):
        return "x"
    if arg.type.kind == "bool":
        return True
    return b"x" if arg.type.kind == "bytes" else 1000 if arg.type.is_duration else 1


# --- settings --------------------------------------------------------------------------------


class Many(IntEnum):
    FIVE = 5


class Word(StrEnum):
    ONE = "one"


def test_equal_settings_of_other_types_are_judged_by_their_own_type():
    assert echo(flag=True).args[FLAG] == b"1"
    assert echo(pause=1).args[PAUSE] == b"1"
    for name, wrong in [("flag", 1), ("flag", 1.0), ("pause", True), ("pause", 1.0)]:
        with pytest.raises(InvalidArgumentType):
            echo(**{name: wrong})


def test_subclasses_of_a_settings_type_are_encoded_as_it_is():
    assert echo(pause=Many.FIVE, mode=Word.ONE).args[PAUSE : MODE + 1] == (b"5", b"3600", b"one")
    assert echo(pause=5, mode="one").args == echo(pause=Many.FIVE, mode=Word.ONE).args


@pytest.mark.parametrize("wrong", [[1], {"a": 1}, {1}, bytearray(b"1")])
@pytest.mark.parametrize("parameter", ["flag", "tick", "pause", "hours", "mode"])
def test_an_unhashable_setting_is_refused_by_its_parameters_name(parameter, wrong):
    with pytest.raises(InvalidArgumentType) as caught:
        echo(**{parameter: wrong})

    assert (caught.value.parameter, caught.value.value) == (parameter, wrong)
    assert caught.value.__context__ is None


def test_what_was_refused_once_is_refused_again():
    for _ in range(3):
        with pytest.raises(InvalidArgumentValue) as caught:
            echo(pause=5001)
        assert caught.value.parameter == "pause"


def test_settings_are_right_however_many_there_are():
    for _ in range(2):
        for tick in range(3 * REMEMBERED):
            assert echo(tick=tick, flag=tick % 2 == 0).args[FLAG:PAUSE] == (
                b"%d" % (tick % 2 == 0),
                b"%d" % tick,
            )


class Span(timedelta):
    """A duration that tells when nobody holds it any more."""


def test_the_memory_of_settings_is_bounded():
    spans = weakref.WeakSet[Span]()
    for count in range(3 * REMEMBERED):
        span = Span(microseconds=count)
        spans.add(span)
        echo(tick=span)
    del span
    gc.collect()

    assert len(spans) == REMEMBERED


# --- replies ---------------------------------------------------------------------------------

REPLIES = [
    kitchen.EchoGaps("w", None, 0, 0.5, False, SECOND, "two"),
    kitchen.RowsRows(2, (kitchen.RowsRowsRow("cup", 2),)),
    kitchen.RingRung(count=1),
]


@pytest.mark.parametrize("reply", REPLIES, ids=lambda reply: type(reply).__name__)
def test_a_reply_is_a_frozen_dataclass_with_slots(reply):
    kind: Any = type(reply)
    names = [field.name for field in dataclasses.fields(reply)]
    values = {name: getattr(reply, name) for name in names}
    twin: Any = dataclasses.make_dataclass(
        kind.__name__, list(kind.__annotations__.items()), frozen=True, slots=True
    )

    assert kind(**values) == kind(*values.values()) == dataclasses.replace(reply) == reply
    assert hash(kind(**values)) == hash(reply) == hash(twin(**values))
    assert repr(reply) == repr(twin(**values)).replace(f"{twin.__qualname__}(", f"{kind.__name__}(")
    assert inspect.signature(kind) == inspect.signature(twin)
    assert (kind.__match_args__, kind.__slots__) == (twin.__match_args__, twin.__slots__)
    assert not hasattr(reply, "__dict__")


@pytest.mark.parametrize("reply", REPLIES, ids=lambda reply: type(reply).__name__)
def test_a_reply_can_be_copied_and_pickled(reply):
    for twin in (copy.copy(reply), copy.deepcopy(reply), pickle.loads(pickle.dumps(reply))):  # noqa: S301
        assert (twin, type(twin)) == (reply, type(reply))


@pytest.mark.parametrize("reply", REPLIES, ids=lambda reply: type(reply).__name__)
def test_nobody_changes_a_reply(reply):
    for name in (*(field.name for field in dataclasses.fields(reply)), "other"):
        with pytest.raises((dataclasses.FrozenInstanceError, TypeError)):
            setattr(reply, name, 1)
        with pytest.raises((dataclasses.FrozenInstanceError, TypeError)):
            delattr(reply, name)


@pytest.mark.parametrize("values", [{}, {"count": 1, "other": 2}, {"other": 1}])
def test_a_reply_takes_its_fields_and_nothing_else(values):
    with pytest.raises(TypeError, match="__init__"):
        kitchen.RingRung(**values)


def test_a_reply_without_fields_is_equal_to_every_other():
    from redislua.bindings import cache

    assert cache.GetOrLockFill() == cache.GetOrLockFill()
    assert repr(cache.GetOrLockFill()) == "GetOrLockFill()"
