"""Durations of calls, and the state of servers, for Prometheus.

Needs the extra ``redislua[prometheus]``.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from weakref import WeakKeyDictionary

from redislua.errors import ConfigError
from redislua.runtime.watching.alarms import Look
from redislua.runtime.watching.protocol import Ended

try:
    from prometheus_client import REGISTRY, CollectorRegistry, Gauge, Histogram
except ModuleNotFoundError as missing:
    raise ImportError(
        "redislua.runtime.watching.prometheus needs prometheus-client: "
        'pip install "redislua[prometheus]"'
    ) from missing

__all__ = ["BUCKETS", "CallSeconds", "ServerGauges"]

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


_NO_NUMBER = float("nan")

_SERVER = {
    "up": "1 where the server answered, else 0.",
    "hit_rate": "Share of look-ups of the last window that found a key; NaN without look-ups.",
    "evicted_per_second": "Keys evicted in the last window.",
    "expired_per_second": "Keys that expired in the last window.",
    "refused_per_second": "Commands refused for lack of memory in the last window.",
    "commands_per_second": "Commands run in the last window.",
    "memory_bytes": "Memory in use.",
    "maxmemory_bytes": "Memory that may be used; 0 for no bound.",
    "keys": "Keys in all databases.",
    "evicted_scripts": "Scripts dropped from the script cache since the start.",
}


class ServerGauges:
    """Shows each look of an eviction monitor as gauges ``redislua_server_…{node}``.

    >>> from prometheus_client import CollectorRegistry, generate_latest
    >>> from redislua.patterns.eviction import EvictionMonitor
    >>> registry = CollectorRegistry()
    >>> monitor = EvictionMonitor(client, on_look=ServerGauges(registry=registry))
    >>> looks = monitor.look()
    >>> b"redislua_server_up{" in generate_latest(registry)
    True

    They are ``up``, ``hit_rate``, ``evicted_per_second``, ``expired_per_second``,
    ``refused_per_second``, ``commands_per_second``, ``memory_bytes``, ``maxmemory_bytes``,
    ``keys`` and ``evicted_scripts``. What is not known is NaN. Instances with one registry
    share its gauges.

    Args:
        registry: Where the gauges are registered.

    Raises:
        ConfigError: The registry has another metric of one of these names.
    """

    def __init__(self, *, registry: CollectorRegistry = REGISTRY) -> None:
        with _lock:
            if registry not in _gauges:
                _gauges[registry] = _made_gauges(registry)
            self._gauges = _gauges[registry]

    def __call__(self, look: Look, /) -> None:
        """Show one look at one server."""
        for name, value in _values(look).items():
            gauge = self._gauges[name].labels(look.node)
            gauge.set(_NO_NUMBER if value is None else value)


_gauges: WeakKeyDictionary[CollectorRegistry, dict[str, Gauge]] = WeakKeyDictionary()


def _made_gauges(registry: CollectorRegistry) -> dict[str, Gauge]:
    made: dict[str, Gauge] = {}
    try:
        for name, about in _SERVER.items():
            made[name] = Gauge(f"redislua_server_{name}", about, ("node",), registry=registry)
    except ValueError as taken:
        for gauge in made.values():
            registry.unregister(gauge)
        raise ConfigError(f"another metric has a name that is needed: {taken}") from taken
    return made


def _values(look: Look) -> dict[str, float | None]:
    reading, window = look.reading, look.window
    values: dict[str, float | None] = dict.fromkeys(_SERVER)
    values["up"] = 0 if reading is None else 1
    if reading is not None:
        values["memory_bytes"] = reading.used
        values["maxmemory_bytes"] = reading.maxmemory
        values["keys"] = reading.keys
        values["evicted_scripts"] = reading.evicted_scripts
    if window is not None:
        values["hit_rate"] = window.hit_rate
        values["evicted_per_second"] = window.per_second(window.evicted)
        values["expired_per_second"] = window.per_second(window.expired)
        values["refused_per_second"] = window.per_second(window.refused)
        values["commands_per_second"] = window.per_second(window.commands)
    return values
