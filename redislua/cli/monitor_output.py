"""What `redislua monitor` shows: in place on a terminal, one table after another elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from redislua.cli.connecting import problem
from redislua.cli.console import stdout
from redislua.inspect.monitor import Round
from redislua.inspect.slow import SlowScript
from redislua.inspect.wording import sized
from redislua.runtime.watching.alarms import Look
from redislua.runtime.watching.vitals import Reading


class Screen:
    """Where rounds are shown. A context manager.

    Args:
        is_quiet: Show nothing: somebody else prints.
    """

    def __init__(self, *, is_quiet: bool) -> None:
        self._console = stdout()
        self._is_quiet = is_quiet
        self._live = Live(console=self._console, auto_refresh=False)

    def __enter__(self) -> Self:
        if self._console.is_terminal and not self._is_quiet:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live.is_started:
            self._live.stop()

    def begin(self, first: Round) -> None:
        """Show the first round on a terminal: there are no rates yet."""
        if self._live.is_started:
            self._live.update(_view(first), refresh=True)

    def show(self, found: Round) -> None:
        """Show a round."""
        if self._live.is_started:
            self._live.update(_view(found), refresh=True)
        else:
            self._console.print(_view(found), soft_wrap=False)


def _view(found: Round) -> RenderableType:
    parts: list[RenderableType] = [
        _servers(found),
        *(
            Text(f"{alarm.node}: {alarm.kind}: {alarm.text}", style="red")
            for look in found.looks
            if look.reading is not None  # why another one does not answer is in its row
            for alarm in look.alarms
        ),
    ]
    parts += ["", _scripts(found)] if found.scripts else []
    parts.append(Text(_threshold(found), style="dim"))
    return Group(*parts)


def _servers(found: Round) -> Table:
    table = _table(
        *("server", "role", "commands/s", "hit rate", "look-ups", "evicted", "expired"),
        *("memory", "keys", "clients"),
    )
    for look in found.looks:
        if look.reading is None:
            why = "" if look.error is None else problem(look.error)
            table.add_row(escape(look.node), f"[red]{escape(why)}[/red]")
        else:
            table.add_row(*map(escape, _row(look, look.reading)))
    return table


def _row(look: Look, reading: Reading) -> tuple[str, ...]:
    role = "replica" if reading.role == "slave" else "primary"
    window = look.window
    rates = ("…", "…", "…", "…", "…")
    if window is not None:
        rate = window.hit_rate
        rates = (
            _number(window.per_second(window.commands)),
            "idle" if rate is None else f"{rate:.1%}",
            _number(window.lookups),
            _number(window.evicted),
            _number(window.expired),
        )
    return (
        look.node,
        role,
        *rates,
        _memory(reading),
        str(reading.keys),
        _number(reading.clients),
    )


def _memory(reading: Reading) -> str:
    if reading.used is None:
        return "?"
    if not reading.maxmemory:
        return f"{sized(reading.used)}, no maxmemory"
    return f"{sized(reading.used)} of {sized(reading.maxmemory)}, {reading.memory:.0%}"


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.0f}"


def _scripts(found: Round) -> Table:
    table = _table("slowest scripts", "longest", "mean", "entries", "server", "last")
    for one in found.scripts:
        table.add_row(*map(escape, _script(one)))
    return table


def _script(one: SlowScript) -> tuple[str, ...]:
    ago = max(0, round(time.time() - one.last))
    return (
        one.name,
        f"{one.longest / 1000:.3f} ms",
        f"{one.total / one.entries / 1000:.3f} ms",
        str(one.entries),
        one.node,
        f"{ago} s ago",
    )


def _threshold(found: Round) -> str:
    least = found.threshold
    if least is None:
        return "SLOWLOG's threshold may not be asked for"
    if least < 0:
        return "SLOWLOG is off: CONFIG SET slowlog-log-slower-than 10000 turns it on"
    return f"SLOWLOG keeps what takes {least / 1000:g} ms or more"


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in headings:
        is_text = heading in ("server", "role", "slowest scripts", "memory", "last")
        table.add_column(heading, no_wrap=True, justify="left" if is_text else "right")
    return table
