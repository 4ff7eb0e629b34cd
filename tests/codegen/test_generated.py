"""Generated modules at work: every type there and back, on every way of calling."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from redislua.errors import InvalidArgumentType, InvalidArgumentValue
from redislua.runtime import run
from tests.codegen.kitchen import kitchen

ROOM = {"room": "a", "page": "1", "owner": "me"}


def test_every_type_comes_back_as_it_went(call):
    reply = call(
        kitchen.echo(
            **ROOM,
            whole=-7,
            big=-(2**53) + 1,
            real=-1.25,
            text="Größe 中",
            blob=bytes(range(32)),
            flag=True,
            tick=timedelta(microseconds=7),
            pause=-5,
            hours=timedelta(hours=2),
            mode="one",
        )
    )

    assert reply == kitchen.EchoEcho(
        whole=-7,
        big=-(2**53) + 1,
        real=-1.25,
        text="Größe 中",
        blob=bytes(range(32)),
        flag=True,
        tick=timedelta(microseconds=7),
        pause=timedelta(milliseconds=-5),
        hours=timedelta(hours=2),
        mode="one",
    )
    assert type(reply.flag) is bool


def test_absent_fields_are_none(call):
    reply = call(kitchen.echo(**ROOM, whole=0, text="x", blob=b"", word="w", mode="two"))

    assert reply == kitchen.EchoGaps("w", None, 0, 0.5, False, timedelta(seconds=2), "two")


def test_defaults_are_those_of_the_header(call):
    reply = call(kitchen.echo(**ROOM, whole=1, text="", blob=b""))

    assert (reply.big, reply.real, reply.flag) == (2**53 - 1, 0.5, False)
    assert (reply.tick, reply.pause) == (timedelta(milliseconds=1), timedelta(seconds=2))
    assert (reply.hours, reply.mode) == (timedelta(hours=1), "two")


def test_rows_go_in_as_rows_or_as_a_mapping(call, client):
    row = kitchen.RowsItemsRow
    as_rows = call(kitchen.rows(room="a", keep=1000, items=[row("cup", 2)], marks=[]))
    client.flushall()
    as_mapping = call(kitchen.rows(room="a", keep=1000, items={"cup": 2}, marks=[]))

    assert as_rows == as_mapping == kitchen.RowsRows(2, (kitchen.RowsRowsRow("cup", 2),))


def test_a_variadic_key_takes_a_sequence(call, client):
    client.set("kitchen:{a}:entry:y", 1)

    assert call(kitchen.many(room="a", item=["x", "y"])) == 1
    assert kitchen.many_keys(room="a", item=["x", "y"]).entries == (
        b"kitchen:{a}:entry:x",
        b"kitchen:{a}:entry:y",
    )


def test_a_bare_reply_may_be_absent(call):
    assert call(kitchen.own(key="any", value="1")) is None
    assert call(kitchen.own(key="any", value="2")) == "1"


def test_a_channel_is_published_to(call, client):
    channels = kitchen.ring_channels(room="a", namespace="ns")
    with client.pubsub() as listener:
        listener.ssubscribe(channels.bell)
        assert listener.get_sharded_message(timeout=1)["type"] == "ssubscribe"

        reply = call(kitchen.ring(room="a", who="ann", namespace="ns"))

        message = listener.get_sharded_message(timeout=1)
    assert reply == kitchen.RingRung(1)
    assert message["data"] == b"ann"
    assert message["channel"] == b"ns:kitchen:{a}:bell" == channels.bell


def test_both_majors_can_be_called_and_the_older_one_warns(call):
    with pytest.warns(DeprecationWarning, match='takes "larger" numbers'):
        old = kitchen.twice_v1(room="a", number=2)

    assert call(old) == kitchen.TwiceV1Doubled(4)
    assert call(kitchen.twice(room="a", number=2)) == kitchen.TwiceDoubled(4, 2)


def test_the_classes_call_the_same_functions(surface):
    make = kitchen.AsyncKitchen if surface.way.is_async else kitchen.Kitchen
    bound = make(surface.client, namespace="shop")

    reply = bound.ring(room="a", who="ann", deadline=5)

    assert (surface.wait(reply) if surface.way.is_async else reply) == kitchen.RingRung(1)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"real": float("nan")}, InvalidArgumentValue),
        ({"real": float("inf")}, InvalidArgumentValue),
        ({"real": 2.0}, InvalidArgumentValue),
        ({"real": True}, InvalidArgumentType),
        ({"real": "1"}, InvalidArgumentType),
        ({"flag": "yes"}, InvalidArgumentType),
        ({"pause": -6}, InvalidArgumentValue),
        ({"tick": timedelta(microseconds=-1)}, InvalidArgumentValue),
        ({"word": ""}, InvalidArgumentValue),
        ({"word": "x" * 17}, InvalidArgumentValue),
        ({"token": "x" * 33}, InvalidArgumentValue),
        ({"token": ""}, InvalidArgumentValue),
        ({"blob": b"x" * 33}, InvalidArgumentValue),
        ({"page": ""}, InvalidArgumentValue),
    ],
)
def test_what_the_header_excludes_is_refused(change, kind):
    good = {**ROOM, "whole": 1, "text": "", "blob": b""}

    with pytest.raises(kind) as caught:
        kitchen.echo(**{**good, **change})

    assert caught.value.parameter == next(iter(change))


@pytest.mark.parametrize(
    ("items", "kind"),
    [
        ([], InvalidArgumentValue),
        ([("a", 1)] * 9, InvalidArgumentValue),
        ("ab", InvalidArgumentType),
        ((("a", 1),), InvalidArgumentType),
        (7, InvalidArgumentType),
        ([("a", 1001)], InvalidArgumentValue),
        ([("", 1)], InvalidArgumentValue),
        ([("a", True)], InvalidArgumentType),
    ],
)
def test_rows_that_do_not_fit_are_refused(items, kind):
    rows = [kitchen.RowsItemsRow(*row) for row in items] if isinstance(items, list) else items

    with pytest.raises(kind):
        kitchen.rows(room="a", keep=1, items=rows, marks=[])


@pytest.mark.parametrize("item", [[], ["x"] * 17, "xy", [""], [1], 5])
def test_values_of_a_variadic_key_that_do_not_fit_are_refused(item):
    with pytest.raises((InvalidArgumentType, InvalidArgumentValue)):
        kitchen.many(room="a", item=item)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (timedelta(milliseconds=3), b"3"),
        (timedelta(microseconds=3001), b"4"),  # rounded up: never shorter than asked for
        (timedelta(microseconds=1), b"1"),
        (timedelta(0), b"0"),
        (7, b"7"),
    ],
)
def test_a_duration_is_rounded_up_to_its_unit(given, sent):
    assert kitchen.echo(**ROOM, whole=1, text="", blob=b"", pause=given).args[8] == sent


def test_a_token_is_fresh_for_each_call_and_the_same_for_each_run():
    one = kitchen.echo(**ROOM, whole=1, text="", blob=b"")
    two = kitchen.echo(**ROOM, whole=1, text="", blob=b"")

    assert one.args[-1] != two.args[-1]
    assert len(one.args[-1]) == 32


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    text=st.text(max_size=40),
    blob=st.binary(max_size=32),
    real=st.floats(-1.5, 1.5),
    big=st.integers(-(2**53) + 1, 2**53 - 1),
    room=st.text(min_size=1, max_size=20).filter(lambda text: not set(text) & set("{}")),
    page=st.text(min_size=1, max_size=20),
)
def test_any_value_survives_the_way_to_the_server_and_back(
    client, text, blob, real, big, room, page
):
    if text == "bad":
        return
    try:
        call = kitchen.echo(
            room=room, page=page, whole=0, owner="me", text=text, blob=blob, real=real, big=big
        )
    except InvalidArgumentValue:  # a lone surrogate, which UTF-8 cannot hold
        assert any("\ud800" <= char <= "\udfff" for char in text + room + page)
        return

    reply = run(client, call)

    assert (reply.text, reply.blob, reply.big) == (text, blob, big)
    assert reply.real == real
