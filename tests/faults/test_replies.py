"""What comes back: a script's failure, a refusal by the access rules, bytes of every kind."""

from __future__ import annotations

from typing import Any

import pytest

from redislua.errors import (
    AccessDenied,
    InvalidArgumentValue,
    OutcomeUnknown,
    ScriptAccessDenied,
    ScriptFault,
    ServerRefused,
    WrongType,
)
from redislua.runtime import Call
from tests.faults.forms import PATIENT, Form
from tests.faults.grounds import Ground
from tests.faults.samples import BESIDE, COUNT, KEY, OTHER, beside, counting
from tests.runtime.samples import script

EVERY_BYTE = bytes(range(256))


# --- the script fails -------------------------------------------------------------------------


def test_a_key_of_another_type(form: Form, ground: Ground) -> None:
    """Row 42: what the script wrote before it failed is there, and so is what others wrote."""
    ground.home.set(OTHER, "text")
    client = form.open(ground)

    ended = form.end(client, counting(then="redis.call('HGET', KEYS[2], 'field')"))

    assert type(ended.own) is WrongType
    assert (ended.own.code, ended.own.line) == ("WRONGTYPE", 3)
    assert ended.beside == form.beside(1, 2)
    assert ground.executions() == 1
    assert form.run(client, COUNT) == 2


def test_garbage_in_a_key(form: Form, ground: Ground) -> None:
    """Row 43."""
    ground.home.hset(OTHER.decode(), "tokens", "many")
    client = form.open(ground)
    then = "local more = tonumber(redis.call('HGET', KEYS[2], 'tokens')) + 1"

    ended = form.end(client, counting(then=then))

    assert type(ended.own) is ScriptFault
    assert (ended.own.file, ended.own.line) == ("sample/script.v1.lua", 3)
    assert ended.beside == form.beside(1, 2)
    assert ground.executions() == 1
    assert form.run(client, COUNT) == 2


def test_more_values_than_lua_unpacks(form: Form, ground: Ground) -> None:
    """Row 55: a script that does not take its arguments in chunks."""
    client = form.open(ground)

    ended = form.end(client, counting(*[b""] * 20_000, then="local all = {unpack(ARGV)}"))

    assert type(ended.own) is ScriptFault
    assert "unpack" in ended.own.reason
    assert ended.beside == form.beside(1, 2)
    assert ground.executions() == 1
    assert form.run(client, COUNT) == 2


# --- the user may not ------------------------------------------------------------------------


def test_a_user_without_evalsha(form: Form, ground: Ground) -> None:
    """Row 44."""
    with ground.user("+@all", "-evalsha") as login:
        client = form.open(ground, **login)

        ended = form.end(client, COUNT)

        for one in (ended.own, *ended.beside):
            assert type(one) is AccessDenied
            assert one.code == "NOPERM"
        assert ground.executions() == ground.executions_beside() == 0
        ground.grant("+evalsha")
        assert form.run(client, COUNT) == 1


def test_a_declared_key_that_the_user_may_not_touch(form: Form, ground: Ground) -> None:
    """Row 45: the calls beside it ran, but for those of its transaction."""
    with ground.user("+@all", "resetkeys", f"~{BESIDE.decode()}") as login:
        client = form.open(ground, **login)

        ended = form.end(client, COUNT)

        assert type(ended.own) is AccessDenied
        assert ended.own.code == "NOPERM"
        assert ground.executions() == 0
        if form.is_atomic:
            assert [type(one) for one in ended.beside] == [AccessDenied] * 2
            assert ground.executions_beside() == 0
        else:
            assert ended.beside == form.beside(1, 2)
        ground.grant("~*")
        assert form.run(client, COUNT) == 1


@pytest.mark.parametrize(
    ("then", "rule", "undone"),
    [
        ("redis.call('APPEND', KEYS[1], '0')", "-append", "+append"),
        (
            "redis.call('GET', ARGV[1])",
            "resetkeys ~{sample} ~{sample}:beside ~{sample}:other",
            "~*",
        ),
    ],
    ids=["command", "key"],
)
def test_what_the_user_may_not_do_inside_the_script(
    form: Form, ground: Ground, then: str, rule: str, undone: str
) -> None:
    """Row 46: it began, and failed half way."""
    call = counting(b"{sample}:undeclared", then=then)
    with ground.user("+@all", *rule.split()) as login:
        client = form.open(ground, **login)

        ended = form.end(client, call)

        assert type(ended.own) is ScriptAccessDenied
        assert ended.own.line == 3
        assert ended.beside == form.beside(1, 2)
        assert ground.executions() == 1
        ground.grant(undone)
        assert form.run(client, call) == 2


def test_a_password_that_was_changed(form: Form, ground: Ground) -> None:
    """Row 48: each server is asked once, and not again and again."""
    with ground.user("+@all") as login:
        client = form.open(ground, **login)
        assert form.run(client, COUNT) == 1
        ground.grant("resetpass", ">changed")
        ground.cut_all()

        ended = form.end(client, COUNT)

        for one in (ended.own, *ended.beside):
            assert type(one) is AccessDenied
            assert one.code == "WRONGPASS"
        # Each call of a batch is told by itself, but they connect together.
        attempts = refused_logins(ground)
        assert sum(attempts) >= 1
        assert max(attempts) <= 2
        assert ground.executions() == 1
        assert ground.executions_beside() == form.neighbours
        ground.grant(">secret")
        assert form.run(client, COUNT, deadline=PATIENT) == 2


def refused_logins(ground: Ground) -> list[int]:
    """How often each node has refused a password since the log was reset."""
    logs: list[Any] = [node.acl_log() for node in ground.nodes]
    return [sum(int(one["count"]) for one in log if one["reason"] == "auth") for log in logs]


# --- bytes -----------------------------------------------------------------------------------


def echo(key: bytes, *args: bytes) -> Call[Any]:
    """A call that counts, and gives its key and its arguments back."""
    body = "redis.call('INCR', KEYS[1]) return {KEYS[2], unpack(ARGV)}"
    return Call(script(body), (KEY, key), args, decode=lambda reply: reply)


@pytest.mark.parametrize("protocol", [2, 3])
def test_bytes_of_every_kind_come_back_as_they_went(
    form: Form, ground: Ground, protocol: int
) -> None:
    """Rows 49 and 50, on a client that decodes replies."""
    client = form.open(ground, decode_responses=True, protocol=protocol)
    key = b"{sample}" + EVERY_BYTE
    args = (EVERY_BYTE, b"", b"\x00", b"\r\n", b"$-1\r\n", b"\xff" * 70_000)

    assert form.run(client, echo(key, *args)) == [key, *args]

    assert ground.executions() == 1
    assert form.run(client, COUNT) == 2


def test_integers_beyond_what_lua_counts_exactly(form: Form, ground: Ground) -> None:
    """Row 52: as text they come back as they went."""
    client = form.open(ground)

    assert form.run(client, echo(OTHER, b"9007199254740993")) == [OTHER, b"9007199254740993"]
    assert ground.executions() == 1


def test_an_argument_that_is_larger_than_the_server_takes(form: Form, ground: Ground) -> None:
    """Row 54: not executed, and never said to have been; what came before it was."""
    client = form.open(ground)
    form.run(client, COUNT)

    large = counting(b"x" * 2_000_000)

    with ground.configured(proto_max_bulk_len="1048576"):
        if form.is_atomic:
            with pytest.raises(InvalidArgumentValue, match="a transaction is not split"):
                form.end(client, large)
        else:
            # The server hangs up: whether its error or the broken pipe is seen first is chance.
            assert type(form.end(client, large).own) in (ServerRefused, OutcomeUnknown)

    assert ground.executions() == 1
    assert form.run(client, COUNT, deadline=PATIENT) == 2


def test_a_digest_that_no_server_knows(form: Form, ground: Ground) -> None:
    """Row 56: a wrong digest in a module is healed by EVAL, or told; never an endless loop."""
    made = COUNT.script
    wrong = type(made)(
        name=made.name,
        version=made.version,
        file=made.file,
        sha1="f" * 40,
        source=made.source,
        read_only=False,
        retry="never",
        errors={},
    )
    client = form.open(ground)

    ended = form.end(client, Call(wrong, (KEY,), (), int))

    if form.is_atomic:
        assert type(ended.own) is ScriptFault
        assert ended.own.code == "NOSCRIPT"
        assert ground.executions() == 0
    else:
        assert ended.own == ground.executions() == 1
    assert sorted(ended.beside) == list(form.beside(1, 2))
    assert form.run(client, COUNT) == ground.executions()


def test_the_neighbours_of_these_tests_are_other_scripts() -> None:
    """Else a batch would not show that each call has its own outcome."""
    assert beside().script.sha1 != COUNT.script.sha1
    assert beside().script.retry == "safe"
