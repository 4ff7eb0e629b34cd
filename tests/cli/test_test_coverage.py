"""``redislua test --cov`` and ``--fault`` from a project of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.shell import redislua
from tests.probe.scripts import FIRST, write_script

BAD = "redis.call('SET', one, count)\nredis.call('HSET', two, 'f', count)\nreturn {'Done'}\n"
GOOD = "if count == '7' then\n  return {'Done'}\nend\nreturn {'Done'}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.redislua]\nscripts = "scripts"\noutput = "bindings"\n'
    )
    return tmp_path


def test_coverage_is_printed_and_written(project):
    write_script(project / "scripts", GOOD)

    ran = redislua("test", "--cov", "-v", "--cov=lcov:out/lua.info", "--cov=cobertura:out/lua.xml",
                   cwd=project)  # fmt: skip

    assert ran.returncode == 0, ran.stderr
    assert "4/5" in ran.stdout
    assert "1/2" in ran.stdout
    assert f"shop/work.v1.lua:{FIRST}:4 never true: if count == '7'" in ran.stdout
    assert "SF:scripts/shop/work.v1.lua" in (project / "out" / "lua.info").read_text()
    assert 'filename="scripts/shop/work.v1.lua"' in (project / "out" / "lua.xml").read_text()


def test_a_name_behind_a_bare_cov_is_a_name(project):
    write_script(project / "scripts", GOOD)
    write_script(project / "scripts", GOOD, name="other")

    ran = redislua("test", "--cov", "shop.other", cwd=project)

    assert ran.returncode == 0
    assert "shop/other.v1.lua" in ran.stdout
    assert "shop/work.v1.lua" not in ran.stdout


@pytest.mark.parametrize("value", ["lcvo:x", "lcov:", "html:out"])
def test_another_format_is_refused(value, project):
    write_script(project / "scripts", GOOD)

    ran = redislua("test", f"--cov={value}", cwd=project)

    assert ran.returncode == 2
    assert "expected lcov:FILE or cobertura:FILE" in ran.stderr


def test_a_write_before_a_failing_command_is_found(project):
    write_script(project / "scripts", BAD)

    ran = redislua("test", "--fault", cwd=project)

    assert ran.returncode == 1
    assert f"FAIL scripts/shop/work.v1.lua:{FIRST + 1} HSET 'shop:{{1}}:two' 'f' '2'" in ran.stdout
    assert f"stayed: line {FIRST} SET 'shop:{{1}}:one' '2'" in ran.stdout
    assert "with writes left behind" in ran.stdout


def test_a_script_that_leaves_nothing_passes(project):
    write_script(project / "scripts", GOOD)

    ran = redislua("test", "--fault", cwd=project)

    assert ran.returncode == 0
    assert "0 failures with writes left behind, 0 notes" in ran.stdout
