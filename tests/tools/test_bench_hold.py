"""Waiting behind the worst cases: the run, and its section of the page."""

from __future__ import annotations

from tests.catalogue.samples import registry
from tools.bench.hold import HEADINGS, TITLE, Waits, hold, section, with_section

WAITS = [Waits(name, 10, (20, 30, 1_500)) for name in ("nothing", "`return 1`", "limit.gcra")]


def test_every_script_runs_beside_pings(server):
    version, waits = hold(server.kind, 0.05)

    assert version == server.version
    assert [one.name for one in waits] == ["nothing", "`return 1`", *registry().names]
    assert all(one.calls for one in waits[1:])
    assert all(one.microseconds == tuple(sorted(one.microseconds)) for one in waits)
    assert all(one.microseconds[0] > 0 for one in waits)


def test_the_section_names_the_longest_wait():
    text = section([("Valkey 9.1.2", [*WAITS, Waits("cache.fill", 1, (2_340,))])])

    assert "### Valkey 9.1.2: no PING waited longer than 2.34 ms" in text
    assert "| limit.gcra | 10 | 3 | 0.03 | 1.50 | 1.50 |" in text
    assert text.count(f"| {HEADINGS[0]} |") == 1


def test_the_section_is_added_and_then_replaced_where_it_stands():
    page = "# Side by side\n\n## Tables\n\nrows\n"
    old, new = (section([(version, WAITS)]) for version in ("Valkey 9.1.2", "Redis 8.2.3"))

    added = with_section(page, old)
    between = with_section(f"{added}\n## Last\n\nend\n", new)

    assert added.startswith(page)
    assert added.count(TITLE) == 1
    assert with_section(added, new) == with_section(page, new)
    assert between.count(TITLE) == 1
    assert "Valkey" not in between
    assert between.endswith("\n## Last\n\nend\n")
