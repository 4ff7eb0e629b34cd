"""Durations of calls for Prometheus.

Needs the extra ``redislua[prometheus]``.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from weakref import WeakKeyDictionary

from redislua.errors import ConfigError
from redislua.runtime.watching.protocol import Ended

try:
    from prometheus_client import REGISTRY, CollectorRegistry, Histogram
except ModuleNotFoundError as missing:
    raise ImportError(
        "redislua.runtime.watching.prometheus needs prometheus-client: "
        'pip install "redislua[prometheus]"'
    ) from missing

__all__ = ["BUCKETS", "CallSeconds"]

METRIC = "redislua_call_seconds"

BUCKETS = (
    *(0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025),
    *(0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)
"""Upper bounds in seconds: a round trip in one data centre, the limit of 5 ms, a deadline."""


class CallSeconds:
    """Observes each call in the histogram ``redislua_call_seconds{script,version,outcome}``.

    >>> from prometheus_client import CollectorRegistry, generate_latest
    >>> registry = CollectorRegistry()
    >>> configure(client, observer=CallSeconds(registry=registry))
    >>> decision = run(client, gcra)
    >>> b'outcome="replied",script="limit.gcra"' in generate_latest(registry)
    True

    ``outcome`` is one of `Outcome`. Instances with one registry share its histogram, so
    each client may have an instance of its own.

    Args:
        registry: Where the histogram is registered.
        buckets: Upper bounds in seconds, ascending.

    Raises:
        ConfigError: The registry has the histogram with other buckets already, or
            another metric of that name.
        ValueError: The buckets do not ascend.
    """

    def __init__(
        self, *, registry: CollectorRegistry = REGISTRY, buckets: Sequence[float] = BUCKETS
    ) -> None:
        self._histogram = _histogram(registry, tuple(buckets))

    def on_call(self, ended: Ended, /) -> None:
        """Observe how long a call took."""
        script = ended.call.script
        self._histogram.labels(script.name, script.version, ended.outcome).observe(ended.seconds)


_lock = threading.Lock()
_made: WeakKeyDictionary[CollectorRegistry, tuple[Histogram, tuple[float, ...]]] = (
    WeakKeyDictionary()
)


def _histogram(registry: CollectorRegistry, buckets: tuple[float, ...]) -> Histogram:
    """Return a registry's histogram, which is made once."""
    made = Histogram(
        METRIC,
        "Time that calls of scripts took, in seconds.",
        ("script", "version", "outcome"),
        registry=None,
        buckets=buckets,
    )
    with _lock:
        try:
            registry.register(made)
        except ValueError as taken:
            # The registry is asked first: who unregistered the histogram gets a new one.
            found = _made.get(registry)
            if found is None:
                raise ConfigError(f"another metric is named {METRIC}: {taken}") from taken
            if found[1] != buckets:
                raise ConfigError(
                    f"{METRIC} is registered with the buckets {found[1]}, not {buckets}"
                ) from taken
            return found[0]
        _made[registry] = made, buckets
    return made
