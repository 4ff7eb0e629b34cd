"""What `Leader` and `AsyncLeader` do, as plans: stand for election, lead, step down."""

from __future__ import annotations

import logging
import os
import random
import secrets
import socket
import time
from collections.abc import Callable
from typing import Any

from redislua.bindings import lock
from redislua.errors import CallError, InvalidArgumentType, InvalidArgumentValue
from redislua.patterns._holding import FOR_EVER, RENEWALS, HoldingPlans
from redislua.patterns._holding_calls import LockCalls
from redislua.patterns._holding_terms import Holding, Terms
from redislua.patterns._plan import Plan, ask, do, sleep

__all__ = ["LeaderPlans", "node_name"]

_log = logging.getLogger("redislua")

LONGEST_NODE = 31
"""Bytes: with a colon and 16 digits behind it, a node's name is an owner."""

PAUSE = (0.5, 1.5)
"""Seconds, at random between these, after which a candidate that failed stands again."""


def node_name() -> str:
    """A name for this process, for people: host and process number."""
    number = f".{os.getpid()}"
    return (
        socket.gethostname()
        .split(".")[0]
        .encode("ascii", "replace")[: LONGEST_NODE - len(number)]
        .decode("ascii")
        + number
    )


class LeaderPlans:
    """The plans of one candidate.

    Attributes:
        reign: What makes it the leader, None when it is not.
    """

    def __init__(
        self,
        calls: LockCalls,
        terms: Terms,
        node: str,
        *,
        on_elected: Callable[[str], Any] | None,
        on_deposed: Callable[[], Any] | None,
        changed: Callable[[bool], Any],
    ) -> None:
        if not isinstance(node, str):
            raise InvalidArgumentType("Leader", "node", node, "a str")
        if not 1 <= len(node.encode("utf-8", "surrogatepass")) <= LONGEST_NODE:
            raise InvalidArgumentValue("Leader", "node", node, f"1 to {LONGEST_NODE} bytes")
        self._calls = calls
        self._holding = HoldingPlans(calls, terms, lambda: f"{node}:{secrets.token_hex(8)}")
        self._on_elected = on_elected
        self._on_deposed = on_deposed
        self._changed = changed
        self.reign: Holding | None = None

    @property
    def fence(self) -> str | None:
        """The fence of the reign, None for whoever is not certain to lead."""
        reign = self.reign
        return reign.fence if reign is not None and reign.left > 0 else None

    def campaign(self) -> Plan[None]:
        """Stand for election, lead, and stand again, until stopped."""
        while True:
            try:
                holding = yield from self._holding.acquire(FOR_EVER)
                yield from self._lead(holding)
            except CallError as error:
                _log.warning("standing for %r: %s", self._calls.name, error)
                yield from sleep(random.uniform(*PAUSE))  # noqa: S311

    def _lead(self, holding: Holding) -> Plan[None]:
        self.reign = holding
        self._changed(True)
        try:
            on_elected = self._on_elected
            if on_elected is not None:
                yield from do(lambda: on_elected(holding.fence))
            yield from self._stay(holding)
        except GeneratorExit:
            raise
        except BaseException as error:
            yield from self._step_down(holding)
            if not isinstance(error, Exception):
                raise
            # A leader that cannot take up its work leaves it to another.
            _log.exception("leading %r", self._calls.name)
            yield from sleep(random.uniform(*PAUSE))  # noqa: S311
        else:
            yield from self._deposed()

    def _stay(self, holding: Holding) -> Plan[None]:
        """Renew, until the reign is lost."""
        hold = holding.hold.total_seconds()
        pause: float | None = holding.ends - time.monotonic() - hold * (1 - 1 / RENEWALS)
        while pause is not None:
            yield from sleep(pause)
            pause = yield from self._holding.renewed(holding)

    def _step_down(self, holding: Holding) -> Plan[None]:
        # Whoever is told must be told before another leads.
        yield from self._deposed()
        yield from self._holding.leave(holding, is_failing=True)

    def _deposed(self) -> Plan[None]:
        self.reign = None
        self._changed(False)
        on_deposed = self._on_deposed
        if on_deposed is not None:
            try:
                yield from do(on_deposed)
            except Exception:
                _log.exception("no longer leading %r", self._calls.name)

    def current(self) -> Plan[str | None]:
        """The node that leads."""
        reply = yield from ask(self._calls.inspect())
        return reply.owner.rpartition(":")[0] if isinstance(reply, lock.InspectHeld) else None
