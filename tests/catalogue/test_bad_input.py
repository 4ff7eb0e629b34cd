"""Bad input of every kind, on every script: its own error, and nothing changed on the server.

The binding protects its callers; the script protects the data from every other caller.
Both are tried here, the script by sending arguments past the binding.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import redis

from redislua.bindings import cache, limit
from redislua.errors import (
    InvalidArgument,
    InvalidArgumentType,
    InvalidArgumentValue,
    ScriptError,
    ScriptNotDeployed,
    UnexpectedReplyError,
    WrongType,
)
from redislua.runtime import Call, run
from redislua.spec.model import Arg
from tests.catalogue.samples import numeric_arguments, registry, valid_call

BAD_NUMBERS = [
    "NaN",
    "nan",
    "inf",
    "-inf",
    "1.5",
    "",
    "-1",
    str(2**53 + 1),
    "0x10",
    "1e5",
    " 5",
    "5 ",
]
SCRIPTS = registry().scripts


def lies_outside(arg: Arg, text: str) -> bool:
    """Tell whether a text is no value of the argument: by its grammar or by its range."""
    if text == "":
        return not (arg.default is not None and arg.default.value is None)
    low, high = arg.bounds
    if arg.type.kind == "float" and text in ("1.5", "1e5"):
        return not low <= float(text) <= high
    if not text.removeprefix("-").isdecimal():
        return True
    return not low <= int(text) <= high


BAD = [
    (script, index, text)
    for script, index, arg in numeric_arguments()
    for text in BAD_NUMBERS
    if lies_outside(arg, text)
]


def send_raw(client: redis.Redis, call: Call[Any], args: tuple[bytes, ...]) -> None:
    """EVALSHA past the binding."""
    client.script_load(call.script.source)
    client.evalsha(call.script.sha1, len(call.keys), *call.keys, *args)


@pytest.mark.parametrize(
    ("script", "index", "text"),
    [
        pytest.param(
            script, index, text, id=f"{script.full_name}-{script.args[index].name}-{text!r}"
        )
        for script, index, text in BAD
    ],
)
@pytest.mark.parametrize("state", ["empty", "used"])
def test_a_bad_number_past_the_binding_is_refused_before_any_write(
    script, index, text, state, client, dataset
):
    call = valid_call(script)
    if state == "used":
        run(client, call)
    args = list(call.args)
    args[index] = text.encode()
    before = dataset()

    with pytest.raises(redis.ResponseError) as caught:
        send_raw(client, call, tuple(args))

    assert str(caught.value).startswith("RLUA_BAD_ARGUMENT ")
    assert dataset() == before


def test_the_table_covers_every_numeric_argument():
    named = {(script.full_name, index) for script, index, _ in BAD}

    assert len(named) == len(numeric_arguments())
    assert len(BAD) > 7 * len(named)


@pytest.mark.parametrize(
    ("script", "key"),
    [
        pytest.param(script, index, id=f"{script.full_name}-{key.name}")
        for script in SCRIPTS
        for index, key in enumerate(script.keys)
    ],
)
def test_a_key_of_another_type_is_its_own_error_and_changes_nothing(
    script, key, client, call, dataset
):
    """Of every key, those that are only deleted or overwritten included."""
    sample = valid_call(script)
    client.sadd(sample.keys[key], "a set, which no script of the catalogue uses")
    before = dataset()

    with pytest.raises(WrongType) as caught:
        call(sample)

    assert caught.value.code == "WRONGTYPE"
    assert caught.value.script == str(sample.script)
    assert caught.value.keys == sample.keys
    assert (caught.value.file, caught.value.line) == (script.file, caught.value.line)
    assert caught.value.line is not None
    assert caught.value.line > script.header_lines
    assert dataset() == before


@pytest.mark.parametrize(
    ("script", "state"),
    [
        pytest.param(script, state, id=f"{script.full_name}-{state.key}")
        for script in SCRIPTS
        for state in script.states
    ],
)
@pytest.mark.parametrize("version", ["2", "99", "", "x", None])
def test_a_state_of_a_newer_format_is_its_own_error_and_changes_nothing(
    script, state, version, client, call, dataset
):
    sample = valid_call(script)
    index = [key.name for key in script.keys].index(state.key)
    fields = {"someone": "else"} if version is None else {"v": version, "d": "new layout"}
    client.hset(sample.keys[index], mapping=fields)
    before = dataset()

    with pytest.raises(ScriptError) as caught:
        call(sample)

    assert type(caught.value).__name__ == "BadStateError"
    assert caught.value.code == "RLUA_BAD_STATE"
    assert caught.value.keys == sample.keys
    assert dataset() == before


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.full_name)
def test_a_missing_script_with_no_right_to_load_it_is_its_own_error(
    script, server, client, dataset
):
    sample = valid_call(script)
    client.acl_setuser(
        "reader", enabled=True, nopass=True, keys=["*"], commands=["+evalsha", "+@connection"]
    )
    before = dataset()

    try:
        with (
            redis.Redis.from_url(server.url, username="reader", password="x") as poor,
            pytest.raises(ScriptNotDeployed) as caught,
        ):
            run(poor, sample)
    finally:
        client.acl_deluser("reader")

    assert caught.value.sha1 == script.sha1
    assert script.full_name in str(caught.value)
    assert dataset() == before


# --- the binding ---

GCRA: dict[str, Any] = {"subject": "u", "limit": 5, "period": timedelta(seconds=1), "burst": 5}
FILL: dict[str, Any] = {"key": "u", "owner": "a", "value": b"", "soft": 1, "hard": 1}


@pytest.mark.parametrize(
    ("function", "good", "parameter", "value", "kind"),
    [
        (limit.gcra, GCRA, "subject", "a{b", InvalidArgumentValue),
        (limit.gcra, GCRA, "subject", "a}b", InvalidArgumentValue),
        (limit.gcra, GCRA, "subject", "", InvalidArgumentValue),
        (limit.gcra, GCRA, "subject", "\ud800", InvalidArgumentValue),
        (limit.gcra, GCRA, "subject", 5, InvalidArgumentType),
        (limit.gcra, GCRA, "subject", b"bytes", InvalidArgumentType),
        (limit.gcra, GCRA, "limit", 0, InvalidArgumentValue),
        (limit.gcra, GCRA, "limit", 10**9 + 1, InvalidArgumentValue),
        (limit.gcra, GCRA, "limit", True, InvalidArgumentType),
        (limit.gcra, GCRA, "limit", 5.0, InvalidArgumentType),
        (limit.gcra, GCRA, "limit", float("nan"), InvalidArgumentType),
        (limit.gcra, GCRA, "limit", "5", InvalidArgumentType),
        (limit.gcra, GCRA, "limit", None, InvalidArgumentType),
        (limit.gcra, GCRA, "period", timedelta(seconds=-1), InvalidArgumentValue),
        (limit.gcra, GCRA, "period", -1, InvalidArgumentValue),
        (limit.gcra, GCRA, "period", 1.5, InvalidArgumentType),
        (limit.gcra, GCRA, "period", True, InvalidArgumentType),
        (limit.gcra, GCRA, "mode", "take", InvalidArgumentValue),
        (limit.gcra, GCRA, "mode", 1, InvalidArgumentType),
        (limit.gcra, GCRA, "namespace", "a b", InvalidArgumentValue),
        (limit.gcra, GCRA, "namespace", "x" * 65, InvalidArgumentValue),
        (limit.gcra, GCRA, "namespace", "{a}", InvalidArgumentValue),
        (cache.fill, FILL, "owner", "x" * 49, InvalidArgumentValue),
        (cache.fill, FILL, "owner", "", InvalidArgumentValue),
        (cache.fill, FILL, "value", "text", InvalidArgumentType),
        (cache.fill, FILL, "value", b"x" * 262_145, InvalidArgumentValue),
        (cache.fill, FILL, "negative", 1, InvalidArgumentType),
        (cache.fill, FILL, "soft", timedelta(0), InvalidArgumentValue),
    ],
)
def test_a_bad_argument_is_refused_by_name_before_anything_is_sent(
    function: Callable[..., Call[Any]],
    good: dict[str, Any],
    parameter: str,
    value: object,
    kind: type[InvalidArgument],
):
    with pytest.raises(kind) as caught:
        function(**{**good, parameter: value})

    assert caught.value.parameter == parameter
    assert caught.value.value is value
    assert (
        caught.value.script
        == f"{'limit' if function is limit.gcra else 'cache'}.{function.__name__}"
    )
    assert caught.value.expected
    assert parameter in str(caught.value)
    assert isinstance(caught.value, TypeError if kind is InvalidArgumentType else ValueError)


@pytest.mark.parametrize(
    "reply",
    [
        None,
        7,
        b"Allowed",
        [],
        [b"Allowed"],
        [b"Allowed", 1],
        [b"Allowed", 1, 2, 3],
        [b"Allowed", b"1", 2],
        [b"allowed", 1, 2],
        [b"Granted", 1, 2],
        ["Allowed", 1, 2],
        [b"Limited", 1, 2, None],
    ],
)
def test_a_reply_of_the_wrong_shape_is_its_own_error(reply):
    with pytest.raises(UnexpectedReplyError) as caught:
        limit.gcra(**GCRA).decode(reply)

    assert caught.value.reply == reply
    assert caught.value.script == "limit.gcra@1.0.0"


def test_a_reply_of_the_wrong_shape_from_a_server_names_script_and_keys(call):
    """The script on the server was replaced by one that answers something else."""
    good = limit.gcra(**GCRA)
    source = b"#!lua\nreturn {'Allowed', 'one'}"
    digest = hashlib.sha1(source, usedforsecurity=False).hexdigest()
    replaced = dataclasses.replace(good.script, sha1=digest, source=source)

    with pytest.raises(UnexpectedReplyError) as caught:
        call(Call(replaced, good.keys, good.args, good.decode))

    assert caught.value.reply == [b"Allowed", b"one"]
    assert caught.value.keys == good.keys
