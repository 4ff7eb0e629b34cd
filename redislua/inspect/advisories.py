"""Published faults of the servers' Lua, and the first versions without them.

From the release notes of both products and the CVE records. Only faults that whoever may
run a script can use, and only what these sources say: a line that they do not name is
judged where they say that every older version has the fault, and else passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from redislua.inspect.facts import Product

__all__ = ["ADVISORIES", "Advisory", "open_advisories", "safe_version"]

Line = tuple[int, int]
"""``(7, 2)`` stands for 7.2.x."""


@dataclass(frozen=True, slots=True)
class Advisory:
    """One fault.

    Attributes:
        cve: Its identifier.
        what: What it allows.
        fixed: For each product and line the first patch without it. Newer lines have none.
        is_old: Whether every line before the newest of ``fixed`` that is not in it has
            the fault; otherwise nothing is known of those.
    """

    cve: str
    what: str
    fixed: Mapping[Product, Mapping[Line, int]] = field(hash=False)
    is_old: bool = True

    def affects(self, product: Product, version: tuple[int, ...]) -> bool:
        """Whether a version is known to have it."""
        lines = self.fixed.get(product)
        if not lines or len(version) < 3:
            return False
        line = (version[0], version[1])
        if line in lines:
            return version[2] < lines[line]
        return self.is_old and line < max(lines)


ADVISORIES = (
    Advisory(
        "CVE-2022-24735",
        "a script runs code with the rights of another user",
        {"Redis": {(6, 2): 7, (7, 0): 0}},
    ),
    Advisory(
        "CVE-2022-24736",
        "loading a script crashes the server",
        {"Redis": {(6, 2): 7, (7, 0): 0}},
    ),
    Advisory(
        "CVE-2022-24834",
        "heap overflow in cjson and cmsgpack, possibly execution of code",
        {"Redis": {(6, 0): 20, (6, 2): 13, (7, 0): 12}},
    ),
    Advisory(
        "CVE-2024-31449",
        "stack overflow in the bit library, possibly execution of code",
        {
            "Redis": {(6, 2): 16, (7, 2): 6, (7, 4): 1},
            "Valkey": {(7, 2): 7, (8, 0): 1},
        },
    ),
    Advisory(
        "CVE-2024-46981",
        "use after free by the garbage collector, possibly execution of code",
        {
            "Redis": {(6, 2): 17, (7, 2): 7, (7, 4): 2},
            "Valkey": {(7, 2): 8, (8, 0): 2},
        },
    ),
    *(
        Advisory(
            cve,
            what,
            {
                "Redis": {(6, 2): 20, (7, 2): 11, (7, 4): 6, (8, 0): 4, (8, 2): 2},
                "Valkey": {(7, 2): 11, (8, 0): 6, (8, 1): 4},
            },
        )
        for cve, what in (
            ("CVE-2025-49844", "use after free in the parser: execution of code"),
            ("CVE-2025-46817", "integer overflow in unpack, possibly execution of code"),
            ("CVE-2025-46818", "a script runs code with the rights of another user"),
            ("CVE-2025-46819", "read out of bounds, or a crash of the server"),
        )
    ),
    Advisory(
        "CVE-2025-67733",
        "a NUL in a script's error injects replies into the connection",
        {"Valkey": {(7, 2): 12, (8, 0): 7, (8, 1): 6, (9, 0): 2}},
    ),
    Advisory(
        "CVE-2026-23631",
        "use after free on what is, or can be made, a writable replica: execution of code",
        {
            "Redis": {(7, 4): 9, (8, 2): 6, (8, 4): 3, (8, 6): 3},
            "Valkey": {(8, 1): 7, (9, 0): 4},
        },
        is_old=False,
    ),
)


def open_advisories(product: Product, version: tuple[int, ...]) -> tuple[Advisory, ...]:
    """Find the faults that a version is known to have."""
    return tuple(one for one in ADVISORIES if one.affects(product, version))


def safe_version(product: Product, version: tuple[int, ...]) -> str:
    """The nearest version without any of the faults: of the same line, or of the next."""
    lines = sorted({line for one in ADVISORIES for line in one.fixed.get(product, {})})
    for line in lines:
        if line < version[:2]:
            continue
        patches = [one.fixed.get(product, {}).get(line, 0) for one in ADVISORIES]
        nearest = (*line, max(patches))
        if not open_advisories(product, nearest):
            return ".".join(map(str, nearest))
    return "the newest"
