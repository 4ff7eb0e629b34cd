"""Watch calls in production: who is told of them, and what is done about slow ones.

The adapters stay out of here, so that nobody imports what they do not use:
``redislua.runtime.watching.opentelemetry`` and ``redislua.runtime.watching.prometheus``.
"""

from redislua.runtime.watching.breaker import Breaker
from redislua.runtime.watching.latency import LatencyGuard
from redislua.runtime.watching.protocol import (
    Ended,
    Gate,
    Observer,
    Observers,
    Outcome,
    outcome_of,
    tell,
)
from redislua.runtime.watching.whois import known_scripts, whois

__all__ = [
    "Breaker",
    "Ended",
    "Gate",
    "LatencyGuard",
    "Observer",
    "Observers",
    "Outcome",
    "known_scripts",
    "outcome_of",
    "tell",
    "whois",
]
