"""Spans and durations of calls for OpenTelemetry.

Names follow the semantic conventions for database clients, where a script is a stored
procedure: https://opentelemetry.io/docs/specs/semconv/db/redis/. ``db.operation.name`` is
``EVALSHA`` for every call: what else a call sends (SCRIPT LOAD, EVAL) is part of it.

``error.type`` is the server's error code where it gave one (``WRONGTYPE``, also as
``db.response.status_code``), else the full name of the exception's class
(``redislua.errors.OutcomeUnknown``, ``asyncio.exceptions.CancelledError``).

Needs the extra ``redislua[opentelemetry]``.
"""

from __future__ import annotations

import time

import redislua
from redislua.errors import CallError, NotExecuted, OutcomeUnknown
from redislua.runtime.watching.protocol import Ended

try:
    from opentelemetry.metrics import MeterProvider, get_meter
    from opentelemetry.trace import SpanKind, Status, StatusCode, TracerProvider, get_tracer
except ModuleNotFoundError as missing:
    raise ImportError(
        "redislua.runtime.watching.opentelemetry needs opentelemetry-api: "
        'pip install "redislua[opentelemetry]"'
    ) from missing

__all__ = ["Durations", "Spans"]

SCHEMA = "https://opentelemetry.io/schemas/1.36.0"

BOUNDARIES = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0)
"""What the conventions give for ``db.client.operation.duration``, in seconds."""


class Spans:
    """Makes a span for each call, named ``redislua limit.gcra``, of kind CLIENT.

    >>> from opentelemetry.sdk.trace import TracerProvider
    >>> spans = Spans(tracer_provider=TracerProvider())
    >>> configure(client, observer=spans)
    >>> decision = run(client, gcra)

    The parent is the span that is current where the call was made. The span starts when
    the call was handed over. A call that ends in an error, or is cancelled, has the status
    ERROR. Besides the names of the conventions there are ``redislua.outcome`` (see
    `Outcome`) and ``redislua.script.version``.

    Keys name users and what they do, and a script's error may quote what it was given: by
    default neither leaves the process.

    Args:
        tracer_provider: Where spans go, or None for the global provider.
        show_keys: Add the keys as ``redislua.keys`` (bytes that are not UTF-8 escaped),
            and errors with their text and traceback.
    """

    def __init__(
        self, *, tracer_provider: TracerProvider | None = None, show_keys: bool = False
    ) -> None:
        self._tracer = get_tracer("redislua", redislua.__version__, tracer_provider, SCHEMA)
        self._show_keys = show_keys

    def on_call(self, ended: Ended, /) -> None:
        """Make a span of a call that is over."""
        end = time.time_ns()
        attributes: dict[str, str | list[str]] = {**_attributes(ended)}
        if self._show_keys:
            attributes["redislua.keys"] = [
                key.decode("utf-8", "backslashreplace") for key in ended.call.keys
            ]
        span = self._tracer.start_span(
            f"redislua {ended.call.script.name}",
            kind=SpanKind.CLIENT,
            attributes=attributes,
            start_time=end - round(ended.seconds * 1_000_000_000),
        )
        if ended.error is not None and span.is_recording():
            span.set_status(Status(StatusCode.ERROR, _description(ended.error)))
            if self._show_keys:
                span.record_exception(ended.error, timestamp=end)
        span.end(end)


class Durations:
    """Records each call in the histogram ``db.client.operation.duration``, in seconds.

    >>> from opentelemetry.sdk.metrics import MeterProvider
    >>> durations = Durations(meter_provider=MeterProvider())
    >>> configure(client, observer=durations)
    >>> decision = run(client, gcra)

    Attributes are those of `Spans`, without keys. Both together are
    ``Observers(Spans(), Durations())``.

    Args:
        meter_provider: Where measurements go, or None for the global provider.
    """

    def __init__(self, *, meter_provider: MeterProvider | None = None) -> None:
        meter = get_meter("redislua", redislua.__version__, meter_provider, SCHEMA)
        self._histogram = meter.create_histogram(
            "db.client.operation.duration",
            unit="s",
            description="Duration of database client operations.",
            explicit_bucket_boundaries_advisory=BOUNDARIES,
        )

    def on_call(self, ended: Ended, /) -> None:
        """Record how long a call took."""
        self._histogram.record(ended.seconds, _attributes(ended))


def _attributes(ended: Ended) -> dict[str, str]:
    script, error = ended.call.script, ended.error
    attributes = {
        "db.system.name": "redis",
        "db.operation.name": "EVALSHA",
        "db.stored_procedure.name": script.name,
        "redislua.script.version": script.version,
        "redislua.outcome": ended.outcome,
    }
    if error is not None:
        code = error.code if isinstance(error, CallError) else None
        if code is not None:
            attributes["db.response.status_code"] = code
        attributes["error.type"] = code or f"{type(error).__module__}.{type(error).__qualname__}"
    return attributes


def _description(error: BaseException) -> str | None:
    """Give the reason in words where the words are a server's or a network's, not a script's."""
    return error.reason if isinstance(error, NotExecuted | OutcomeUnknown) else None
