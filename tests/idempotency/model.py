"""What the scripts of `idempotency` may answer: one state after the other.

A hold ends when the test says so, and the key does not expire by itself.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from redislua.bindings import idempotency as idem


class Request(NamedTuple):
    """What the key holds.

    Attributes:
        status: ``running``, ``free``, ``done`` or ``failed``.
        fingerprint: The one that is bound to the key.
        owner: Who began the last attempt.
        attempt: Its number.
        is_over: Whether its hold has run out.
        response: What it ended with.
    """

    status: str
    fingerprint: str
    owner: str
    attempt: int
    is_over: bool = False
    response: bytes = b""


State = Request | None


def begin(state: State, owner: str, fingerprint: str) -> tuple[State, Any]:
    """The next state and the answer; None is InProgress."""
    if state is None:
        return Request("running", fingerprint, owner, 1), idem.BeginStarted(1, replayed=False)
    if state.fingerprint != fingerprint:
        return state, idem.BeginMismatch()
    if state.status == "done":
        return state, idem.BeginCompleted(state.response)
    if state.status == "failed":
        return state, idem.BeginFailed(state.response)
    if state.status == "running":
        if state.owner == owner:
            started = idem.BeginStarted(state.attempt, replayed=True)
            return state._replace(is_over=False), started
        if not state.is_over:
            return state, None
    attempt = state.attempt + 1
    after = Request("running", fingerprint, owner, attempt)
    return after, idem.BeginStarted(attempt, replayed=False)


def complete(state: State, owner: str, response: bytes) -> tuple[State, Any]:
    """The next state and the answer."""
    if state is not None and state.owner == owner:
        if state.status == "done":
            return state, idem.CompleteCompleted(replayed=True)
        if state.status == "running":
            after = state._replace(status="done", response=response)
            return after, idem.CompleteCompleted(replayed=False)
    return state, idem.CompleteLost()


def fail(state: State, owner: str, response: bytes | None) -> tuple[State, Any]:
    """The next state and the answer; without a response it may be tried again."""
    if state is not None and state.owner == owner:
        ended = "free" if response is None else "failed"
        if state.status in ("running", ended):
            if response is None:
                return state._replace(status="free"), idem.FailReleased()
            replayed = state.status == "failed"
            kept = state.response if replayed else response
            after = state._replace(status="failed", response=kept)
            return after, idem.FailFailed(replayed=replayed)
    return state, idem.FailLost()


def extend(state: State, owner: str) -> tuple[State, Any]:
    """The next state and the answer; None is Extended."""
    if state is not None and state.owner == owner and state.status == "running":
        return state._replace(is_over=False), None
    return state, idem.ExtendLost()
