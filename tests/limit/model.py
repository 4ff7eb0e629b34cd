"""One subject's limiters, in whole numbers: what their scripts should answer, and when."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Bucket", "Rate", "TierModel"]

REMEMBERED = 64
LONGEST_REMEMBERED_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate whose tokens take a whole number of microseconds.

    Attributes:
        token_us: Time of one token.
        burst: Tokens of a rested subject.
        max_debt: Tokens that it may owe.
    """

    token_us: int
    burst: int
    max_debt: int = 0

    def ceiling(self, now_us: int) -> int:
        """The latest time at which a subject may be full again."""
        return now_us + (self.burst + self.max_debt) * self.token_us


@dataclass(slots=True)
class Bucket:
    """What `gcra`, `take_up_to`, `settle` and `reset` share.

    Attributes:
        rate: The rate.
        full_us: When the subject is full again.
        made: Corrections that are remembered, the oldest first, each with its score.
    """

    rate: Rate
    full_us: int = 0
    made: dict[str, int] = field(default_factory=dict)

    def left(self, now_us: int) -> int:
        """Tokens that are there, negative for a debt."""
        burst_us = self.rate.burst * self.rate.token_us
        return (now_us + burst_us - self._full(now_us)) // self.rate.token_us

    def _full(self, now_us: int) -> int:
        """When the subject is full again, no later than may be."""
        return min(max(self.full_us, now_us), self.rate.ceiling(now_us))

    def _take(self, now_us: int, count: int) -> None:
        """Store what a call leaves: a refusal leaves what was, unless that was too late."""
        if count or self.full_us > self.rate.ceiling(now_us):
            self.full_us = self._full(now_us) + count * self.rate.token_us

    def consume(self, now_us: int, cost: int) -> bool:
        """Whether the cost was taken."""
        is_there = self.left(now_us) >= cost
        if cost:
            self._take(now_us, cost if is_there else 0)
        return is_there

    def take_up_to(self, now_us: int, count: int) -> int:
        """How many were taken."""
        granted = min(max(self.left(now_us), 0), count)
        self._take(now_us, granted)
        return granted

    def settle(self, now_us: int, delta: int, token: str) -> str:
        """The name of the answer."""
        if token in self.made:
            return "Replayed"
        wanted_us = max(self._full(now_us) + delta * self.rate.token_us, now_us)
        full_us = min(wanted_us, self.rate.ceiling(now_us))
        self.full_us = full_us if full_us > now_us else 0
        score = max(now_us, max(self.made.values(), default=0) + 1)
        kept = [(name, at) for name, at in self.made.items() if at > now_us - LONGEST_REMEMBERED_US]
        self.made = dict([*kept, (token, score)][-REMEMBERED:])
        return "DebtCapped" if wanted_us > full_us else "Settled"

    def reset(self) -> bool:
        """Whether there was anything."""
        existed = bool(self.full_us or self.made)
        self.full_us, self.made = 0, {}
        return existed


@dataclass(frozen=True, slots=True)
class TierModel:
    """Several bursts that earn nothing meanwhile: what is left of each.

    Attributes:
        left: By position.
    """

    left: tuple[int, ...]

    def take(self, costs: tuple[int, ...]) -> TierModel | None:
        """What is left after a call; None when one refuses it."""
        after = tuple(left - cost for left, cost in zip(self.left, costs, strict=True))
        return TierModel(after) if min(after) >= 0 else None
