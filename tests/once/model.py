"""What `once.claim` may answer: one state after the other, without its ttl running out."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from redislua.bindings import once


class Claimed(NamedTuple):
    """What the key holds.

    Attributes:
        token: The token of the first call.
        value: Its value.
        at_ms: When it came.
    """

    token: str
    value: bytes
    at_ms: int


def claim(
    state: Claimed | None, token: str, value: bytes, now_ms: int
) -> tuple[Claimed, once.ClaimReply]:
    """The next state and the answer."""
    if state is None:
        return Claimed(token, value, now_ms), once.ClaimFirst()
    age = timedelta(milliseconds=max(now_ms - state.at_ms, 0))
    kind = once.ClaimReplayed if state.token == token else once.ClaimSeen
    return state, kind(state.value, age)
