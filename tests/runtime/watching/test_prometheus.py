"""Durations as a scrape gets them."""

from __future__ import annotations

import gc
import weakref
from functools import partial
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter, generate_latest

from redislua.bindings import limit
from redislua.errors import ConfigError, ServerUnreachable
from redislua.runtime.watching.prometheus import BUCKETS, CallSeconds
from tests.runtime.watching.watched import at_once, ended, watched

GCRA = limit.gcra(subject="prometheus", limit=1, period=1_000_000, burst=1)


@pytest.fixture
def registry() -> CollectorRegistry:
    """A registry of the test's own."""
    return CollectorRegistry()


def count(registry: CollectorRegistry, outcome: str = "replied", **labels: str) -> float | None:
    script = GCRA.script
    return registry.get_sample_value(
        "redislua_call_seconds_bucket" if labels else "redislua_call_seconds_count",
        {"script": script.name, "version": script.version, "outcome": outcome, **labels},
    )


def test_calls_are_counted_by_script_version_and_outcome(
    client: Any, registry: CollectorRegistry
) -> None:
    observer = CallSeconds(registry=registry)
    error = ServerUnreachable("refused", script=str(GCRA.script))

    watched(client, observer, GCRA)
    watched(client, observer, GCRA)
    observer.on_call(ended(1, of=GCRA, outcome="not_executed", error=error))

    assert count(registry) == 2
    assert count(registry, "not_executed") == 1
    assert count(registry, "failed") is None


def test_a_bucket_ends_at_the_limit_of_five_milliseconds(registry: CollectorRegistry) -> None:
    observer = CallSeconds(registry=registry)
    for milliseconds in (0.2, 4.9, 5.1, 6_000):
        observer.on_call(ended(milliseconds, of=GCRA))

    assert (BUCKETS[0], BUCKETS[-1]) == (0.00025, 5.0)
    found = {bound: count(registry, le=bound) for bound in ("0.00025", "0.005", "5.0", "+Inf")}
    assert found == {"0.00025": 1, "0.005": 2, "5.0": 3, "+Inf": 4}


def test_observers_of_one_registry_share_its_histogram(registry: CollectorRegistry) -> None:
    first, second = CallSeconds(registry=registry), CallSeconds(registry=registry)

    first.on_call(ended(1, of=GCRA))
    second.on_call(ended(1, of=GCRA))

    assert count(registry) == 2


@pytest.mark.usefixtures("busy_switching")
def test_threads_that_make_it_at_once_share_the_histogram() -> None:
    for _ in range(50):
        registry = CollectorRegistry()

        at_once(*[partial(observe_one, registry)] * 8)

        assert count(registry) == 8


def observe_one(registry: CollectorRegistry) -> None:
    CallSeconds(registry=registry).on_call(ended(1, of=GCRA))


def test_registries_are_apart(registry: CollectorRegistry) -> None:
    other = CollectorRegistry()
    CallSeconds(registry=registry).on_call(ended(1, of=GCRA))
    CallSeconds(registry=other)

    assert count(registry) == 1
    assert count(other) is None


def test_buckets_may_be_chosen_once_for_a_registry(registry: CollectorRegistry) -> None:
    CallSeconds(registry=registry, buckets=(0.001, 1.0))
    CallSeconds(registry=registry, buckets=[0.001, 1.0]).on_call(ended(2, of=GCRA))

    assert count(registry, le="1.0") == 1
    with pytest.raises(ConfigError, match=r"with the buckets \(0\.001, 1\.0\), not"):
        CallSeconds(registry=registry)


def test_another_metric_of_the_name_is_an_error(registry: CollectorRegistry) -> None:
    Counter("redislua_call_seconds", "not ours", registry=registry)

    with pytest.raises(ConfigError, match="another metric is named redislua_call_seconds"):
        CallSeconds(registry=registry)


def test_buckets_that_do_not_ascend_are_named_as_such(registry: CollectorRegistry) -> None:
    with pytest.raises(ValueError, match="not in sorted order"):
        CallSeconds(registry=registry, buckets=(1.0, 0.5))


def test_after_the_histogram_was_unregistered_a_new_one_counts(
    registry: CollectorRegistry,
) -> None:
    observer = CallSeconds(registry=registry)
    registry.unregister(observer._histogram)

    CallSeconds(registry=registry).on_call(ended(1, of=GCRA))
    CallSeconds(registry=registry).on_call(ended(1, of=GCRA))

    assert count(registry) == 2
    assert b"redislua_call_seconds_bucket" in generate_latest(registry)


def test_a_registry_that_nobody_uses_is_freed() -> None:
    registry = CollectorRegistry()
    CallSeconds(registry=registry).on_call(ended(1, of=GCRA))
    gone = weakref.ref(registry)

    del registry
    gc.collect()

    assert gone() is None
