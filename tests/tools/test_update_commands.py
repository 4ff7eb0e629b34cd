"""The command tables are those of the servers that are here."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from redislua.errors import ServerUnavailable
from redislua.syntax.commands.tables import FOLDER, LINES
from tests.servers import KNOWN, present
from tools import update_commands


def test_tables_agree_with_the_servers_that_are_here(capsys):
    """If it fails: run python tools/update_commands.py, and look at the diff."""
    code = update_commands.main(["--check"])

    said = capsys.readouterr().out
    assert code == 0, said
    for line in LINES:
        was_read = f"{line}: read from" in said
        assert was_read == (line in present()), said
        assert was_read or f"{line}.json was not looked at" in said


def test_check_shows_the_row_that_differs_and_writes_nothing(monkeypatch, tmp_path, capsys):
    changed = _copy(tmp_path)
    text = changed.read_text().replace('"GET":{"arity":2', '"GET":{"arity":3')
    changed.write_text(text)
    monkeypatch.setattr(update_commands, "FOLDER", tmp_path)
    monkeypatch.setattr(update_commands, "LINES", ("valkey-9.1",))

    code = update_commands.main(["--check"])

    said = capsys.readouterr().out
    assert code == 1
    assert '-"GET":{"arity":3' in said
    assert '+"GET":{"arity":2' in said
    assert "run python tools/update_commands.py" in said
    assert changed.read_text() == text


def test_without_check_the_file_is_written(monkeypatch, tmp_path, capsys):
    path = _copy(tmp_path)
    right = path.read_text()
    path.write_text("")
    monkeypatch.setattr(update_commands, "FOLDER", tmp_path)
    monkeypatch.setattr(update_commands, "LINES", ("valkey-9.1",))

    code = update_commands.main([])

    assert code == 0
    assert "valkey-9.1: read from Valkey 9.1" in capsys.readouterr().out
    assert path.read_text() == right


def test_a_binary_of_another_version_is_refused():
    kind = KNOWN["valkey-9.1"]()
    assert kind is not None

    with pytest.raises(ServerUnavailable, match=r"redis-7\.2: .* is Valkey 9\.1"):
        update_commands._read("redis-7.2", kind)


@pytest.mark.parametrize("given", ["redis-7.2", "redis-6.2=/bin/true", "=x"])
def test_a_binary_needs_a_line_and_a_path(given, capsys):
    with pytest.raises(SystemExit) as ended:
        update_commands.main(["--binary", given])

    assert ended.value.code == 2
    assert "expected LINE=PATH with one of redis-7.0" in capsys.readouterr().err


def test_a_binary_that_does_not_exist_is_no_server():
    path = Path(sys.prefix) / "no-such-server"

    with pytest.raises(ServerUnavailable):
        update_commands._read("redis-7.2", f"binary:{path}")


def _copy(folder: Path) -> Path:
    """The table of the default server in a folder of the test's own."""
    path = folder / "valkey-9.1.json"
    path.write_bytes((FOLDER / "valkey-9.1.json").read_bytes())
    return path
