"""A confined call may do what it declares; all else is refused and named."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from redislua.errors import ServerUnavailable, WrongType
from redislua.probe.confine import Confined, UndeclaredAccess
from redislua.runtime import Call, Script
from redislua.server import Server, start

ODD_NAMES = [
    b"",
    b"*",
    b"a*",
    b"[ab]",
    b"a?",
    b"\\",
    b"a\\*",
    b"[^a-c]",
    b"(x)",
    b"~k",
    b"%R~k",
    b"&c",
    b"allkeys",
    b"\xff\xfe\x80",
    "schlüssel".encode(),
    b"a b",
    b"a\0b",
    b" \t\n\v\f\r",
    bytes(range(256)),
]


def a_call(
    body: str,
    *keys: bytes,
    args: tuple[bytes, ...] = (),
    channels: tuple[bytes, ...] = (),
    read_only: bool = False,
) -> Call[Any]:
    """A call of a script made on the spot; its reply comes undecoded."""
    flags = " flags=no-writes" if read_only else ""
    source = f"#!lua{flags}\n{body}".encode()
    sha1 = hashlib.sha1(source, usedforsecurity=False).hexdigest()
    script = Script("probe.a", "1.0.0", "probe/a.v1.lua", sha1, source, read_only, "safe", {})
    return Call(script, keys, args, lambda reply: reply, channels)


@pytest.fixture
def confined(server: Server, client: redis.Redis) -> Iterator[Confined]:
    with Confined(server.url) as entered:
        yield entered


def _refused(confined: Confined, call: Call[Any]) -> UndeclaredAccess:
    with pytest.raises(UndeclaredAccess) as caught:
        confined.run(call)
    return caught.value


def test_declared_keys_may_be_written_and_read(confined: Confined, client: redis.Redis) -> None:
    set_and_get = "redis.call('SET', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[1])"

    assert confined.run(a_call(set_and_get, b"k", args=(b"v",))) == b"v"
    assert client.get("k") == b"v"


def test_a_script_unknown_to_the_server_is_loaded(confined: Confined, client: redis.Redis) -> None:
    call = a_call("return 1")
    assert client.script_exists(call.script.sha1) == [False]

    assert confined.run(call) == 1


def test_an_undeclared_read_is_named(confined: Confined, client: redis.Redis) -> None:
    error = _refused(confined, a_call("return redis.call('GET', 'other')", b"k"))

    assert (error.kind, error.name) == ("key", b"other")
    assert str(error) == "probe.a@1.0.0: key 'other' is not in KEYS; keys of the call: 'k'"


def test_an_undeclared_write_is_named_and_changes_nothing(
    confined: Confined, client: redis.Redis
) -> None:
    error = _refused(confined, a_call("return redis.call('SET', 'other', 1)", b"k"))

    assert (error.kind, error.name) == ("key", b"other")
    assert client.keys() == []


def test_one_undeclared_key_among_declared_ones_is_found(confined: Confined) -> None:
    error = _refused(
        confined, a_call("return redis.call('MGET', KEYS[1], 'b', KEYS[2])", b"a", b"c")
    )

    assert error.name == b"b"


def test_an_access_that_the_script_hides_with_pcall_is_found(confined: Confined) -> None:
    error = _refused(confined, a_call("redis.pcall('GET', 'other') return 1", b"k"))

    assert error.name == b"other"


def test_the_first_of_several_accesses_is_named(confined: Confined) -> None:
    body = "redis.pcall('GET', 'first') redis.pcall('GET', 'second') return 1"

    assert _refused(confined, a_call(body, b"k")).name == b"first"


def test_a_call_after_a_refused_one_starts_clean(confined: Confined) -> None:
    hidden = a_call("redis.pcall('GET', 'other') return 1", b"k")
    _refused(confined, hidden)

    assert confined.run(a_call("return 2", b"k")) == 2
    assert _refused(confined, hidden).name == b"other"


def test_rights_of_one_call_are_gone_in_the_next(confined: Confined) -> None:
    confined.run(a_call("return redis.call('SET', KEYS[1], 1)", b"mine"))

    error = _refused(confined, a_call("return redis.call('GET', 'mine')", b"k"))

    assert error.name == b"mine"


def test_declared_channels_may_be_published_to(confined: Confined) -> None:
    body = "return redis.call('SPUBLISH', ARGV[1], 'm')"

    assert confined.run(a_call(body, b"k", args=(b"c",), channels=(b"c",))) == 0


@pytest.mark.parametrize("command", ["SPUBLISH", "PUBLISH"])
def test_an_undeclared_channel_is_named(confined: Confined, command: str) -> None:
    body = f"return redis.call('{command}', 'other', 'm')"

    error = _refused(confined, a_call(body, b"k", channels=(b"c",)))

    assert (error.kind, error.name) == ("channel", b"other")
    assert "channel 'other' is not declared; channels of the call: 'c'" in str(error)


@pytest.mark.parametrize("name", ODD_NAMES, ids=repr)
def test_any_bytes_are_a_key_and_a_channel(
    confined: Confined, client: redis.Redis, name: bytes
) -> None:
    body = "redis.call('SPUBLISH', ARGV[1], 'm') return redis.call('SET', KEYS[1], 'v')"

    confined.run(a_call(body, name, args=(name,), channels=(name,)))

    assert client.get(name) == b"v"
    read = a_call("return redis.call('GET', KEYS[1])", name, read_only=True)
    assert confined.run(read) == b"v"


@pytest.mark.parametrize(
    ("declared", "other"),
    [
        (b"*", b"x"),
        (b"a*", b"ab"),
        (b"a?", b"ab"),
        (b"[ab]", b"a"),
        (b"[^a]", b"b"),
        (b"a-c", b"b"),
        (b"\\*", b"\\b"),
        (b"k", b"K"),
        (b"k", b""),
        (b"", b"k"),
        (b"k", b"k\0"),
        (b"a b", b"ab"),
        (b"allkeys", b"k"),
    ],
)
def test_a_key_is_no_pattern(confined: Confined, declared: bytes, other: bytes) -> None:
    error = _refused(
        confined, a_call("return redis.call('SET', ARGV[1], 1)", declared, args=(other,))
    )

    assert (error.kind, error.name) == ("key", other)


@pytest.mark.parametrize("other", [b"\xff\xfe", b"a\nb\0", bytes(range(128, 256))], ids=repr)
def test_the_named_key_has_its_exact_bytes(confined: Confined, other: bytes) -> None:
    error = _refused(confined, a_call("return redis.call('GET', ARGV[1])", b"k", args=(other,)))

    assert error.name == other
    assert repr(other)[1:] in str(error)


@pytest.mark.parametrize(
    "command",
    [
        "'KEYS', '*'",
        "'SCAN', 0",
        "'RANDOMKEY'",
        "'DBSIZE'",
        "'FLUSHALL'",
        "'FLUSHDB'",
        "'SWAPDB', 0, 1",
        "'SELECT', 1",
        "'MOVE', KEYS[1], 1",
        "'INFO'",
    ],
)
def test_commands_that_are_bound_to_no_key_are_refused(confined: Confined, command: str) -> None:
    error = _refused(confined, a_call(f"return redis.call({command})", b"k"))

    word = command.split("'")[1]
    assert (error.kind, error.name) == ("command", word.lower().encode())
    assert f"{word} does not keep to the declared keys" in str(error)


def test_sort_of_a_declared_key_is_harmless(confined: Confined, client: redis.Redis) -> None:
    client.rpush("l", "2", "1")

    assert confined.run(a_call("return redis.call('SORT', KEYS[1])", b"l")) == [b"1", b"2"]


def test_sort_cannot_store_or_look_elsewhere(confined: Confined, client: redis.Redis) -> None:
    client.rpush("l", "2", "1")
    client.mset({"w_1": "secret", "w_2": "secret"})

    stored = _refused(confined, a_call("return redis.call('SORT', KEYS[1], 'STORE', 'x')", b"l"))
    looked = a_call("return redis.pcall('SORT', KEYS[1], 'GET', 'w_*')", b"l")

    assert stored.name == b"x"
    with pytest.raises(Exception, match="insufficient ACL permissions"):
        confined.run(looked)


def test_a_read_only_script_reads_its_keys(confined: Confined, client: redis.Redis) -> None:
    client.set("k", "v")

    assert confined.run(a_call("return redis.call('GET', KEYS[1])", b"k", read_only=True)) == b"v"


def test_a_read_only_script_cannot_read_another_key(confined: Confined) -> None:
    error = _refused(confined, a_call("return redis.call('GET', 'other')", b"k", read_only=True))

    assert error.name == b"other"


def test_a_read_only_script_that_writes_its_own_key_is_found(
    confined: Confined, client: redis.Redis
) -> None:
    error = _refused(confined, a_call("return redis.call('SET', KEYS[1], 1)", b"k", read_only=True))

    assert str(error) == "probe.a@1.0.0: key 'k' is written by a script that is flags=no-writes"
    assert client.keys() == []


def test_an_error_of_the_script_itself_passes_unchanged(
    confined: Confined, client: redis.Redis
) -> None:
    client.set("k", "v")

    with pytest.raises(WrongType):
        confined.run(a_call("return redis.call('LPUSH', KEYS[1], 1)", b"k"))


def test_a_block_may_send_what_it_likes_as_the_confined_user(
    confined: Confined, client: redis.Redis
) -> None:
    with confined.entitled(a_call("return 1", b"k")) as user:
        user.set("k", "v")
    with (
        pytest.raises(UndeclaredAccess, match="'other'"),
        confined.entitled(a_call("return 1", b"k")) as user,
    ):
        user.set("other", "v")

    assert client.keys() == [b"k"]


def test_the_user_is_gone_afterwards(server: Server, client: redis.Redis) -> None:
    users = client.acl_users()

    with Confined(server.url) as confined:
        assert len(client.acl_users()) == len(users) + 1
        _refused(confined, a_call("return redis.call('GET', 'other')"))
        assert len(client.acl_users()) == len(users) + 1

    assert client.acl_users() == users


def test_the_user_is_gone_after_an_error(server: Server, client: redis.Redis) -> None:
    users = client.acl_users()

    with pytest.raises(UndeclaredAccess), Confined(server.url) as confined:
        confined.run(a_call("return redis.call('GET', 'other')"))

    assert client.acl_users() == users


def test_another_database_of_the_url_is_kept(server: Server, client: redis.Redis) -> None:
    url = server.url.replace("/0", "/3")

    with Confined(url) as confined:
        confined.run(a_call("return redis.call('SET', KEYS[1], 'v')", b"k"))
        left = _refused(confined, a_call("return redis.call('SELECT', 0)", b"k"))

    assert left.name == b"select"
    assert client.dbsize() == 0
    with redis.Redis.from_url(url) as third:
        assert third.get("k") == b"v"


def test_a_server_on_a_unix_socket_confines_too() -> None:
    with start(unix_socket=True) as server, Confined(server.url) as confined:
        assert _refused(confined, a_call("return redis.call('GET', 'o')")).name == b"o"


def test_a_user_who_may_not_make_users_is_told(server: Server, client: redis.Redis) -> None:
    client.acl_setuser("plain", enabled=True, passwords=["+pw"], keys=["*"], categories=["+@read"])
    try:
        url = server.url.replace("://", "://plain:pw@")
        with pytest.raises(ServerUnavailable, match="a user that may run ACL SETUSER"):
            Confined(url).__enter__()
    finally:
        client.acl_deluser("plain")


def test_outside_its_block_nothing_runs(server: Server) -> None:
    with Confined(server.url) as confined:
        pass

    with pytest.raises(RuntimeError, match="outside its with block"):
        confined.run(a_call("return 1"))
