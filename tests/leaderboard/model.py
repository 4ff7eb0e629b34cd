"""What a board may answer: players with a score and the time at which it was reached."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

__all__ = ["Board", "Place"]

Order = Literal["high", "low"]


class Place(NamedTuple):
    """One player's row."""

    id: str
    score: float
    rank: int
    tied_rank: int
    since: int


@dataclass
class Board:
    """A board in one order.

    Attributes:
        order: Which score leads.
        players: Score and time in microseconds, by id.
    """

    order: Order
    players: dict[str, tuple[float, int]] = field(default_factory=dict)

    def ids(self) -> list[str]:
        """The leader first; of equal scores and times as the server orders its members."""
        sign = -1 if self.order == "high" else 1
        by_id = sorted(self.players, key=str.encode, reverse=self.order == "high")
        return sorted(by_id, key=lambda one: (sign * self.players[one][0], self.players[one][1]))

    def rows(self) -> list[Place]:
        found: list[Place] = []
        for rank, id in enumerate(self.ids(), 1):  # noqa: A001
            score, since = self.players[id]
            tied = found[-1].tied_rank if found and found[-1].score == score else rank
            found.append(Place(id, score, rank, tied, since))
        return found

    def place(self, id: str) -> Place | None:  # noqa: A002
        return next((row for row in self.rows() if row.id == id), None)

    def enter(self, id: str, score: float, now: int, most: int) -> Place | float:  # noqa: A002
        """The new place, or the score of the last on the board."""
        self.players[id] = score, now
        for last in self.ids()[::-1][: min(max(len(self.players) - most, 0), 50)]:
            del self.players[last]
        found = self.place(id)
        return self.players[self.ids()[-1]][0] if found is None else found

    def counts(self, id: str, score: float, mode: str) -> bool:  # noqa: A002
        """Whether a score is entered."""
        if id not in self.players:
            return True
        old = self.players[id][0]
        is_better = score > old if self.order == "high" else score < old
        return score != old and (mode == "last" or is_better == (mode == "best"))
