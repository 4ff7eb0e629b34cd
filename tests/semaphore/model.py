"""What a semaphore may answer: one state after the other, at times that the caller says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from redislua.bindings import semaphore

DAY_MS = 86_400_000
GRACE_MS = 10_000

Entries = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class State:
    """What is in the three keys.

    Attributes:
        leases: Each holder and when its hold ends, in ms.
        passing: Each slot on its way to the next holder: its ticket, and when its grace ends.
        tokens: The tickets in the wake list, the newest first.
    """

    leases: Entries = ()
    passing: Entries = ()
    tokens: tuple[str, ...] = ()

    def held(self, now_ms: int) -> dict[str, int]:
        """The leases that are not over."""
        return {owner: ends for owner, ends in self.leases if ends > now_ms}

    def passed(self, now_ms: int) -> dict[str, int]:
        """The slots that still wait for their ticket."""
        return {ticket: ends for ticket, ends in self.passing if ends > now_ms}


def _state(held: dict[str, int], passed: dict[str, int], tokens: tuple[str, ...]) -> State:
    return State(tuple(sorted(held.items())), tuple(sorted(passed.items())), tokens)


def acquire(
    state: State, now_ms: int, owner: str, limit: int, hold_ms: int, ticket: str | None
) -> tuple[State, semaphore.AcquireReply]:
    """The next state and the answer."""
    held, passed, tokens = state.held(now_ms), state.passed(now_ms), state.tokens
    # A grace that ends later than any can was given before the clock was set back.
    passed = {name: ends for name, ends in passed.items() if ends <= now_ms + GRACE_MS}
    replayed = owner in held
    if not replayed:
        if ticket is not None:
            passed.pop(ticket, None)
        if len(held) + len(passed) >= limit and tokens:
            tokens = tokens[1:] if passed.pop(tokens[0], None) is not None else ()
        if len(held) + len(passed) >= limit:
            held = {name: min(ends, now_ms + DAY_MS) for name, ends in held.items()}
            free_at = min([*held.values(), *passed.values()])
            after = timedelta(milliseconds=free_at - now_ms)
            return _state(held, passed, tokens), semaphore.AcquireFull(len(held), after)
    held[owner] = now_ms + hold_ms
    return _state(held, passed, tokens), semaphore.AcquireAcquired(len(held), replayed)


def renew(
    state: State, now_ms: int, owner: str, hold_ms: int
) -> tuple[State, semaphore.RenewReply]:
    """The next state and the answer."""
    if owner not in state.held(now_ms):
        return state, semaphore.RenewLost()
    leases = dict(state.leases) | {owner: now_ms + hold_ms}
    renewed = semaphore.RenewRenewed(timedelta(milliseconds=hold_ms))
    return _state(leases, dict(state.passing), state.tokens), renewed


def release(
    state: State, now_ms: int, owner: str, grace_ms: int
) -> tuple[State, semaphore.ReleaseReply]:
    """The next state and the answer."""
    if owner not in state.held(now_ms):
        return state, semaphore.ReleaseNotHeld()
    leases, passing = dict(state.leases), dict(state.passing)
    del leases[owner]
    tokens = (owner, *state.tokens)[: len(state.passed(now_ms)) + 1]
    if grace_ms:
        passing[owner] = now_ms + grace_ms
    after = _state(leases, passing, tokens)
    return after, semaphore.ReleaseReleased(len(after.held(now_ms)))


def pop(state: State) -> tuple[State, str | None]:
    """The next state and the ticket that a waiter takes from the wake list."""
    if not state.tokens:
        return state, None
    return State(state.leases, state.passing, state.tokens[1:]), state.tokens[0]
