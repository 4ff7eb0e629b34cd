"""Folders and projects to lint, for the tests of ``redislua lint``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lint.samples import HEADER

GOOD = "return redis.call('GET', KEYS[1])\n"
BAD = "local x = = 1\nreturn x\n"
IDLE = "return redis.call('GET', KEYS[1]) -- redislua: ignore[RL001] -- old\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder without a project, and a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "lua").mkdir()
    return tmp_path


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / "lua" / f"{name}.lua").write_text(text)


@pytest.fixture
def project(folder):
    (folder / "scripts" / "visits").mkdir(parents=True)
    (folder / "scripts" / "visits" / "count.v1.lua").write_text(HEADER)
    (folder / "pyproject.toml").write_text(
        '[tool.redislua]\noutput = "bindings"\n'
        '[tool.redislua.lint]\nignore = ["RL903"]\nper-file-ignores = {"lua/old*" = ["RL001"]}\n'
    )
    return folder
