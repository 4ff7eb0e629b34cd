"""What an eviction monitor does, without I/O: one plan for the servers, one for the pattern."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from redislua.errors import InvalidArgumentType
from redislua.patterns._plan import Plan, do, sleep
from redislua.runtime import steps
from redislua.runtime.route import refreshed
from redislua.runtime.slots import Topology
from redislua.runtime.steps import Lost, NotSent, Send, SendAll
from redislua.runtime.watching.alarms import Alarm, Look, Thresholds, Watchman
from redislua.runtime.watching.breaker import positive
from redislua.runtime.watching.vitals import fields_of

__all__ = ["Said", "Watching", "asked", "name_of"]

_log = logging.getLogger("redislua.eviction")

Said = dict[str, "Mapping[str, Any] | Exception"]
"""What each server says, or why it does not."""


def name_of(client: Any) -> str:
    """What the one server of a client is called: its address, path or Sentinels' name."""
    settings = client.connection_pool.connection_kwargs
    place = f"{settings.get('host', 'localhost')}:{settings.get('port', 6379)}"
    master: str | None = getattr(client.connection_pool, "service_name", None)
    return master or settings.get("path") or place


def asked(topology: Topology | None, name: str, until: float) -> steps.Plan[Said]:
    """Ask every server for its INFO, none waiting for another: a plan for `redislua.runtime`.

    Args:
        topology: Of a cluster; its nodes are asked for anew each time.
        name: What to call the server where it is one, or the cluster where no node answers.
        until: When to give up, by ``time.monotonic``.
    """
    places: dict[str, steps.Address | None] = {name: None}
    if topology is not None:
        try:
            yield from refreshed(topology, until, time.monotonic)
        except NotSent as failure:
            if not topology.every_node():
                return {name: failure.cause}
        places = {f"{host}:{port}": (host, port) for host, port in topology.every_node()}
    outcomes = yield SendAll([Send(("INFO",), to=place) for place in places.values()])
    return dict(zip(places, map(_said, outcomes), strict=True))


def _said(outcome: steps.Outcome) -> Mapping[str, Any] | Exception:
    if isinstance(outcome, NotSent | Lost):
        return outcome.cause
    reply = outcome[0]
    return reply if isinstance(reply, Exception) else fields_of(reply)


class Watching:
    """The logic of `redislua.patterns.eviction.EvictionMonitor`.

    Args:
        ask: Asks every server; of an asyncio client it returns an awaitable.
        every: Time between two looks.
        thresholds: What is a reason for alarm.
        on_alarm: Told of each alarm; by default alarms are logged.
        on_look: Told of each look at each server.
    """

    def __init__(
        self,
        ask: Callable[[], Any],
        every: timedelta,
        thresholds: Thresholds,
        on_alarm: Callable[[Alarm], Any] | None,
        on_look: Callable[[Look], Any] | None,
    ) -> None:
        self._ask = ask
        self._every = positive("EvictionMonitor", "every", every)
        for name, function in (("on_alarm", on_alarm), ("on_look", on_look)):
            if function is not None and not callable(function):
                raise InvalidArgumentType("EvictionMonitor", name, function, "a function")
        self._on_alarm = on_alarm or _log_alarm
        self._on_look = on_look
        self._watchman = Watchman(thresholds)

    def look(self) -> Plan[tuple[Look, ...]]:
        """Look at every server once, and tell of it."""
        said: Said = yield from do(self._ask)
        now = time.monotonic()
        looks = tuple(self._watchman.look(node, what, now) for node, what in said.items())
        for look in looks:
            yield from self._tell(self._on_look, look)
            for alarm in look.alarms:
                yield from self._tell(self._on_alarm, alarm)
        return looks

    def watch(self) -> Plan[None]:
        """Look again and again; nothing but stopping ends it."""
        while True:
            try:
                yield from self.look()
            except Exception:
                _log.exception("looking at the servers failed; it goes on")
            yield from sleep(self._every)

    def _tell(self, function: Callable[[Any], Any] | None, what: Look | Alarm) -> Plan[None]:
        if function is None:
            return
        try:
            yield from do(lambda: function(what))
        except Exception:
            _log.exception("%r failed; watching goes on", function)


def _log_alarm(alarm: Alarm) -> None:
    _log.warning("%s: %s", alarm.node, alarm.text)
