"""Spans and measurements as an exporter gets them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode

import redislua
from redislua.bindings import limit
from redislua.errors import NotExecuted, OutcomeUnknown, UnexpectedReplyError, WrongType
from redislua.runtime.watching.opentelemetry import BOUNDARIES, Durations, Spans
from tests.runtime.samples import call
from tests.runtime.watching.watched import ended, made, watched

GCRA = limit.gcra(subject="alice@example.org", limit=1, period=1_000_000, burst=1)
SECRET = "alice@example.org"


class Exported:
    """A tracer provider, and the spans that came out of it."""

    def __init__(self) -> None:
        self._memory = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._memory))

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self._memory.get_finished_spans()

    @property
    def span(self) -> Any:
        (one,) = self.spans
        return one


@pytest.fixture
def exported() -> Iterator[Exported]:
    """Where spans go."""
    opened = Exported()
    yield opened
    opened.provider.shutdown()


def test_a_call_is_a_client_span_with_the_names_of_the_conventions(
    client: Any, exported: Exported
) -> None:
    watched(client, Spans(tracer_provider=exported.provider), GCRA)

    span = exported.span
    assert (span.name, span.kind) == ("redislua limit.gcra", SpanKind.CLIENT)
    assert span.status.status_code is StatusCode.UNSET
    assert dict(span.attributes) == {
        "db.system.name": "redis",
        "db.operation.name": "EVALSHA",
        "db.stored_procedure.name": "limit.gcra",
        "redislua.script.version": GCRA.script.version,
        "redislua.outcome": "replied",
    }
    assert span.instrumentation_scope.name == "redislua"
    assert span.instrumentation_scope.version == redislua.__version__


def test_a_span_is_as_long_as_the_call(exported: Exported) -> None:
    Spans(tracer_provider=exported.provider).on_call(ended(12.5))

    assert exported.span.end_time - exported.span.start_time == 12_500_000


def test_the_parent_is_the_span_in_which_the_call_was_made(client: Any, exported: Exported) -> None:
    spans = Spans(tracer_provider=exported.provider)
    with exported.provider.get_tracer("application").start_as_current_span("request") as request:
        watched(client, spans, GCRA)
    watched(client, spans, GCRA)

    first, _, alone = exported.spans
    assert first.parent == request.get_span_context()
    assert alone.parent is None


def test_a_servers_error_is_its_code(client: Any, exported: Exported) -> None:
    client.rpush(GCRA.keys[0], "a list")
    with pytest.raises(WrongType):
        watched(client, Spans(tracer_provider=exported.provider), GCRA)

    span = exported.span
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["error.type"] == "WRONGTYPE"
    assert span.attributes["db.response.status_code"] == "WRONGTYPE"
    assert span.attributes["redislua.outcome"] == "failed"


@pytest.mark.parametrize(
    ("error", "outcome", "kind", "description"),
    [
        (
            OutcomeUnknown("Connection closed by server.", script="sample.script@1.2.3"),
            "unknown",
            "redislua.errors.OutcomeUnknown",
            "Connection closed by server.",
        ),
        (
            NotExecuted("Connection refused.", script="sample.script@1.2.3"),
            "not_executed",
            "redislua.errors.NotExecuted",
            "Connection refused.",
        ),
        (asyncio.CancelledError(), "cancelled", "asyncio.exceptions.CancelledError", None),
        (KeyboardInterrupt(), "cancelled", "builtins.KeyboardInterrupt", None),
    ],
)
def test_an_error_without_a_code_is_its_class(
    exported: Exported, error: BaseException, outcome: Any, kind: str, description: str | None
) -> None:
    Spans(tracer_provider=exported.provider).on_call(ended(1, outcome=outcome, error=error))

    span = exported.span
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, description)
    assert span.attributes["error.type"] == kind
    assert span.attributes["redislua.outcome"] == outcome
    assert "db.response.status_code" not in span.attributes


def test_neither_keys_nor_replies_leave_the_process(exported: Exported) -> None:
    error = UnexpectedReplyError("limit.gcra@1.0.0", SECRET, keys=GCRA.keys)
    assert SECRET in str(error)

    Spans(tracer_provider=exported.provider).on_call(
        ended(1, of=GCRA, outcome="failed", error=error)
    )

    assert SECRET not in exported.span.to_json()


def test_keys_are_shown_to_those_who_ask(exported: Exported) -> None:
    spans = Spans(tracer_provider=exported.provider, show_keys=True)
    error = UnexpectedReplyError("limit.gcra@1.0.0", SECRET, keys=GCRA.keys)

    spans.on_call(ended(1, of=made(keys=(b"user:alice", b"\xff")), outcome="failed", error=error))

    span = exported.span
    assert span.attributes["redislua.keys"] == ("user:alice", "\\xff")
    (event,) = span.events
    assert event.name == "exception"
    assert SECRET in event.attributes["exception.message"]


def test_a_span_that_is_not_sampled_costs_no_description() -> None:
    provider = TracerProvider(sampler=ALWAYS_OFF)
    error = NotExecuted("refused", script="sample.script@1.2.3")

    Spans(tracer_provider=provider).on_call(ended(1, outcome="not_executed", error=error))

    provider.shutdown()


def test_durations_are_a_histogram_of_the_conventions(client: Any) -> None:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    durations = Durations(meter_provider=provider)
    faulty = call("return redis.call('LPOP', KEYS[1])")
    client.set(faulty.keys[0], "a string")

    watched(client, durations, GCRA)
    with pytest.raises(WrongType):
        watched(client, durations, faulty)
    durations.on_call(ended(12.5, of=GCRA))

    exported: Any = reader.get_metrics_data()
    (metric,) = exported.resource_metrics[0].scope_metrics[0].metrics
    assert (metric.name, metric.unit) == ("db.client.operation.duration", "s")
    points = {
        point.attributes["db.stored_procedure.name"]: point for point in metric.data.data_points
    }
    assert points["limit.gcra"].count == 2
    assert points["limit.gcra"].max == 0.0125 or points["limit.gcra"].sum > 0.0125
    assert points["limit.gcra"].explicit_bounds == BOUNDARIES
    assert points["sample.script"].attributes["error.type"] == "WRONGTYPE"
    provider.shutdown()
