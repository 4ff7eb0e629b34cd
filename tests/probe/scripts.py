"""Small projects that a test writes: scripts with a sound header and a body of its own."""

from __future__ import annotations

from pathlib import Path

HEADER = """\
#!lua
--- Do something.
--
-- @version 1.0.0
-- @key     one   shop:{<id>}:one   string
-- @key     two   shop:{<id>}:two   hash
-- @arg     count int 0..100
-- @returns Done
-- @error   BadArgument An argument is malformed.
-- @retry   RETRY
-- @budget  calls<=9 growth=1
-- @example it works
--   EXAMPLE

local one, two = KEYS[1], KEYS[2]
local count = ARGV[1]

"""
FIRST = HEADER.count("\n") + 1
"""The line of the file on which a body begins."""


def write_script(
    folder: Path,
    body: str,
    *,
    name: str = "work",
    retry: str = "never",
    example: str = "NAME id=1 count=2 -> Done",
) -> Path:
    """Write ``shop/<name>.v1.lua`` and return the scripts folder."""
    file = folder / "shop" / f"{name}.v1.lua"
    file.parent.mkdir(parents=True, exist_ok=True)
    text = HEADER.replace("RETRY", retry).replace("EXAMPLE", example).replace("NAME", name)
    file.write_text(text + body)
    return folder
