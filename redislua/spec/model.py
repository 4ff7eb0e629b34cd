"""What a script is: frozen values, made by `redislua.spec.header` from one file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from redislua.spec.notation import Example, Position
from redislua.spec.pattern import Pattern

MAX_SAFE_INTEGER = 2**53 - 1
"""Greatest integer that a Lua number holds exactly, with all smaller ones."""

RedisType: TypeAlias = Literal["string", "hash", "list", "set", "zset", "stream"]
RetryClass: TypeAlias = Literal["safe", "conservative", "never"]
Growth: TypeAlias = Literal["1", "log", "linear"]
Kind: TypeAlias = Literal[
    "int", "float", "str", "bytes", "bool", "us", "ms", "s", "enum", "owner", "token"
]

REDIS_TYPES: tuple[RedisType, ...] = ("string", "hash", "list", "set", "zset", "stream")
FLAGS = ("no-writes", "allow-oom", "allow-stale", "no-cluster")
UNIT_US = {"us": 1, "ms": 1_000, "s": 1_000_000}
"""Microseconds in one unit of a duration type."""


@dataclass(frozen=True, slots=True)
class Range:
    """Closed bounds of a number, a length in bytes, or a count. None is open."""

    low: float | None
    high: float | None

    def __contains__(self, value: float) -> bool:
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def __str__(self) -> str:
        low = "" if self.low is None else f"{self.low}"
        high = "" if self.high is None else f"{self.high}"
        return f"{low}..{high}"


@dataclass(frozen=True, slots=True)
class Type:
    """The type of an argument or a reply field.

    Attributes:
        kind: The word of the header.
        choices: The words of an ``enum``, else empty.
        optional: A reply field that may be absent (``T?``).
    """

    kind: Kind
    choices: tuple[str, ...] = ()
    optional: bool = False

    @property
    def is_duration(self) -> bool:
        """True for ``us``, ``ms`` and ``s``."""
        return self.kind in UNIT_US

    @property
    def is_numeric(self) -> bool:
        """True for what Lua must read with ``tonumber``."""
        return self.kind in ("int", "float") or self.is_duration

    def __str__(self) -> str:
        base = f"enum({', '.join(self.choices)})" if self.kind == "enum" else self.kind
        return f"{base}?" if self.optional else base


Literal_: TypeAlias = int | float | str | bytes | bool | None


@dataclass(frozen=True, slots=True)
class Default:
    """The value of an argument that is left out; None is ``= none``."""

    value: Literal_


@dataclass(frozen=True, slots=True)
class Arg:
    """One scalar of ARGV, or one column of a group.

    Attributes:
        name: Parameter name.
        type: Its type.
        range: Declared bounds, or None. They count bytes for ``str`` and ``bytes``.
        default: What a caller may leave out, or None when required.
        position: Where its name stands.
    """

    name: str
    type: Type
    range: Range | None
    default: Default | None
    position: Position

    @property
    def bounds(self) -> tuple[float, float]:
        """Lowest and highest value or length; the type's own where the header says nothing."""
        low, high = _TYPE_BOUNDS[self.type.kind]
        if self.range is not None:
            low = self.range.low if self.range.low is not None else low
            high = self.range.high if self.range.high is not None else high
        return low, high


_TYPE_BOUNDS: dict[Kind, tuple[float, float]] = {
    "int": (-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER),
    "float": (float("-inf"), float("inf")),
    "us": (0, MAX_SAFE_INTEGER),
    "ms": (0, MAX_SAFE_INTEGER),
    "s": (0, MAX_SAFE_INTEGER),
    "str": (0, 512 * 1024 * 1024),
    "bytes": (0, 512 * 1024 * 1024),
    "bool": (0, 1),
    "enum": (0, 0),
    "owner": (1, 48),
    "token": (1, 32),
}


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of equal shape: in ARGV a count and then the rows, in a reply its tail.

    Attributes:
        name: Parameter or field name.
        columns: The row's columns; none has a default.
        range: Least and greatest number of rows; None in a reply.
        position: Where its name stands.
    """

    name: str
    columns: tuple[Arg, ...]
    range: Range | None
    position: Position


@dataclass(frozen=True, slots=True)
class Key:
    """One of KEYS.

    Attributes:
        name: What the key is called in the script.
        pattern: How its name is built.
        redis_type: What TYPE answers.
        expires: Whether a write leaves an expiry on it.
        count: How many there may be of a variadic key, else None.
        position: Where its name stands.
    """

    name: str
    pattern: Pattern
    redis_type: RedisType
    expires: bool
    count: Range | None
    position: Position

    @property
    def variadic(self) -> bool:
        """True for a key of which a call passes several."""
        return self.count is not None


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel that the script publishes to with SPUBLISH, as its last command."""

    name: str
    pattern: Pattern
    position: Position


@dataclass(frozen=True, slots=True)
class Variant:
    """One shape of a reply."""

    name: str
    fields: tuple[Arg, ...]
    group: Group | None
    position: Position


@dataclass(frozen=True, slots=True)
class DeclaredError:
    """An error that the script replies with.

    Attributes:
        name: PascalCase, without ``Error``.
        text: What it means.
        position: Where its name stands.
    """

    name: str
    text: str
    position: Position

    @property
    def code(self) -> str:
        """The first word of the error reply: ``BadState`` gives ``RLUA_BAD_STATE``."""
        words = "".join(f"_{char}" if char.isupper() else char for char in self.name)
        return f"RLUA{words}".upper()


@dataclass(frozen=True, slots=True)
class State:
    """The layout of a key that carries its format's number in its field ``v``."""

    key: str
    format: str
    number: int
    position: Position

    def __str__(self) -> str:
        return f"{self.format}/{self.number}"


@dataclass(frozen=True, slots=True)
class Budget:
    """What a call may cost: inner commands, and how they grow with ``over``."""

    calls: int
    growth: Growth
    over: str | None


@dataclass(frozen=True, slots=True)
class Requirement:
    """The least version of one product that can run the script."""

    product: Literal["redis", "valkey"]
    version: tuple[int, ...]


# --- the script ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Script:
    """One script file: its path, its bytes and its header.

    Attributes:
        family: Folder.
        name: File name without version.
        major: The ``N`` of ``.v<N>.lua``.
        file: ``family/name.v<N>.lua``.
        source: Exact bytes.
        sha1: Hex digest of ``source``.
        flags: Flags of the shebang, in order.
        summary: First sentence.
        description: The rest of the text, lines joined by newlines.
        version: Semantic version, its major equal to ``major``.
        keys: In KEYS order.
        args: Scalars, in ARGV order.
        channels: In ARGV order, after the scalars.
        groups: In ARGV order, last.
        variants: Shapes of the reply; empty when ``bare`` is set.
        bare: Type of a reply that is one value.
        errors: Declared errors.
        states: Layouts of written keys.
        retry: What a second execution does.
        budget: What a call may cost.
        requires: Least versions, one per product; empty for the project's floor.
        deprecated: Text naming the successor, or ``""``.
        examples: Runnable examples.
        header_lines: Lines of the file that the shebang and the header take.
    """

    family: str
    name: str
    major: int
    file: str
    source: bytes
    sha1: str
    flags: tuple[str, ...]
    summary: str
    description: str
    version: str
    keys: tuple[Key, ...]
    args: tuple[Arg, ...]
    channels: tuple[Channel, ...]
    groups: tuple[Group, ...]
    variants: tuple[Variant, ...]
    bare: Type | None
    errors: tuple[DeclaredError, ...]
    states: tuple[State, ...]
    retry: RetryClass
    budget: Budget
    requires: tuple[Requirement, ...]
    deprecated: str
    examples: tuple[Example, ...]
    header_lines: int

    @property
    def full_name(self) -> str:
        """``family.name``."""
        return f"{self.family}.{self.name}"

    @property
    def read_only(self) -> bool:
        """True when the shebang says ``no-writes``."""
        return "no-writes" in self.flags

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Distinct placeholders of keys and channels, in order of appearance."""
        found: dict[str, None] = {}
        patterns = [key.pattern for key in self.keys]
        patterns += [channel.pattern for channel in self.channels]
        for pattern in patterns:
            found.update(dict.fromkeys(pattern.placeholders))
        return tuple(found)

    @property
    def spread(self) -> str | None:
        """The placeholder that a variadic key takes several values of, or None."""
        for key in self.keys:
            if key.variadic:
                return key.pattern.placeholders[-1]
        return None

    def keys_of(self, names: Sequence[bytes]) -> list[tuple[Key, bytes]]:
        """Pair the header's keys with the names in KEYS; a variadic key takes all that is left."""
        single = [key for key in self.keys if not key.variadic]
        pairs = list(zip(single, names, strict=False))
        for key in self.keys:
            if key.variadic:
                pairs += [(key, name) for name in names[len(single) :]]
        return pairs

    def state_of(self, key: str) -> State | None:
        """The declared layout of a key, or None."""
        return next((state for state in self.states if state.key == key), None)

    def variant(self, name: str) -> Variant | None:
        """The variant of that name, or None."""
        return next((variant for variant in self.variants if variant.name == name), None)
