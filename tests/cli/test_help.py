"""The command line as a whole: help that teaches, exit codes, colours."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from redislua import __version__
from redislua.cli.verbs import VERBS
from tests.cli.shell import ROOT, redislua


def test_help_lists_every_verb():
    done = redislua("--help")

    assert done.returncode == 0
    for verb, about in VERBS.items():
        assert verb in done.stdout
        assert about.split(":")[0][:40] in done.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example_of_itself(verb):
    done = redislua(verb, "--help")

    assert done.returncode == 0
    example = done.stdout[done.stdout.index("Example") :]
    assert f"redislua {verb}" in example


def test_a_word_that_is_no_verb_exits_2():
    done = redislua("generat")

    assert done.returncode == 2
    assert "no verb is called 'generat': did you mean generate?" in done.stderr
    assert "lists all verbs" in redislua("zzz").stderr


def test_version_is_that_of_the_package():
    assert __version__ in redislua("--version").stdout


def test_nothing_is_coloured_where_nobody_looks():
    done = redislua("show", "limit.gcra")

    assert done.returncode == 0
    assert "\x1b[" not in done.stdout


def test_no_color_is_respected_on_a_terminal():
    plain = redislua("show", "limit.gcra", FORCE_COLOR="1", NO_COLOR="1")
    coloured = redislua("show", "limit.gcra", FORCE_COLOR="1", TERM="xterm-256color")

    assert "\x1b[3" not in plain.stdout
    assert "\x1b[" in coloured.stdout


def test_outside_a_project_the_catalogue_is_there(tmp_path):
    listed = redislua("list", cwd=tmp_path)
    shown = redislua("show", "limit.gcra", cwd=tmp_path)
    words = ("limit.gcra", "subject=u", "limit=5", "period=1s", "burst=5")
    called = redislua("run", *words, cwd=tmp_path)

    assert "limit.gcra" in listed.stdout
    assert "catalogue" in listed.stderr
    assert "Limited(remaining: int" in shown.stdout
    assert called.stdout == "Allowed remaining=4 reset_after=200ms\n"


def test_inside_another_project_the_catalogue_can_be_shown_and_called(tmp_path):
    assert redislua("init", cwd=tmp_path).returncode == 0

    assert redislua("show", "limit.gcra", cwd=tmp_path).returncode == 0
    assert "tickets.reserve" in redislua("list", cwd=tmp_path).stdout
    near = redislua("show", "tickets/reserve", cwd=tmp_path)
    assert near.returncode == 2
    assert "did you mean tickets.reserve?" in near.stderr


def test_without_the_toolchain_the_command_says_what_to_install():
    program = "import sys; sys.modules['click'] = None; from redislua.cli import main; main()"

    done = subprocess.run(
        [sys.executable, "-c", program, "--help"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert 'pip install "redislua[tools]"' in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_is_no_finding():
    process = subprocess.Popen(
        [sys.executable, "-m", "redislua.cli", "demo", "--calls", "100000"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    while not process.stdout.readline().startswith("server"):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, problems = process.communicate(timeout=30)

    assert process.returncode == 130
    assert "Traceback" not in problems


def test_output_that_cannot_be_written_is_one_clear_line():
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            [sys.executable, "-m", "redislua.cli", "list"],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert done.returncode == 2
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_outside_a_project_a_verb_says_what_to_do_and_exits_2(tmp_path):
    for verb in ("check", "generate"):
        done = redislua(verb, cwd=tmp_path)

        assert done.returncode == 2, verb
        assert "redislua init" in done.stderr
        assert "Traceback" not in done.stderr
