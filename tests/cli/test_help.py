"""The command line as a whole: help that teaches, exit codes, colours."""

from __future__ import annotations

import pytest

from redislua import __version__
from redislua.cli import VERBS
from tests.cli.shell import redislua


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
    assert "No such command 'generat'" in done.stderr


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


def test_outside_a_project_a_verb_says_what_to_do_and_exits_2(tmp_path):
    for verb in ("check", "generate", "list", "test", "demo"):
        done = redislua(verb, cwd=tmp_path)

        assert done.returncode == 2, verb
        assert "redislua init" in done.stderr
        assert "Traceback" not in done.stderr
