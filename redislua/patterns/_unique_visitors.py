"""What `UniqueVisitors` and `AsyncUniqueVisitors` do, as plans."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from redislua.bindings import visitors as scripts
from redislua.patterns._plan import Plan, ask, ask_many
from redislua.patterns._spans import milliseconds
from redislua.runtime import encode

__all__ = ["VisitorPlans"]

MOST_AT_ONCE = 500
"""Visitors of one call, as its script takes them."""


class VisitorPlans:
    """The plans of one site."""

    def __init__(self, site: str, ttl: timedelta, namespace: str) -> None:
        encode.namespace_prefix("UniqueVisitors", namespace)
        self._site = site
        self._ttl = milliseconds("UniqueVisitors", "ttl", ttl, most=timedelta(days=366))
        self._namespace = namespace
        scripts.count(site=site, page=["a"])  # whatever is wrong with the site is said now

    def record(self, page: str, ids: Iterable[str]) -> Plan[bool]:
        """Note visitors: whether the count may have grown."""
        rows = [scripts.RecordVisitorsRow(one) for one in dict.fromkeys(ids)]
        calls = [
            scripts.record(
                site=self._site,
                page=page,
                ttl=self._ttl,
                visitors=rows[at : at + MOST_AT_ONCE],
                namespace=self._namespace,
            )
            for at in range(0, len(rows), MOST_AT_ONCE)
        ]
        found = (yield from ask_many(*calls)) if calls else ()
        for one in found:
            if isinstance(one, BaseException):
                raise one
        return any(isinstance(one, scripts.RecordChanged) for one in found)

    def count(self, pages: Sequence[str]) -> Plan[int]:
        """Count the visitors of pages together."""
        call = scripts.count(site=self._site, page=pages, namespace=self._namespace)
        reply = yield from ask(call)
        return reply.visitors

    def rollup(self, into: str, pages: Sequence[str], ttl: timedelta) -> Plan[int]:
        """Fold pages into one: how many visitors it has."""
        span = milliseconds("UniqueVisitors.rollup", "ttl", ttl, most=timedelta(days=366))
        call = scripts.rollup(
            site=self._site, into=into, page=pages, ttl=span, namespace=self._namespace
        )
        reply = yield from ask(call)
        return reply.visitors
