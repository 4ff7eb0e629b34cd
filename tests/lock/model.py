"""What a lock may answer: one state after the other, without time running out by itself."""

from __future__ import annotations

from typing import Any, NamedTuple

from redislua.bindings import lock

NOBODY = ""
"""The holder of a lock that was given back and goes to whoever has the ticket."""


class State(NamedTuple):
    """What is in the three keys.

    Attributes:
        holder: Who holds the lock, `NOBODY` after a release, or None where there is no lock.
        held_fence: Its fence, which is also the ticket after a release; 0 without a lock.
        fence: The fence that was given out last, 0 where it is no longer kept.
        token: The ticket that lies in the wake list, or None.
    """

    holder: str | None = None
    held_fence: int = 0
    fence: int = 0
    token: int | None = None

    @property
    def last(self) -> int:
        """The greatest fence that anything remembers."""
        return max(self.fence, self.held_fence)

    def is_free_for(self, ticket: str | None) -> bool:
        """Whether somebody who does not hold the lock gets it."""
        if self.holder != NOBODY:
            return self.holder is None
        return self.token is not None or ticket == str(self.held_fence)


def acquire(
    state: State, owner: str, ticket: str | None, fence: int
) -> tuple[State, lock.AcquireAcquired | None]:
    """The next state and the answer, where fence is given out if one is; None is Held."""
    if state.holder == owner:
        return state, lock.AcquireAcquired(str(state.held_fence), replayed=True)
    if not state.is_free_for(ticket):
        return state, None
    return State(owner, fence, fence), lock.AcquireAcquired(str(fence), replayed=False)


def extend(state: State, owner: str) -> lock.ExtendLost | None:
    """The answer; None is Extended."""
    if state.holder == owner:
        return None
    return lock.ExtendLost("taken" if state.holder else "free")


def release(state: State, owner: str, *, graceful: bool = True) -> tuple[State, Any]:
    """The next state and the answer; without a grace the lock is gone at once."""
    if state.holder == owner:
        token = state.held_fence
        if graceful:
            return state._replace(holder=NOBODY, token=token), lock.ReleaseReleased()
        return State(None, 0, state.fence, token), lock.ReleaseReleased()
    return state, lock.ReleaseNotOwner() if state.holder else lock.ReleaseAlreadyFree()


def inspect(state: State) -> lock.InspectFree | tuple[str, str]:
    """The answer: Free, or holder and fence of Held."""
    if state.holder:
        return state.holder, str(state.held_fence)
    fence = state.fence or state.held_fence
    return lock.InspectFree(str(fence) if fence else None)


def pop(state: State) -> tuple[State, int | None]:
    """The next state and the element that a waiter takes from the wake list."""
    return state._replace(token=None), state.token
