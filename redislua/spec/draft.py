"""A header while it is being read."""

from __future__ import annotations

from dataclasses import dataclass, field

from redislua.spec.cursor import Cursor
from redislua.spec.model import (
    Arg,
    Budget,
    Channel,
    DeclaredError,
    Group,
    Key,
    Requirement,
    RetryClass,
    State,
    Type,
    Variant,
)
from redislua.spec.notation import Example


@dataclass(slots=True)
class Draft:
    """A header while it is being read.

    Attributes:
        names: Keys, args, channels and placeholders: one name space.
        once: Tags that have been seen.
        broken: Tags of which a line could not be read; what rests on them is not judged,
            so that one slip gives one error.
    """

    version: str = ""
    keys: list[Key] = field(default_factory=list)
    args: list[Arg] = field(default_factory=list)
    channels: list[Channel] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    variants: list[Variant] = field(default_factory=list)
    bare: Type | None = None
    errors: list[DeclaredError] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    retry: RetryClass | None = None
    budget: Budget | None = None
    requires: list[Requirement] = field(default_factory=list)
    deprecated: str = ""
    examples: list[Example] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    once: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)

    def claim(self, cursor: Cursor, start: int, name: str, role: str) -> None:
        """Take a name of the script's one name space, or fail."""
        held = self.names.get(name)
        if held is not None and not (held == role == "placeholder"):
            cursor.fail(
                f"{name!r} is already the name of a {held}",
                "one name for each key, argument, channel and placeholder",
                start=start,
            )
        self.names[name] = role
