"""What ``redislua check`` finds with the linter, and the commands of a server of one's own."""

from __future__ import annotations

from redislua.server import start
from tests.cli.lint_project import folder, project
from tests.cli.shell import redislua
from tests.lint.samples import HEADER

__all__ = ["folder", "project"]


def test_check_finds_what_lint_finds(project):
    path = project / "scripts" / "visits" / "count.v1.lua"
    path.write_text(HEADER.replace("visits)\n", "visits) -- redislua: ignore[RL001] -- old\n"))
    assert redislua("generate", cwd=project).returncode == 0

    checked = redislua("check", cwd=project)
    linted = redislua("lint", "--ignore", "RL903", cwd=project)

    assert checked.returncode == linted.returncode == 1
    assert checked.stdout == linted.stdout
    assert "scripts/visits/count.v1.lua:14:35: warning[RL901]" in checked.stdout


def test_check_honours_the_projects_lint_settings(project):
    path = project / "scripts" / "visits" / "count.v1.lua"
    path.write_text(HEADER.replace("visits)\n", "visits) -- redislua: ignore[RL001] -- old\n"))
    settings = (project / "pyproject.toml").read_text()
    (project / "pyproject.toml").write_text(
        settings.replace('"lua/old*" = ["RL001"]', '"scripts/visits/*" = ["RL901"]')
    )
    assert redislua("generate", cwd=project).returncode == 0

    assert redislua("check", cwd=project).returncode == 0


def test_check_says_what_is_wrong_with_a_header_once(project):
    path = project / "scripts" / "visits" / "count.v1.lua"
    path.write_text(HEADER.replace("string", "strnig"))
    (project / "pyproject.toml").write_text('[tool.redislua]\noutput = "bindings"\n')

    done = redislua("check", cwd=project)

    assert done.returncode == 1
    assert done.stdout.count("'strnig'") == 1


def test_the_commands_of_a_server_of_ones_own(tmp_path):
    """It lacks a command that every server of its version has."""
    (tmp_path / "pyproject.toml").write_text("[tool.redislua.lint]\n")
    (tmp_path / "a.lua").write_text("return {redis.call('ECHO', 'a'), redis.call('LOLWUT')}\n")

    with start(config={"rename-command": "LOLWUT ''"}) as server:
        done = redislua("lint", "--commands-from", server.url, "a.lua", cwd=tmp_path)
    table = tmp_path / "redis-commands.json"
    (tmp_path / "pyproject.toml").write_text(f'[tool.redislua.lint]\ncommands = "{table.name}"\n')
    again = redislua("lint", "a.lua", cwd=tmp_path)
    without = redislua("lint", "a.lua", "--isolated", cwd=tmp_path)

    assert f"wrote the commands of {server.version}" in done.stderr
    assert f'commands = "{table.name}" in [tool.redislua.lint]' in done.stderr
    for found in (done, again):
        assert found.returncode == 1
        assert (
            f"`LOLWUT` came with Redis 5.0 and Valkey 5.0: not on {server.version}" in found.stdout
        )
    assert (without.returncode, without.stdout) == (0, "")


def test_a_server_that_does_not_answer_leaves_no_table(tmp_path):
    (tmp_path / "a.lua").write_text("return 1\n")

    done = redislua("lint", "--commands-from", "redis://127.0.0.1:1", "a.lua", cwd=tmp_path)

    assert done.returncode == 2
    assert "127.0.0.1:1 cannot be read" in done.stderr
    assert not (tmp_path / "redis-commands.json").exists()
