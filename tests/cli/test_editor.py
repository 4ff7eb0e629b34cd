"""``redislua init --editor``: what editors and luacheck are told of Lua inside Redis."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from redislua.syntax.chunk import parse
from redislua.syntax.commands import table
from redislua.syntax.gate import problems
from tests.cli.shell import ROOT, redislua

PYPROJECT = '[tool.redislua]\nscripts = "scripts"\noutput = "calls"\n'
DEFINITIONS = ".luals/redis.lua"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    return tmp_path


def test_it_writes_definitions_and_settings(project: Path) -> None:
    done = redislua("init", "--editor", cwd=project)

    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:3] == [
        f"wrote {DEFINITIONS}",
        "wrote .luarc.json",
        "wrote .luacheckrc",
    ]
    settings = json.loads((project / ".luarc.json").read_text())
    assert settings["runtime.version"] == "Lua 5.1"
    assert settings["workspace.library"] == [DEFINITIONS]


def test_the_definitions_are_lua_and_name_each_command_that_a_script_may_call(
    project: Path,
) -> None:
    redislua("init", "--editor", cwd=project)
    source = (project / DEFINITIONS).read_bytes()
    text = source.decode()

    assert problems(source) == ()
    assert '---@overload fun(command: "HGETALL", key: string): string[]' in text
    assert '---@overload fun(command: "GET", key: string): string|false' in text
    assert '---| "ZADD" # ZADD key score member … (write, O(log(N)))' in text
    assert '"DELIFEQ"' in text
    for row in table("valkey-9.1"):
        if row.reply == "none":
            assert f'fun(command: "{row.name}"' not in text


def test_commands_of_other_servers_are_left_out(project: Path) -> None:
    extended = f'{PYPROJECT}\n[tool.redislua.lint]\ntargets = ["redis>=7.0"]\n'
    (project / "pyproject.toml").write_text(extended)
    redislua("init", "--editor", cwd=project)

    text = (project / DEFINITIONS).read_text()

    assert '"DELIFEQ"' not in text
    assert '"HEXPIRE"' in text


def test_it_can_be_run_again_and_keeps_what_is_the_users(project: Path) -> None:
    redislua("init", "--editor", cwd=project)
    again = redislua("init", "--editor", cwd=project)
    (project / ".luarc.json").write_text('{"runtime.version": "LuaJIT"}')
    (project / DEFINITIONS).unlink()
    refused = redislua("init", "--editor", cwd=project)

    assert again.returncode == 0
    assert refused.returncode == 2
    assert ".luarc.json is there already; nothing was changed" in refused.stderr
    assert not (project / DEFINITIONS).exists()
    assert (project / ".luarc.json").read_text() == '{"runtime.version": "LuaJIT"}'


def test_the_globals_are_those_that_the_catalogue_uses(project: Path) -> None:
    redislua("init", "--editor", cwd=project)
    text = (project / DEFINITIONS).read_text() + (project / ".luacheckrc").read_text()

    for path in sorted((ROOT / "scripts").glob("*/*.lua")):
        for name in parse(path.read_bytes()).globals:
            assert name.id in text


@pytest.mark.skipif(shutil.which("luacheck") is None, reason="luacheck is not installed")
def test_luacheck_knows_the_globals_of_the_catalogue(project: Path) -> None:
    redislua("init", "--editor", cwd=project)
    shutil.copytree(ROOT / "scripts", project / "scripts")

    done = subprocess.run(
        [shutil.which("luacheck") or "", "--no-color", "--no-max-line-length", "scripts"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout
