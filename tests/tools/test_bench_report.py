"""The benchmark's arithmetic: medians, ratios, goals, and the tables that are made of them."""

import pytest

from tools.bench import goals, sections, table, workload
from tools.bench.__main__ import main
from tools.bench.measured import Contest, Entry, Figure, Report, Round


def entry(name: str, *rates: float, missing: str = "") -> Entry:
    """Return an entry whose rounds of one second had these rates."""
    rounds = tuple(Round(int(rate), 1.0, 0.5, 2.0 * rate, 0.25) for rate in rates)
    return Entry(name, rounds, missing)


def contest(name: str, *entries: Entry, baseline: str) -> Contest:
    """Return a contest of these entries."""
    return Contest(name, name, baseline, {one.name: one for one in entries})


def test_a_ratio_is_the_median_over_rounds_and_not_the_ratio_of_medians():
    held = contest("x", entry("a", 10, 20, 900), entry("b", 1, 10, 300), baseline="b")

    assert held.ratio("a", "b") == 3
    assert held.entries["a"].rate / held.entries["b"].rate == 2


def test_a_ratio_to_somebody_absent_is_none():
    held = contest("x", entry("a", 10), entry("b", missing="absent"), baseline="b")

    assert held.ratio("a", "b") is None
    assert held.ratio("a", "c") is None


def test_an_absent_contender_stays_in_the_table_with_its_reason():
    held = contest("x", entry("a", 10, 10), entry("b", missing="b is not installed"), baseline="a")

    rows = table.of_contest(held).rows

    assert rows[0][:4] == ["a", "1.00", "1.00-1.00", "1.00"]
    assert rows[1] == ["b", *["-"] * 8, "b is not installed"]


def test_a_contest_whose_baseline_is_absent_has_rates_and_no_ratios():
    held = contest("x", entry("a", 2_000, 2_000), entry("b", missing="gone"), baseline="b")

    assert table.of_contest(held).rows[0][:6] == ["a", "-", "-", "-", "2,000", "500.0"]


def test_markdown_escapes_what_would_end_a_cell():
    sheet = table.Sheet("T", ("a", "b"), [["x|y", ""]])

    assert sheet.markdown() == "### T\n\n| a | b |\n| --- | --- |\n| x\\|y |  |\n"


def test_a_goal_counts_the_slower_of_the_two_ways_to_call():
    held = contest(
        "asyncio 50",
        entry(sections.ARUN, 900, 900),
        entry(sections.ASYNC_LIMIT, 500, 500),
        entry(sections.POOL, 100, 100),
        baseline=sections.POOL,
    )

    lines = goals.sheet(Report(contests=[held])).rows

    assert lines[0] == ["50 asyncio callers, to redis-py", "at least 6 x", "5.00 x", "no"]


def test_a_goal_of_time_is_reached_from_below():
    held = contest(
        "asyncio 1",
        entry(sections.ARUN, 200),
        entry(sections.ASYNC_LIMIT, 160),
        entry(sections.POOL, 100),
        baseline=sections.POOL,
    )

    lines = goals.sheet(Report(contests=[held])).rows

    wanted = ["1 asyncio caller, share of redis-py's time", "at most 0.8", "0.62", "yes"]
    assert wanted in [list(line) for line in lines]


def test_goals_of_an_empty_report_are_all_not_measured():
    lines = goals.sheet(Report()).rows

    assert {line[-1] for line in lines} == {"not measured"}


def test_a_goal_of_two_figures_needs_both():
    name = "Resident memory of an idle client beyond redis-py's own"
    blocking = Figure("idle blocking resident", "", 3.0, "KB per client")
    failed = Figure("idle asyncio resident", "", None, "KB per client", "failed: x")
    measured = Figure("idle asyncio resident", "", 12.0, "KB per client")

    def line(*figures: Figure) -> list[str]:
        rows = goals.sheet(Report(figures=list(figures))).rows
        return next(list(row[2:]) for row in rows if row[0] == name)

    assert line(blocking) == line(blocking, failed) == ["-", "not measured"]
    assert line(blocking, measured) == ["12.00 KB", "no"]


def test_items_are_exactly_the_calls_asked_for_walking_around_the_subjects():
    names = workload.subjects(3)

    assert workload.items(names, 5, 1) == [*names, *names[:2]]
    assert workload.items(names, 4, 2) == [(names[0], names[1]), (names[2], names[0])]


def test_subjects_are_written_as_redis_benchmark_writes_random_numbers():
    assert workload.subjects(2) == ["user:000000000000", "user:000000000001"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [(["--only", "speed"], "'speed' is none of one, asyncio"), (["--rounds", "4"], "at least 5")],
)
def test_options_that_measure_nothing_sound_are_refused(arguments, reason, capsys):
    with pytest.raises(SystemExit):
        main(arguments)

    assert reason in capsys.readouterr().err
