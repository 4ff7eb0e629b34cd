"""Closed outputs, gone readers, early interrupts: no verb takes them for a finding."""

from __future__ import annotations

import shlex
import subprocess
import sys

import pytest

from tests.cli.shell import ROOT

REDISLUA = f"{shlex.quote(sys.executable)} -m redislua"
QUIET = {
    "list": "list",
    "show": "show limit.gcra",
    "lint": "lint scripts",
    "check": "check",
    "explain": "explain RL001",
    "help": "lint --help",
}


def shell(line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-c", line], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("words", QUIET.values(), ids=QUIET)
@pytest.mark.parametrize("closing", [">&-", "2>&-", ">&- 2>&-"])
def test_a_closed_stream_is_no_failure(words: str, closing: str) -> None:
    done = shell(f"{REDISLUA} {words} {closing}")

    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", ["list", "explain", "lint --format json tests/lint/corpus"])
def test_a_reader_that_goes_away_is_told_as_shells_tell_it(words: str) -> None:
    # The reader is gone before the first byte comes.
    done = shell(f"(sleep 0.2; {REDISLUA} {words}; echo $? >&2) | true")

    assert done.stderr.splitlines()[-1] == "141", done.stderr
    assert "Traceback" not in done.stderr


def test_an_interrupt_while_the_program_is_read_is_no_traceback() -> None:
    program = (
        "import sys, redislua.cli\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'click':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "redislua.cli.main()\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (130, "")
