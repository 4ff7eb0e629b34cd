"""Reports survive their JSON, and histograms count every sample once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redislua.budget.model import Histogram, Reason, Report, Timing, bucket, next_bucket
from redislua.errors import ConfigError
from tests.budget.samples import case, report, script

FULL = report(
    script(case("n=1", 3), case("n=10", 3, instructions=None, slow=True)),
    script(case("worst", 9), reasons=(Reason("deterministic", "9 commands"),), name="a.b"),
    script(skipped="needs redis 8.0", name="a.c"),
)


def test_a_report_is_read_back_as_it_was_written():
    assert Report.from_json(FULL.to_json()) == FULL


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', '{"format": 99, "scripts": []}'])
def test_what_is_no_report_is_said_so(text):
    with pytest.raises(ConfigError, match="report"):
        Report.from_json(text)


def test_verdicts_are_of_reasons_alone():
    assert [each.verdict for each in FULL.scripts] == ["pass", "fail", "skip"]
    assert not FULL.passed
    assert report(*FULL.scripts[::2]).passed


def test_headroom_is_of_the_slowest_measured_case():
    passing, failing, skipped = FULL.scripts

    assert passing.worst is not None
    assert passing.worst.case.name == "n=10"
    assert FULL.headroom(passing) == pytest.approx(1_000 / 900)
    assert FULL.headroom(failing) is None
    assert FULL.headroom(skipped) is None


@given(st.integers(0, 10**9))
def test_a_time_lies_in_its_bucket_which_is_at_most_an_eighth_wide(time):
    floor = bucket(time)

    assert floor <= time < next_bucket(floor)
    assert next_bucket(floor) - floor <= max(1, floor / 8)
    assert bucket(floor) == floor
    assert bucket(next_bucket(floor)) == next_bucket(floor)


@given(st.lists(st.integers(0, 10**6), min_size=1))
def test_a_histogram_counts_every_sample_once(samples):
    histogram = Histogram.of(samples)
    timing = Timing.of(samples)

    assert sum(count for _, count in histogram.buckets) == len(samples) == timing.count
    assert [*histogram.buckets] == sorted(histogram.buckets)
    assert min(samples) <= timing.p50 <= timing.p99 <= timing.p999 <= timing.max == max(samples)
