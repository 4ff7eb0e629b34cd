"""Verbs that read scripts: check, generate, list, show. On copies of the real catalogue."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from tests.catalogue.samples import registry
from tests.cli.shell import ROOT, redislua


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of this repository's own scripts and bindings."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    (tmp_path / "pyproject.toml").write_text(
        '[tool.redislua]\nscripts = "scripts"\noutput = "generated"\n'
    )
    assert redislua("generate", cwd=tmp_path).returncode == 0
    return tmp_path


def change(project: Path, file: str, old: str, new: str) -> None:
    path = project / "scripts" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_check_passes_on_the_catalogue(project):
    done = redislua("check", cwd=project)

    assert (done.returncode, done.stderr) == (0, "")
    assert f"{len(registry().scripts)} scripts checked: all good" in done.stdout


def test_one_letter_of_a_header_makes_generated_code_stale(project):
    change(project, "limit/gcra.v1.lua", "Take tokens", "Take Tokens")

    stale = redislua("generate", "--check", cwd=project)
    shown = redislua("generate", "--diff", cwd=project)
    checked = redislua("check", cwd=project)
    written = redislua("generate", cwd=project)
    current = redislua("generate", "--check", cwd=project)

    assert stale.returncode == 1
    assert stale.stdout == ""
    assert shown.returncode == 1
    assert '-    """Take tokens' in shown.stdout
    assert '+    """Take Tokens' in shown.stdout
    assert checked.returncode == 1
    assert "generated/limit.py: not what the scripts give" in checked.stdout
    assert written.returncode == 0
    assert "updated generated/limit.py" in written.stdout
    assert current.returncode == 0


def test_check_reports_every_problem_of_every_file(project):
    change(project, "limit/gcra.v1.lua", "@retry", "@retri")
    change(project, "limit/gcra.v1.lua", "local state = KEYS[1]", "local state == KEYS[1]")
    change(project, "cache/read.v1.lua", "hash expires", "hsah expires")

    done = redislua("check", cwd=project)

    assert done.returncode == 1
    assert "cache/read.v1.lua:10:42: 'hsah' is not a Redis type" in done.stdout
    assert "unknown tag @retri" in done.stdout
    assert "unexpected symbol near '=='" in done.stdout or "near '=='" in done.stdout
    assert "^^^^" in done.stdout
    assert "problems" in done.stderr
    assert "Traceback" not in done.stderr


def test_generate_writes_nothing_when_a_header_is_wrong(project):
    before = {path: path.read_text() for path in (project / "generated").iterdir()}
    change(project, "limit/gcra.v1.lua", "@retry", "@retri")
    change(project, "cache/read.v1.lua", "without taking", "not taking")

    done = redislua("generate", cwd=project)

    assert done.returncode == 1
    assert {path: path.read_text() for path in (project / "generated").iterdir()} == before


def test_generate_refuses_a_file_that_is_not_ours(project):
    (project / "generated" / "limit.py").write_text("precious = True\n")

    done = redislua("generate", cwd=project)

    assert done.returncode == 2
    assert "limit.py: not a generated file" in done.stderr
    assert (project / "generated" / "limit.py").read_text() == "precious = True\n"


def test_a_family_that_is_gone_takes_its_module_with_it(project):
    shutil.rmtree(project / "scripts" / "limit")

    assert redislua("generate", "--check", cwd=project).returncode == 1
    assert "removed generated/limit.py" in redislua("generate", cwd=project).stdout
    assert not (project / "generated" / "limit.py").exists()


def test_two_majors_of_one_script_stand_side_by_side(project):
    change(project, "limit/gcra.v1.lua", "Take tokens", "Take some tokens")
    made = redislua("new", "limit/gcra", "--next-major", cwd=project)
    generated = redislua("generate", cwd=project)

    assert "wrote scripts/limit/gcra.v2.lua" in made.stdout
    assert generated.returncode == 0, generated.stdout
    new = redislua("run", "limit.gcra", *GCRA, cwd=project)
    old = redislua("run", "limit.gcra_v1", *GCRA, cwd=project)
    assert new.stdout == old.stdout == "Allowed remaining=4 reset_after=200ms\n"
    assert "limit.gcra_v1" in redislua("list", cwd=project).stdout


GCRA = ("subject=u", "limit=5", "period=1s", "burst=5")


def test_list_names_every_script_and_json_can_be_read():
    plain = redislua("list")
    rows = json.loads(redislua("list", "--json").stdout)

    files = sorted(path.relative_to(ROOT / "scripts").as_posix() for path in SCRIPTS)
    assert sorted(row["file"] for row in rows) == files
    for row in rows:
        assert row["name"] in plain.stdout
        assert row["version"].count(".") == 2


SCRIPTS = [path for path in (ROOT / "scripts").rglob("*.lua") if ".worst." not in path.name]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_show_prints_the_sha1_that_sha1sum_prints(path):
    name = f"{path.parent.name}.{path.name.split('.')[0]}"

    done = redislua("show", name)

    assert done.returncode == 0
    digest = hashlib.sha1(path.read_bytes(), usedforsecurity=False).hexdigest()
    assert f"sha1 {digest}" in done.stdout


def test_show_of_an_unknown_script_lists_the_known():
    done = redislua("show", "limit.gcrap")

    assert done.returncode == 2
    assert "limit.gcra" in done.stderr
