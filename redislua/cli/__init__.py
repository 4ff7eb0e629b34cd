"""The ``redislua`` command line."""

from __future__ import annotations

import os
import sys

INTERRUPTED = 128 + 2
BROKEN_PIPE = 128 + 13
"""Exit codes of a process that a signal ended, as shells report them."""


def main() -> None:
    """Run a verb. Exit codes: 0 fine, 1 found something wrong, 2 could not run."""
    try:
        sys.exit(_run())
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except ModuleNotFoundError as missing:
        sys.exit(_lacks(missing))


def _run() -> int:
    # Imported here, where an interrupt and a missing package are expected.
    import click

    from redislua.cli.verbs import ReaderGone, group

    try:
        code: int = group.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return INTERRUPTED
    except ReaderGone:
        # The interpreter flushes stdout once more on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return BROKEN_PIPE
    return code


def _lacks(missing: ModuleNotFoundError) -> int:
    """Say what to install when the toolchain is not there; anything else is our own mistake."""
    if missing.name is None or missing.name.split(".")[0] not in TOOLCHAIN:
        raise missing
    print(
        f"error: {missing.name} is not installed: the command line needs "
        'pip install "redislua[tools]", and pip install "redislua[tools,server]" to call scripts',
        file=sys.stderr,
    )
    return 2


TOOLCHAIN = ("click", "rich", "jinja2", "lupa", "ruff", "tree_sitter", "tree_sitter_lua")
