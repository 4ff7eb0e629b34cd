"""``redislua lint``: what it prints, what it changes, how it ends."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from tests.cli.lint_project import BAD, GOOD, IDLE, folder, project, write
from tests.cli.shell import redislua
from tests.lint.samples import HEADER

__all__ = ["folder", "project"]


def test_nothing_found_exits_0(folder):
    write(folder, a=GOOD, b=GOOD)

    done = redislua("lint", "lua", cwd=folder)

    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "2 files: nothing found\n"


def test_findings_exit_1_and_are_shown_in_full(folder):
    write(folder, a=BAD, b=IDLE)

    done = redislua("lint", "lua", cwd=folder)

    assert done.returncode == 1
    assert done.stdout.startswith(
        "lua/a.lua:1:11: error[RL001] syntax-error: unexpected symbol near '='\n"
        "  1 | local x = = 1\n"
        "    |           ^\n"
    )
    assert done.stderr == "1 error, 1 warning in 2 files; 1 can be fixed with --fix\n"


def test_a_warm_run_says_the_same(folder):
    write(folder, a=BAD, b=IDLE)

    cold, warm = (redislua("lint", "lua", cwd=folder) for _ in range(2))

    assert (folder / "cache" / "redislua" / "lint").is_file()
    assert (cold.returncode, cold.stdout, cold.stderr) == (
        warm.returncode,
        warm.stdout,
        warm.stderr,
    )


def test_no_cache_leaves_no_trace(folder):
    write(folder, a=BAD)

    redislua("lint", "lua", "--no-cache", cwd=folder)

    assert sorted(path.name for path in folder.iterdir()) == ["lua"]


def test_standard_input_is_one_script(folder):
    done = subprocess.run(
        [sys.executable, "-m", "redislua.cli", "lint", "-", "--format", "concise"],
        cwd=folder,
        input=BAD,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stdout == "<stdin>:1:11: RL001 error: unexpected symbol near '='\n"


def test_rules_are_selected_and_ignored(folder):
    write(folder, a=BAD, b=IDLE)

    def codes(*words: str) -> list[str]:
        done = redislua("lint", "lua", "--format", "json", *words, cwd=folder)
        return [row["code"] for row in json.loads(done.stdout)]

    assert codes() == ["RL001", "RL901"]
    assert codes("--select", "RL0") == ["RL001"]
    assert codes("--select", "RL001,RL901", "--ignore", "syntax-error") == []
    assert codes("--ignore", "unused-suppression") == ["RL001"]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--select", "RL777"), "no lint rule is called 'RL777'"),
        (("--target", "redis>7"), "redis>7"),
        (("--target", "redis"), "quoted in a shell"),
        (("--select", ""), "--select names nothing"),
        (("--ignore", ","), "--ignore names nothing"),
        (("--format", "xml"), "'xml' is not one of"),
        (("--add-ignores",), "needs --reason"),
        (("--reason", "x"), "is for --add-ignores"),
        (("--fix", "--add-ignores", "--reason", "x"), "two steps"),
        (("-",), "stands alone"),
        (("--output", "nowhere/x.txt"), "error: nowhere/x.txt: no such file or directory"),
    ],
)
def test_what_cannot_be_done_exits_2_with_a_reason(folder, words, problem):
    write(folder, a=GOOD)

    done = redislua("lint", "lua", *words, cwd=folder)

    assert done.returncode == 2
    assert problem in done.stderr
    assert "Traceback" not in done.stderr


def test_standard_input_is_fixed_on_standard_output(folder):
    broken = "count = redis.call('GET', KEYS[1])\nreturn count\n"
    done = subprocess.run(
        [sys.executable, "-m", "redislua", "lint", "-", "--fix", "--format", "concise"],
        cwd=folder,
        input=broken,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout == f"local {broken}"
    assert done.stderr == "1 file: nothing found; 1 fixed\n"
    assert done.returncode == 0


def test_definitions_for_editors_are_no_scripts(folder):
    assert redislua("init", cwd=folder).returncode == 0
    assert redislua("init", "--editor", cwd=folder).returncode == 0

    done = redislua("lint", ".luals/redis.lua", cwd=folder)

    assert (done.returncode, done.stdout) == (0, "")


def test_outside_a_project_paths_must_be_given(folder):
    done = redislua("lint", cwd=folder)

    assert done.returncode == 2
    assert "name the files or folders" in done.stderr


# --- a project -------------------------------------------------------------------------------


def test_without_paths_the_projects_scripts_are_linted(project):
    broken = HEADER.replace("local visits =", "local visits ==")
    (project / "scripts" / "visits" / "count.v1.lua").write_text(broken)
    (project / "scripts" / "visits" / "count.v1.worst.lua").write_text("return = 1\n")

    done = redislua("lint", "--format", "concise", cwd=project)
    below = redislua("lint", "--format", "concise", cwd=project / "scripts")

    assert done.stdout.startswith("scripts/visits/count.v1.lua:12:14: RL001")
    assert len(done.stdout.splitlines()) == 1
    assert below.stdout.startswith("visits/count.v1.lua:12:14") or below.returncode == 1
    assert (project / ".redislua_cache" / "lint").is_file()


def test_the_projects_settings_hold_unless_the_run_is_isolated(project):
    (project / "scripts" / "visits" / "count.v1.lua").write_text(HEADER.replace("string", "strnig"))
    write(project, old=BAD, new=BAD)

    def files(*words: str) -> set[str]:
        done = redislua("lint", "lua", "scripts", "--format", "json", *words, cwd=project)
        return {row["file"] for row in json.loads(done.stdout)}

    assert files() == {"lua/new.lua"}
    assert files("--isolated") == {
        "lua/new.lua",
        "lua/old.lua",
        "scripts/visits/count.v1.lua",
    }


# --- forms of output -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ('ignore = ["RL777"]', "no lint rule is called 'RL777'"),
        ('targets = ["redis>=7.4", "redis>=8"]', "a second bound of redis"),
        ('per-file-ignores = {"old/*" = "RL5"}', 'per-file-ignores."old/*": expected a list'),
    ],
)
def test_what_is_wrong_in_the_projects_file_is_said_to_be_there(folder, table, problem):
    write(folder, a=GOOD)
    (folder / "pyproject.toml").write_text(f"[tool.redislua.lint]\n{table}\n")

    done = redislua("lint", "lua", "--no-cache", cwd=folder)

    assert done.returncode == 2
    assert f"{folder / 'pyproject.toml'}: [tool.redislua.lint] " in done.stderr
    assert problem in done.stderr


def test_excluded_files_are_passed_by_even_where_they_are_named(folder):
    write(folder, a=BAD, b=GOOD)
    (folder / "pyproject.toml").write_text('[tool.redislua.lint]\nexclude = ["lua/a*"]\n')

    done = redislua("lint", "lua", "lua/a.lua", cwd=folder)

    assert (done.returncode, done.stderr) == (0, "1 file: nothing found\n")


def test_every_document_can_be_read(folder):
    write(folder, a=BAD, b=IDLE, c=GOOD)

    for form in ("json", "gitlab", "sarif"):
        done = redislua("lint", "lua", "--format", form, cwd=folder)
        assert done.returncode == 1
        assert json.loads(done.stdout)
    junit = redislua("lint", "lua", "--format", "junit", cwd=folder)
    root = ElementTree.fromstring(junit.stdout)  # noqa: S314 - our own
    assert len(root.findall("testsuite")) == 3


def test_a_file_takes_the_output_and_stdout_stays_empty(folder):
    write(folder, a=BAD)

    for form in ("full", "github", "sarif"):
        done = redislua("lint", "lua", "--format", form, "--output", "out.txt", cwd=folder)
        shown = redislua("lint", "lua", "--format", form, cwd=folder)
        assert (done.returncode, done.stdout) == (1, "")
        assert (folder / "out.txt").read_text() == shown.stdout != ""


def test_findings_are_printed_before_the_last_file_is_read(folder):
    write(folder, a=BAD)
    fifo = folder / "gate"
    os.mkfifo(fifo)
    program = f"""
import sys
from redislua.lint import engine
real = engine.read
def read(path):
    if path.endswith("b.lua"):
        open({str(fifo)!r}).read()
    return real(path)
engine.read = read
from redislua.cli import main
main()
"""
    write(folder, b=GOOD)
    process = subprocess.Popen(
        [sys.executable, "-c", program, "lint", "lua", "--format", "concise"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    first = process.stdout.readline()  # b.lua is held until the FIFO is written
    fifo.write_text("go")
    _, told = process.communicate(timeout=60)

    assert first.startswith("lua/a.lua:1:11")
    assert "in 2 files" in told


def test_a_terminal_gets_colours(folder):
    write(folder, a=BAD)

    coloured = redislua("lint", "lua", cwd=folder, FORCE_COLOR="1", TERM="xterm-256color")
    plain = redislua("lint", "lua", cwd=folder, FORCE_COLOR="1", NO_COLOR="1")

    assert "\x1b[" in coloured.stdout
    assert "\x1b[3" not in plain.stdout


def test_who_waits_at_a_terminal_sees_how_far_it_is(folder):
    write(folder, **{f"s{number}": f"return {number}\n" for number in range(40)})
    program = """
from redislua.cli import lint_output, main
lint_output.PATIENCE_S = lint_output.BETWEEN_S = 0
main()
"""
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", program, "lint", "lua", "--no-cache"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        check=False,
    )
    os.close(theirs)
    told = os.read(ours, 100_000).decode()
    os.close(ours)

    assert done.returncode == 0
    assert "\x1b[K7 files: lua/" in told
    assert told.endswith("40 files: nothing found\r\n")


# --- changes ---------------------------------------------------------------------------------


def test_fix_changes_files_and_a_second_time_nothing(folder):
    write(folder, a=IDLE, b=GOOD)

    first = redislua("lint", "lua", "--fix", cwd=folder)
    stamp = (folder / "lua" / "a.lua").stat().st_mtime_ns
    second = redislua("lint", "lua", "--fix", cwd=folder)

    assert (folder / "lua" / "a.lua").read_text() == GOOD
    assert (first.returncode, first.stderr) == (0, "2 files: nothing found; 1 fixed\n")
    assert (second.returncode, second.stderr) == (0, "2 files: nothing found\n")
    assert (folder / "lua" / "a.lua").stat().st_mtime_ns == stamp


def test_add_ignores_silences_what_there_is(folder):
    write(folder, a=BAD)

    first = redislua("lint", "lua", "--add-ignores", "--reason", "a  template", cwd=folder)
    second = redislua("lint", "lua", cwd=folder)

    assert (folder / "lua" / "a.lua").read_text() == (
        f"-- redislua: file-ignore[RL001] -- a template\n{BAD}"
    )
    assert (first.returncode, first.stderr) == (0, "1 file: nothing found; 1 silenced\n")
    assert second.returncode == 0
