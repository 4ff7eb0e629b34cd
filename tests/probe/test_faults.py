"""Writes that stay behind a failure are found where they can happen, and only there."""

from __future__ import annotations

from pathlib import Path

import pytest

from redislua.codegen.load import load_operations
from redislua.probe.faults import Left, find_left
from redislua.spec.registry import load
from tests.catalogue.samples import operations, registry
from tests.probe.scripts import FIRST, write_script

CHECKED = """\
if not (count and count:find('^%d+$') and #count < 4) then
  return redis.error_reply('RLUA_BAD_ARGUMENT count')
end
"""


def found(folder: Path, url: str) -> list[Left]:
    scripts = load(folder)
    return list(find_left(scripts, load_operations(scripts), url, scripts.scripts))


def check(folder: Path, url: str, body: str, **header: str) -> list[tuple[str, str, list[str]]]:
    """Kind, failed command and the writes before it, of each thing left behind."""
    left = found(write_script(folder, CHECKED + body, **header), url)
    return [
        (one.kind, one.failed.split(" ")[0], [sent.name for sent in one.writes]) for one in left
    ]


def test_a_write_before_a_command_on_a_key_that_nothing_looked_at(tmp_path, server, client):
    body = "redis.call('SET', one, count)\nredis.call('HSET', two, 'f', count)\nreturn {'Done'}\n"

    (left,) = found(write_script(tmp_path, CHECKED + body), server.url)

    assert left.why == "two b'shop:{1}:two' is a set"
    assert (left.kind, left.line, left.keys) == ("fails", FIRST + 4, (b"shop:{1}:one",))
    assert left.failed == "HSET 'shop:{1}:two' 'f' '2'"
    assert [(sent.name, sent.line) for sent in left.writes] == [("SET", FIRST + 3)]
    assert left.example == "work id=1 count=2 -> Done"


def test_the_same_writes_behind_a_look_at_the_keys_are_fine(tmp_path, server, client):
    body = (
        "redis.call('HGET', two, 'f')\nredis.call('SET', one, count)\n"
        "redis.call('HSET', two, 'f', count)\nreturn {'Done'}\n"
    )

    assert check(tmp_path, server.url, body, retry="safe") == []


def test_a_number_that_is_read_behind_a_write(tmp_path, server, client):
    body = (
        "redis.call('HGET', two, 'f')\nredis.call('SET', one, count)\n"
        "redis.call('HINCRBY', two, 'f', count)\nreturn {'Done'}\n"
    )

    assert check(tmp_path, server.url, body) == [("fails", "HINCRBY", ["SET"])]


def test_an_argument_that_is_looked_at_behind_a_write(tmp_path, server, client):
    body = "redis.call('SET', one, 'x')\nif count + 0 > 5 then return 1 end\nreturn {'Done'}\n"

    left = found(write_script(tmp_path, body), server.url)

    assert ("fails", FIRST + 1) in {(one.kind, one.line) for one in left}
    assert all("attempt to perform arithmetic" in one.failed for one in left)


def test_stored_state_that_is_read_behind_a_write(tmp_path, server, client):
    """Garbage in the hash's field: found by running it, whatever the error is."""
    body = (
        "local f = redis.call('HGET', two, 'f') or 0\nredis.call('APPEND', one, 'x')\n"
        "redis.call('HSET', two, 'f', f + 1)\nreturn {'Done'}\n"
    )
    example = "NAME id=1 count=2 -> Done\n--   NAME id=1 count=3 -> Done"

    left = check(tmp_path, server.url, body, retry="safe", example=example)

    assert ("fails", "ERR", ["APPEND"]) in left


def test_an_expiry_that_the_server_refuses_behind_a_write(tmp_path, server, client):
    body = "redis.call('SET', one, 'x')\nredis.call('EXPIRE', one, count)\nreturn {'Done'}\n"

    left = found(write_script(tmp_path, body), server.url)

    assert ("fails", FIRST + 1, "count is missing") in {
        (one.kind, one.line, one.why) for one in left
    }


def test_a_script_that_undoes_what_it_wrote_leaves_nothing(tmp_path, server, client):
    body = (
        "redis.call('SET', one, 'x')\nlocal done = redis.pcall('HSET', two, 'f', 'x')\n"
        "if type(done) == 'table' then\n  redis.call('DEL', one)\n  return done\nend\n"
        "return {'Done'}\n"
    )

    assert check(tmp_path, server.url, body, retry="safe") == []


@pytest.mark.parametrize(
    ("retry", "body", "expected"),
    [
        # Sent again it comes to the same end.
        ("safe", "redis.call('SET', one, 'x')\nredis.call('PEXPIRE', one, 60000)\n", []),
        # Sent again it writes nothing, because the key is there.
        (
            "safe",
            "if redis.call('SET', one, 'x', 'NX') then redis.call('PEXPIRE', one, 60000) end\n",
            [("refused", "PEXPIRE", ["SET"])],
        ),
        # Sent again it counts twice, which is what conservative means.
        ("conservative", "redis.call('GET', one)\nredis.call('APPEND', one, 'x')\nredis.call('PEXPIRE', one, 60000)\n", []),
        # It may not be sent again.
        (
            "never",
            "redis.call('GET', one)\nredis.call('APPEND', one, 'x')\nredis.call('PEXPIRE', one, 60000)\n",
            [("refused", "PEXPIRE", ["APPEND"])],
        ),
    ],
)  # fmt: skip
def test_what_is_only_refused_is_judged_by_the_retry_class(
    retry, body, expected, tmp_path, server, client
):
    assert check(tmp_path, server.url, body + "return {'Done'}\n", retry=retry) == expected


def test_a_script_that_never_ends_on_a_bad_state_is_found(tmp_path, server, client):
    body = (
        "local f = redis.call('HGET', two, 'f')\nwhile f == '99' do end\n"
        "redis.call('HSET', two, 'f', '1')\nreturn {'Done'}\n"
    )
    example = "NAME id=1 count=2 -> Done\n--   NAME id=1 count=3 -> Done"

    left = found(write_script(tmp_path, CHECKED + body, example=example), server.url)

    assert any("does a loop never end?" in one.failed and one.why for one in left)


@pytest.mark.client_side
def test_the_catalogue_leaves_nothing_behind_a_failure_that_can_happen(server, client):
    left = list(find_left(registry(), operations(), server.url, registry().scripts))

    assert [one for one in left if one.kind == "fails"] == []
    # What an ACL without PEXPIRE, PEXPIREAT or PERSIST does to a script that needs them.
    old = [one for one in left if one.script.family in ("cache", "limit")]
    assert {one.failed.split(" ")[0] for one in old} <= {"PEXPIRE", "PEXPIREAT", "PERSIST"}
