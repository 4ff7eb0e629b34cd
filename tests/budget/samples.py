"""Reports made by hand, and projects with scripts in them."""

from __future__ import annotations

from pathlib import Path

from redislua.budget.model import (
    Case,
    CaseReport,
    Cost,
    Declared,
    Growth,
    Histogram,
    Measured,
    Reason,
    Report,
    ScriptReport,
    Timing,
)

TIMING = Timing.of([3, 4, 4, 5, 70, 900])


def case(
    name: str, calls: int, *, instructions: int | None = 100, slow: bool = False
) -> CaseReport:
    """A case of so many commands."""
    measured = Measured(TIMING, TIMING, 1, 4.0, 900.0 if slow else 9.0, 950.0) if slow else None
    cost = Cost(calls, (("get", calls),), instructions, 2, 7)
    size = int(name[2:]) if name.startswith("n=") else None
    return CaseReport(Case(name, "size", size, (("subject", "u"),)), "Allowed", cost, measured)


def script(
    *cases: CaseReport,
    reasons: tuple[Reason, ...] = (),
    skipped: str = "",
    name: str = "limit.gcra",
) -> ScriptReport:
    """A script with these cases."""
    file = f"{name.replace('.', '/')}.v1.lua"
    growth = (Growth("calls", ((1, 3), (10, 3)), "1"),)
    return ScriptReport(
        name, "1.0.0", file, "ab" * 20, "Take | tokens.", Declared(3, "1", None), cases, growth,
        ("GET a",), reasons, skipped, ("a note",),
    )  # fmt: skip


def report(*scripts: ScriptReport) -> Report:
    """A run of these scripts."""
    return Report("Valkey 9.1.2", 1_000, 5_000, 500, scripts)


HEADER = """\
#!lua{flags}
--- {summary}
--
-- @version 1.0.0
-- @key     members set:{{<name>}}:members set
-- @returns int
-- @retry   safe
-- @budget  {budget}
-- @example nothing is there
--   {name} name=a -> 0

local members = KEYS[1]

"""

LOOP = """\
local found = 0
for _, member in ipairs(redis.call('SMEMBERS', members)) do
  found = found + redis.call('SISMEMBER', members, member)
end
return found
"""
"""Looks at each member of a set of any size."""


def project(folder: Path, body: str, *, budget: str = "calls<=2 growth=1", flags: str = "") -> Path:
    """Write a project with one script, ``tags.walk``."""
    place = folder / "scripts" / "tags"
    place.mkdir(parents=True)
    header = HEADER.format(flags=flags, summary="Walk.", budget=budget, name="walk")
    (place / "walk.v1.lua").write_text(header + body)
    (folder / "pyproject.toml").write_text(
        '[tool.redislua]\nscripts = "scripts"\noutput = "generated"\n'
    )
    return folder


__all__ = ["LOOP", "TIMING", "Histogram", "case", "project", "report", "script"]
