"""The command table of a running server."""

from __future__ import annotations

import pytest

from redislua.errors import ServerUnavailable
from redislua.probe.commands import read_table, render_table, write_table
from redislua.server import Server
from redislua.syntax.commands import table


def test_what_was_read_from_a_server_is_a_table_for_the_linter(server: Server, tmp_path):
    path = tmp_path / "mine.json"

    said = write_table(server.url, path)

    mine = table(path)
    assert said == mine.server == server.version
    row = mine.get("ZADD")
    assert row is not None
    assert row.key_positions(["k", "1", "a"]) == [0]
    assert row.options["GT"].since == "6.2.0"


def test_the_same_server_gives_the_same_text(server: Server):
    assert render_table(read_table(server.url)) == render_table(read_table(server.url))


def test_a_server_that_cannot_be_reached_is_named_without_its_password():
    with pytest.raises(ServerUnavailable, match="cannot be read") as raised:
        read_table("redis://user:secret@127.0.0.1:1/0")

    assert "127.0.0.1:1" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_user_who_may_not_ask_is_told_so(client, server: Server):
    client.acl_setuser("reader", enabled=True, passwords=["+pw"], commands=["+info", "+ping"])
    url = server.url.replace("://", "://reader:pw@")
    try:
        with pytest.raises(ServerUnavailable, match=r"cannot be read: .*command"):
            read_table(url)
    finally:
        client.acl_deluser("reader")
