"""What `UniqueVisitors` and `AsyncUniqueVisitors` do, as plans."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from redislua.bindings import visitors as scripts
from redislua.errors import InvalidArgumentValue
from redislua.patterns._plan import Plan, ask, ask_many
from redislua.patterns._spans import milliseconds
from redislua.runtime import Call, encode

__all__ = ["VisitorPlans"]

MOST_AT_ONCE = 500
"""Visitors of one call, as its script takes them."""

MOST_PAGES = 16
"""Pages of one call, as its scripts take them."""

PART_MS = 60_000
"""How long a span lives that is folded only to be counted with others."""


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
        found = yield from self._all(calls)
        return any(isinstance(one, scripts.RecordChanged) for one in found)

    def count(self, pages: Sequence[str]) -> Plan[int]:
        """Count the visitors of pages together."""
        few = yield from self._few("UniqueVisitors.count", pages)
        call = scripts.count(site=self._site, page=few, namespace=self._namespace)
        reply = yield from ask(call)
        return reply.visitors

    def rollup(self, into: str, pages: Sequence[str], ttl: timedelta) -> Plan[int]:
        """Fold pages into one: how many visitors it has."""
        span = milliseconds("UniqueVisitors.rollup", "ttl", ttl, most=timedelta(days=366))
        if into in pages:
            raise InvalidArgumentValue("UniqueVisitors.rollup", "into", into, "none of the pages")
        few = yield from self._few("UniqueVisitors.rollup", pages)
        reply = yield from ask(self._rollup(into, few, span))
        return reply.visitors

    def _rollup(self, into: str, pages: Sequence[str], ttl: int) -> Call[scripts.RollupMerged]:
        return scripts.rollup(
            site=self._site, into=into, page=pages, ttl=ttl, namespace=self._namespace
        )

    def _few(self, where: str, pages: Sequence[str]) -> Plan[Sequence[str]]:
        """As many pages as one call takes, which have seen whoever all of these have."""
        if len(pages) <= MOST_PAGES:
            return pages
        if len(pages) > MOST_PAGES**2:
            raise InvalidArgumentValue(where, "pages", len(pages), f"1 to {MOST_PAGES**2} pages")
        # A part is named by what is in it: whoever makes the same one at the same moment puts
        # the same into it, and nobody puts anything else.
        parts = {
            f"part:{hashlib.sha256(repr(group).encode()).hexdigest()}": group
            for at in range(0, len(pages), MOST_PAGES)
            for group in [list(pages[at : at + MOST_PAGES])]
        }
        calls = [self._rollup(part, group, PART_MS) for part, group in parts.items()]
        yield from self._all(calls)
        return list(parts)

    def _all(self, calls: Sequence[Call[Any]]) -> Plan[Sequence[Any]]:
        """The replies of several calls; what the first that failed raised."""
        if not calls:
            return ()
        found = yield from ask_many(*calls)
        for one in found:
            if isinstance(one, BaseException):
                raise one
        return found
