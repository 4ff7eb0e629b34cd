"""What a circuit may answer, with a clock of its own in milliseconds."""

from __future__ import annotations

from typing import NamedTuple

from redislua.bindings import breaker

__all__ = ["Settings", "State", "allow", "report"]


class Settings(NamedTuple):
    """What all callers of one circuit pass; milliseconds, calls, and a percentage."""

    window: int = 1_000
    least: int = 3
    percent: int = 50
    opened: int = 1_000
    most: int = 3_000


class State(NamedTuple):
    """One circuit.

    Attributes:
        began: When the present half of the window began.
        now: Calls and failures of that half.
        before: Those of the half before.
        times: How often in a row it opened; 0 while it is closed.
        since: When it opened last.
        until: Until when it is open.
        probe: Owner, start and end of the probe, or None.
    """

    began: int = 0
    now: tuple[int, int] = (0, 0)
    before: tuple[int, int] = (0, 0)
    times: int = 0
    since: int = 0
    until: int = 0
    probe: tuple[str, int, int] | None = None

    @property
    def is_kept(self) -> bool:
        """Whether there is anything to remember."""
        return self.times > 0 or self.now[0] + self.before[0] > 0


def allow(state: State, now: int, owner: str, hold: int) -> tuple[State, object]:
    """The next state, and the answer with milliseconds instead of a timedelta."""
    if not state.times:
        return state, (breaker.AllowClosed,)
    left = _left(now, state.since, state.until)
    if left <= 0 and state.probe is not None and state.probe[0] != owner:
        left = _left(now, *state.probe[1:])
    if left > 0:
        return state, (breaker.AllowOpen, left)
    return state._replace(probe=(owner, now, now + hold)), (breaker.AllowProbe,)


def report(
    state: State, now: int, owner: str, terms: Settings, *, failed: bool
) -> tuple[State, object]:
    """The next state, and the answer with milliseconds instead of a timedelta."""
    if state.times:
        if state.probe is None or state.probe[0] != owner:
            left = _left(now, state.since, state.until)
            return state, (breaker.ReportOpen, left)
        if not failed:
            return State(), (breaker.ReportClosed,)
        return _opened(now, state.times + 1, terms)
    half = -(-terms.window // 2)
    age = now - state.began
    if not state.is_kept or not 0 <= age < 2 * half:
        state = State(began=now)
    elif age >= half:
        state = State(began=state.began + half, before=state.now)
    calls, failures = state.now[0] + 1, state.now[1] + failed
    state = state._replace(now=(calls, failures))
    calls, failures = calls + state.before[0], failures + state.before[1]
    if calls >= terms.least and failures * 100 >= terms.percent * calls:
        return _opened(now, 1, terms)
    return state, (breaker.ReportCounted, calls, failures)


def _left(now: int, began: int, ends: int) -> int:
    """Nothing where the clock was set back to before it began."""
    return max(ends - now, 0) if now >= began else 0


def _opened(now: int, times: int, terms: Settings) -> tuple[State, object]:
    wait = min(terms.opened * 2 ** (times - 1), terms.most)
    return State(times=times, since=now, until=now + wait), (breaker.ReportOpened, wait)
