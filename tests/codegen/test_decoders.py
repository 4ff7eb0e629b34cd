"""Generated decoders take what the header declares and nothing else, whatever a server says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redislua.errors import UnexpectedReplyError
from redislua.spec.model import Arg, Script, Type, Variant
from tests.codegen.kitchen import decoder_of, generated, kitchen

SCRIPTS = [pytest.param(*one, id=one[1].file) for one in generated()]
REFUSALS = (UnexpectedReplyError, ValueError, OverflowError)
ELEMENTS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.sampled_from([2**53, 2**80, -(2**80)]),
    st.floats(),
    st.binary(max_size=4),
    st.sampled_from([b"one", b"two", b"1.5", b"nan", b"inf", b"\xff"]),
    st.text(max_size=4),
    st.lists(st.integers(0, 1) | st.binary(max_size=2), max_size=3),
    st.dictionaries(st.binary(max_size=2), st.integers(), max_size=2),
)


def fits(of: Type, element: Any) -> bool:
    """Say whether the header's type admits one element of a reply: written from the format."""
    if element is None:
        return of.optional
    if of.is_duration:
        unit = timedelta(
            **{{"us": "microseconds", "ms": "milliseconds", "s": "seconds"}[of.kind]: 1}
        )
        most = (timedelta.max // unit, timedelta.min // unit)
        return type(element) is int and most[1] <= element <= most[0]
    if of.kind == "int":
        return type(element) is int
    if of.kind == "bool":
        return type(element) is int and element in (0, 1)
    if type(element) is not bytes:
        return False
    if of.kind == "enum":
        return element in [word.encode() for word in of.choices]
    if of.kind == "float":
        return number(element)
    return of.kind == "bytes" or readable(element)


def number(element: bytes) -> bool:
    """Say whether bytes are a finite number."""
    try:
        return abs(float(element)) < float("inf")
    except ValueError:
        return False


def readable(element: bytes) -> bool:
    """Say whether bytes are UTF-8."""
    try:
        element.decode()
    except UnicodeDecodeError:
        return False
    return True


def declared(script: Script, reply: Any) -> bool:
    """Say whether a header admits a reply."""
    if script.bare:
        return fits(script.bare, reply)
    if type(reply) is not list or not reply or type(reply[0]) is not bytes:
        return False
    variant = next((one for one in script.variants if one.name.encode() == reply[0]), None)
    return variant is not None and all_fit(variant, reply[1:])


def all_fit(variant: Variant, elements: list[Any]) -> bool:
    count = len(variant.fields)
    columns: tuple[Arg, ...] = variant.group.columns if variant.group else ()
    rows = elements[count:]
    if len(elements) < count or (len(rows) % len(columns) if columns else rows):
        return False
    shape = [*variant.fields, *columns * (len(rows) // max(len(columns), 1))]
    return all(fits(arg.type, element) for arg, element in zip(shape, elements, strict=True))


def elements(of: Type) -> st.SearchStrategy[Any]:
    """Elements that a type admits, mostly."""
    if of.kind == "bool":
        likely: st.SearchStrategy[Any] = st.integers(0, 1)
    elif of.kind == "enum":
        likely = st.sampled_from([word.encode() for word in of.choices])
    elif of.kind == "float":
        likely = st.sampled_from([b"1.5", b"-2", b"1e300"])
    elif of.kind == "int" or of.is_duration:
        likely = st.integers(-(2**40), 2**40)
    else:
        likely = st.sampled_from([b"", b"a", "é".encode()])
    return likely | st.none() if of.optional else likely


@st.composite
def replies(draw: st.DrawFn, script: Script) -> Any:
    """Replies that a header declares, in two of three cases with one thing changed."""
    if script.bare:
        return draw(elements(script.bare) | ELEMENTS)
    variant = draw(st.sampled_from(script.variants))
    reply = [variant.name.encode(), *(draw(elements(field.type)) for field in variant.fields)]
    if variant.group:
        rows = draw(st.integers(0, 3))
        reply += [draw(elements(arg.type)) for _ in range(rows) for arg in variant.group.columns]
    at = draw(st.integers(0, len(reply) - 1))
    change = draw(st.sampled_from(["nothing", "replace", "drop", "add", "nest", "whole"]))
    if change == "replace":
        reply[at] = draw(ELEMENTS)
    elif change == "drop":
        del reply[at]
    elif change == "add":
        reply.insert(at, draw(ELEMENTS))
    elif change == "nest":
        reply[at] = [reply[at]]
    return draw(ELEMENTS) if change == "whole" else reply


@pytest.mark.parametrize(("registry", "script", "module"), SCRIPTS)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_reply_is_decoded_when_it_is_declared_and_refused_when_not(
    registry, script, module, data
):
    reply = data.draw(replies(script))
    decode = decoder_of(registry, script, module)

    try:
        decode(reply)
    except REFUSALS:
        assert not declared(script, reply)
    else:
        assert declared(script, reply)


@pytest.mark.parametrize(
    "reply",
    [
        [b"Doubled", True, 1],
        [b"Doubled", 1.0, 1],
        [b"Doubled", b"1", 1],
        [b"Doubled", [1], 1],
        [b"Doubled", None, 1],
        [b"Doubled", 1],
        [b"Doubled", 1, 1, 1],
        ["Doubled", 1, 1],
        [b"doubled", 1, 1],
        [],
        None,
        b"Doubled",
        {b"Doubled": 1},
    ],
)
def test_nothing_else_passes_for_an_integer_or_a_variant(reply):
    with pytest.raises(UnexpectedReplyError) as caught:
        kitchen.twice(room="a", number=1).decode(reply)

    assert caught.value.reply == reply


@pytest.mark.parametrize("flag", [True, False, 2, -1, 1.0, 0.0, b"1"])
def test_nothing_but_0_and_1_passes_for_a_bool(flag):
    decode = kitchen.echo(room="a", page="1", whole=1, text="", blob=b"", owner="me").decode

    def sure(value: Any) -> Any:
        return decode([b"Echo", 1, 1, b"1", b"", b"", value, 1, 1, 1, b"one"])

    def optional(value: Any) -> Any:
        return decode([b"Gaps", None, None, None, None, value, None, None])

    for reply in (sure, optional):
        assert [reply(0).flag, reply(1).flag] == [False, True]
        with pytest.raises(UnexpectedReplyError):
            reply(flag)
    assert optional(None).flag is None
    with pytest.raises(UnexpectedReplyError):
        sure(None)
