"""What the sessions of one user may answer, with a clock of their own in milliseconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from redislua.bindings import session

__all__ = ["Sessions"]


@dataclass
class Kept:
    """A session that was begun and not destroyed, valid or not."""

    latest: int
    idle: int
    rev: int = 1
    token: str = ""
    data: dict[str, bytes] = field(default_factory=dict)


@dataclass
class Sessions:
    """Those that are kept, by id, and the ends of those that are valid."""

    kept: dict[str, Kept] = field(default_factory=dict)
    ends: dict[str, int] = field(default_factory=dict)

    def live(self, now: int) -> list[str]:
        """Ids of those that are valid, the one that ends first first."""
        return sorted(
            (sid for sid, end in self.ends.items() if end > now),
            key=lambda sid: (self.ends[sid], sid.encode()),
        )

    def create(
        self, now: int, sid: str, idle: int, absolute: int, most: int, policy: str, data: Any
    ) -> Any:
        if sid in self.kept:
            is_live = self.ends.get(sid, 0) > now
            return session.CreateReplayed() if is_live else session.CreateRevoked()
        live = self.live(now)
        if len(live) >= most and policy == "reject":
            return session.CreateTooMany(len(live))
        evicted = live[: max(len(live) - most + 1, 0)]
        self.ends = {one: end for one, end in self.ends.items() if end > now and one not in evicted}
        self.kept[sid] = Kept(now + absolute, idle, data=dict(data))
        self.ends[sid] = now + min(idle, absolute)
        return session.CreateCreated(len(evicted))

    def _found(self, now: int, sid: str) -> Kept | str:
        if sid not in self.kept:
            return "Missing"
        return self.kept[sid] if self.ends.get(sid, 0) > now else "Revoked"

    def touch(self, now: int, sid: str) -> Any:
        """The reply's fields, or the variant's name."""
        found = self._found(now, sid)
        if isinstance(found, str):
            return found
        end = min(now + found.idle, found.latest)
        wrote = (end - self.ends[sid]) * 10 > found.idle
        if wrote:
            self.ends[sid] = end
        return (self.ends[sid] - now, found.latest - now, wrote, found.rev, found.data)

    def patch(self, now: int, sid: str, rev: int | None, token: str, sets: Any, unsets: Any) -> Any:
        found = self._found(now, sid)
        if isinstance(found, str):
            return found
        if found.token == token:
            return session.PatchPatched(found.rev)
        if rev is not None and rev != found.rev:
            return session.PatchConflict(found.rev)
        found.data = {k: v for k, v in (found.data | sets).items() if k not in unsets}
        found.rev, found.token = found.rev + 1, token
        return session.PatchPatched(found.rev)

    def rotate(self, now: int, sid: str, new_sid: str) -> str:
        if sid not in self.kept:
            return "Replayed" if new_sid in self.kept and new_sid in self.ends else "Missing"
        if new_sid in self.kept:
            return "BadArgument"
        if self.ends.get(sid, 0) <= now:
            return "Revoked"
        self.kept[new_sid], self.ends[new_sid] = self.kept.pop(sid), self.ends.pop(sid)
        return "Rotated"

    def destroy(self, sid: str) -> str:
        self.kept.pop(sid, None)
        return "Missing" if self.ends.pop(sid, None) is None else "Destroyed"

    def revoke_all(self, now: int, keep: str | None) -> int:
        live = self.live(now)
        self.ends = {sid: self.ends[sid] for sid in live if sid == keep}
        return len(live) - len(self.ends)

    def sweep(self, now: int) -> int:
        count = len(self.ends)
        self.ends = {sid: end for sid, end in self.ends.items() if end > now}
        return count - len(self.ends)
