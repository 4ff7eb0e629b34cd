"""Exact server time of every call, from SLOWLOG with threshold 0.

The figures are the server's own: what a command held the server for, without network,
queue or client. SLOWLOG is one for the whole server, so the server should be private.

At threshold 0 the server logs the commands inside scripts as well, before the script's
own entry. That lengthens a call by 0.12 to 0.18 us for each of them: figures err on the
safe side. Where it is known what a call takes at least, a higher threshold keeps them out.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import redis

_THRESHOLD = "slowlog-log-slower-than"
_LENGTH = "slowlog-max-len"
_CALLS = frozenset({b"EVALSHA", b"EVALSHA_RO"})


class SlowLog:
    """Collects the server time of EVALSHA and EVALSHA_RO. A context manager.

    Entering empties SLOWLOG and makes it keep every command; leaving puts the server's
    settings back. Calls that went out as EVAL, and whatever ran before entering, are
    not counted.

    Args:
        url: The server, ``redis://127.0.0.1:6400/0`` or ``unix:///path?db=0``.
        capacity: Commands of any kind, those inside scripts included, that the server
            keeps between two collections; it holds some 300 bytes for each.
        threshold: Microseconds; what takes less is not seen, and not counted as lost.
        also: Names of commands to collect, too: under their names, in lower case.

    Attributes:
        lost: Commands that fell out of SLOWLOG because more than ``capacity`` ran
            between two collections. 0 means that the figures are complete.
    """

    def __init__(
        self, url: str, capacity: int = 100_000, threshold: int = 0, also: Collection[str] = ()
    ) -> None:
        self._client = redis.Redis.from_url(url)
        self._capacity = capacity
        self._threshold = threshold
        self._also = {name.upper().encode() for name in also}
        self._before: dict[str, str] = {}
        self._next_id: int | None = None
        self.lost = 0

    def __enter__(self) -> Self:
        try:
            self._before = self._settings()
            self._client.config_set(_THRESHOLD, self._threshold, _LENGTH, self._capacity)
            self._drain()
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._leave()

    def collect(self) -> dict[str, list[int]]:
        """Return the microseconds of each call since the last collection, oldest first, by sha1.

        Nothing is lost or counted twice while other clients go on calling: reading and
        emptying are one transaction.
        """
        samples: defaultdict[str, list[int]] = defaultdict(list)
        for _, _, microseconds, words, *_ in self._drain():
            if len(words) > 1 and words[0].upper() in _CALLS:
                samples[words[1].decode("ascii", "replace").lower()].append(microseconds)
            elif words[0].upper() in self._also:
                samples[words[0].decode().lower()].append(microseconds)
        return dict(samples)

    def _drain(self) -> list[Any]:
        """Take all entries out of SLOWLOG, oldest first, and count those that fell out."""
        with self._client.pipeline(transaction=True) as pipe:
            # In two words, because redis-py's parser of "SLOWLOG GET" joins the arguments.
            queue: Any = pipe.execute_command
            queue("SLOWLOG", "GET", -1)
            queue("SLOWLOG", "RESET")
            entries: list[Any] = pipe.execute()[0]
        entries.reverse()
        # Identifiers go up by one, and emptying the log does not start them anew. The one
        # after the newest is this SLOWLOG GET's, whose entry the RESET behind it removes.
        if entries:
            # With a threshold our own commands may be missing, so a gap alone tells nothing.
            is_full = self._threshold == 0 or len(entries) >= self._capacity
            if self._next_id is not None and is_full:
                self.lost += max(entries[0][0] - self._next_id, 0)
            self._next_id = entries[-1][0] + 2
        return entries

    def _settings(self) -> dict[str, str]:
        settings: Any = self._client.config_get(_THRESHOLD, _LENGTH)
        return dict(settings)

    def _leave(self) -> None:
        try:
            for name, value in self._before.items():
                self._client.config_set(name, value)
        finally:
            self._client.close()


@dataclass(frozen=True, slots=True)
class Summary:
    """What a set of samples comes to, in whole microseconds.

    Percentiles are by nearest rank: the least sample that at least that share of all
    samples does not exceed. So each is a time that was measured.

    Attributes:
        count: How many samples.
        p50: The median.
        p99: 99 of 100 samples take no longer.
        p999: 999 of 1 000 samples take no longer.
        max: The longest.
    """

    count: int
    p50: int
    p99: int
    p999: int
    max: int

    @classmethod
    def of(cls, samples: Sequence[int]) -> Self:
        """Summarise at least one sample; none is a ValueError."""
        if not samples:
            raise ValueError("no samples to summarise")
        ordered = sorted(samples)
        return cls(
            len(ordered),
            percentile(ordered, 50),
            percentile(ordered, 99),
            percentile(ordered, 99.9),
            ordered[-1],
        )


def percentile(ordered: Sequence[int], share: float) -> int:
    """Return the nearest-rank percentile of ascending samples; ``share`` is in (0, 100]."""
    # round: 99.9 / 100 * 1000 is 999.0000000000001 in binary
    rank = math.ceil(round(share / 100 * len(ordered), 9))
    return ordered[max(rank, 1) - 1]
