"""What scripts get from commands, on live servers."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import pytest
import redis

from redislua.syntax.commands import LINES, Command, Table, table
from redislua.syntax.commands.curated import REPLIES
from tests.syntax.commands.calls import CALLS, DATA, VECTORS, words

# An empty table, a table of tables or a flat one; status replies are tables with a field.
SHAPE = """
local function shape(reply)
    if type(reply) == 'string' then
        return tonumber(reply) and 'double' or 'string'
    elseif type(reply) ~= 'table' then
        return ({number = 'integer', boolean = 'false'})[type(reply)]
    elseif reply.ok then
        return 'status'
    end
    local items, depth = {}, 'array'
    for index = 1, #reply do
        items[index] = shape(reply[index])
        if type(reply[index]) == 'table' and not reply[index].ok then
            depth, items[index] = 'nested', 'table'
        end
    end
    return {depth, items}
end
return cjson.encode(shape(redis.call(unpack(ARGV))))
"""


def is_one(seen: str, kind: str) -> bool:
    """Whether a value that is no table is of a type, ``string?``."""
    if seen == "false":
        return kind.endswith("?")
    kind = kind.removesuffix("?")
    # A double is a string that holds a number.
    return seen == kind or (seen == "double" and kind == "string")


def fits(seen: Any, reply: str, items: str) -> bool:
    """Whether what a script saw is of the reply type, with items of that type."""
    if isinstance(seen, str):
        return is_one(seen, reply)
    depth, elements = seen
    kind = reply.removesuffix("?")
    if not elements:
        return kind in ("array", "nested")
    if kind == "nested" and set(elements) == {"false"}:
        return True
    if kind == "nested":
        return bool(depth == kind)
    return depth == kind == "array" and (not items or all(is_one(one, items) for one in elements))


def row_of(known: Table, call: list[str]) -> Command | None:
    return known.get(call[0], call[1] if len(call) > 1 else None)


def prepare(client: redis.Redis, known: Table) -> None:
    client.flushall()
    lines = words(DATA) + (words(VECTORS) if "VADD" in known else [])
    with client.pipeline(transaction=False) as pipe:
        for line in lines:
            pipe.execute_command(*line)
        pipe.execute()


def observed(client: redis.Redis, known: Table) -> list[tuple[Command, list[str], Any]]:
    """Run every call that the server has, and return what scripts saw."""
    script = client.script_load(SHAPE)
    seen = []
    for call in words(CALLS):
        row = row_of(known, call)
        if row is None or not row.is_allowed:
            continue
        # IFEQ, WITHSCORE and others are newer than their commands.
        options = {"IFEQ", "WITHSCORE"} & set(call)
        if options <= set(row.options):
            prepare(client, known)
            seen.append((row, call, json.loads(client.evalsha(script, 0, *call))))
    return seen


def test_a_script_gets_the_type_that_the_table_says(client, known):
    seen = observed(client, known)

    wrong = [
        f"{' '.join(call)}: {shape} is no {row.reply_to(call[1:])} of {row.items!r}"
        for row, call, shape in seen
        if not fits(shape, row.reply_to(call[1:]), row.items)
    ]
    assert wrong == []
    assert len({row.name for row, _, _ in seen}) >= 200


def test_whatever_may_be_false_was_false_once_and_something_else_once(client, known):
    """Except RANDOMKEY and OBJECT FREQ, which need an empty server and another policy."""
    shapes = defaultdict(list)
    for row, call, shape in observed(client, known):
        shapes[(row.name, row.reply_to(call[1:]))].append(shape)

    once = {
        f"{name}: {reply}"
        for (name, reply), some in shapes.items()
        if reply.endswith("?") and ("false" not in some or set(map(str, some)) == {"false"})
    }
    excused = {"OBJECT FREQ: integer?", "RANDOMKEY: string?"}
    assert once - excused == set()


def test_every_reply_is_of_a_command_that_some_script_can_call():
    rows = [row for line in LINES for row in table(line)]

    allowed = {row.name for row in rows if row.is_allowed}
    assert set(REPLIES) - allowed == set()


def test_what_has_no_reply_is_a_container_or_works_in_a_cluster_or_is_internal():
    names = {row.name for line in LINES for row in table(line) if row.reply == "unknown"}

    containers = {row.name for line in LINES for row in table(line) if row.is_container}
    others = {name for name in names - containers if not name.startswith("CLUSTER ")}
    assert others == {"ASKING", "CLUSTERSCAN", "PFDEBUG", "READONLY", "READWRITE"}


def test_commands_that_scripts_may_not_call_are_refused_and_reply_none(client, known):
    refused = []
    for row in known:
        if not row.is_allowed:
            call = [*row.name.split(), *["0"] * abs(row.arity)][: abs(row.arity)]
            with pytest.raises(redis.ResponseError, match="not allowed from script") as raised:
                client.eval("return redis.call(unpack(ARGV))", 0, *call)
            refused.append((row.name, row.reply, str(raised.value)))

    assert {reply for _, reply, _ in refused} == {"none"}
    assert len(refused) > 60


def test_a_read_only_script_is_refused_what_the_table_calls_a_write(client, known):
    wrong = []
    for call in words(CALLS):
        row = row_of(known, call)
        if row is None or not row.is_allowed:
            continue
        prepare(client, known)
        try:
            client.eval_ro("return redis.call(unpack(ARGV))", 0, *call)
            is_refused = False
        except redis.ResponseError as error:
            is_refused = "Write commands are not allowed" in str(error)
        if is_refused != row.is_write:
            wrong.append(row.name)

    assert wrong == []


def test_a_full_server_refuses_what_the_table_says_needs_memory(client, known):
    script = client.script_load("return redis.call(unpack(ARGV))")
    wrong = []
    for call in words(CALLS):
        row = row_of(known, call)
        if row is None or not row.is_allowed or call[0] in ("FLUSHALL", "FLUSHDB", "MEMORY"):
            continue
        prepare(client, known)
        client.config_set("maxmemory", 1)
        try:
            client.evalsha(script, 0, *call)
            is_refused = False
        except redis.ResponseError as error:
            is_refused = "used memory > 'maxmemory'" in str(error)
        finally:
            client.config_set("maxmemory", 0)
        if is_refused != row.needs_memory:
            wrong.append(row.name)

    assert wrong == []


def test_blocking_streams_in_a_script_is_refused_below_a_version(client, known):
    prepare(client, known)
    try:
        client.eval("return redis.call('XREAD', 'BLOCK', '0', 'STREAMS', 'x', '$')", 0)
        is_refused = False
    except redis.ResponseError as error:
        is_refused = "not allowed with BLOCK option" in str(error)

    assert is_refused == known.refuses_block


@pytest.mark.parametrize("name", ["RESTORE", "RESTORE-ASKING"])
def test_restoring_what_was_dumped_replies_a_status(client, known, name):
    row = known.get(name)
    assert row is not None

    shape = client.eval(
        "redis.call('SET', 's', 'x') local dump = redis.call('DUMP', 's') "
        "return type(redis.call(ARGV[1], 'd', 0, dump)) .. redis.call(ARGV[1], 'e', 0, dump).ok",
        0,
        name,
    )

    assert (shape, row.reply) == (b"tableOK", "status")
