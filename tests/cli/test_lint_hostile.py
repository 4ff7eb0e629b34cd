"""``redislua lint`` of what is no script, cannot be read, or is not there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.cli.lint_project import BAD, GOOD, folder, write
from tests.cli.shell import redislua

__all__ = ["folder"]


def one_line(folder: Path, *words: str, code: int) -> str:
    """Lint, and return the one line that it says about it."""
    done = redislua("lint", *words, "--format", "concise", "--no-cache", cwd=folder)
    told = done.stdout.splitlines() + done.stderr.splitlines()[:-1]
    assert done.returncode == code
    assert len(told) == 1
    assert "Traceback" not in done.stderr
    return told[0]


def test_a_file_of_ten_megabytes(folder):
    write(folder, big="-- x\n" * 2_000_000)

    assert one_line(folder, "lua", code=1) == (
        "lua/big.lua:1:1: RL001 error: the file has 10000000 bytes: up to 1048576 are analysed"
    )


def test_ten_megabytes_on_standard_input(folder):
    done = subprocess.run(
        [sys.executable, "-m", "redislua.cli", "lint", "-"],
        input=b" " * 10_000_000,
        cwd=folder,
        capture_output=True,
        check=False,
    )

    assert done.returncode == 1
    assert b"up to 1048576 are analysed" in done.stdout


def test_a_file_of_nul_bytes(folder):
    (folder / "lua" / "x.lua").write_bytes(b"\0" * 10_000)

    assert one_line(folder, "lua", code=1).startswith("lua/x.lua:1:1: RL001 error: ")


def test_a_program_that_is_called_lua(folder):
    (folder / "lua" / "x.lua").write_bytes(Path(sys.executable).resolve().read_bytes()[:5000])

    assert one_line(folder, "lua", code=1) == (
        "lua/x.lua:1:1: RL001 error: this is no text file: no server compiles it"
    )


def test_bytes_that_are_no_utf_8(folder):
    (folder / "lua" / "x.lua").write_bytes(b"return '\xff\xfe' '\n")

    assert one_line(folder, "lua", code=1).startswith("lua/x.lua:")


def test_a_link_to_itself(folder):
    (folder / "lua" / "x.lua").symlink_to("x.lua")

    assert one_line(folder, "lua", code=2).startswith("error: lua/x.lua: cannot be read")


def test_a_link_that_leads_nowhere(folder):
    (folder / "lua" / "x.lua").symlink_to("y")

    assert "leads nowhere" in one_line(folder, "lua", code=2)


def test_a_folder_without_scripts(folder):
    assert one_line(folder, "lua", code=2) == "error: lua: there is no .lua file in this folder"


def test_a_path_that_does_not_exist(folder):
    assert one_line(folder, "gone.lua", code=2) == (
        "error: gone.lua: there is no such file or folder"
    )


def test_a_fifo(folder):
    os.mkfifo(folder / "lua" / "x.lua")

    assert one_line(folder, "lua", code=2) == "error: lua/x.lua: not a regular file"


def test_a_file_that_cannot_be_read(folder):
    if os.geteuid() == 0:  # who may read everything cannot read this
        (folder / "lua" / "x.lua").symlink_to("/proc/self/mem")
    else:
        write(folder, x=GOOD)
        (folder / "lua" / "x.lua").chmod(0)

    assert one_line(folder, "lua", code=2).startswith("error: lua/x.lua: cannot be read: ")


def test_trouble_with_one_file_hides_no_other(folder):
    write(folder, a=BAD)
    (folder / "lua" / "x.lua").symlink_to("y")

    done = redislua("lint", "lua", "--format", "concise", cwd=folder)

    assert done.returncode == 2
    assert done.stdout.startswith("lua/a.lua:1:11")
    assert done.stderr.splitlines()[-1] == "1 error in 1 file; 1 could not be looked at"


def test_a_name_that_no_terminal_can_show(folder):
    (folder / "lua" / "x\n::error::\x1b[2J.lua").write_text(BAD)

    done = redislua("lint", "lua", "--format", "github", cwd=folder)

    assert len(done.stdout.splitlines()) == 1
    assert "\x1b" not in done.stdout


def test_an_output_that_cannot_hold_a_character_is_no_failure(folder):
    write(folder, a="local x = = 'é€'\n")

    done = redislua("lint", "lua", cwd=folder, PYTHONIOENCODING="ascii")

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
