"""Runs the installed command line in a subprocess, as a person would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def redislua(*words: str, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    """Run ``redislua`` with words and return what it printed and its exit code."""
    return subprocess.run(
        [sys.executable, "-m", "redislua", *words],
        cwd=cwd,
        env={**os.environ, "COLUMNS": "160", **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
