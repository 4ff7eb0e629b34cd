"""What `redislua doctor` finds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

__all__ = ["SEVERITIES", "Finding", "Severity", "merged"]

Severity: TypeAlias = Literal["error", "warning", "note"]

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""Worst first. An error breaks something, or is open to attack; a warning is a risk; a note
says what cannot be told, or what is worth knowing."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a server, or some of them, should not be or have.

    Attributes:
        code: Its name, for `--ignore`: ``eviction-policy``, ``CVE-2025-49844``.
        severity: How bad it is.
        text: What is wrong, and why that matters.
        remedy: What to do.
        nodes: The servers.
    """

    code: str
    severity: Severity
    text: str
    remedy: str
    nodes: tuple[str, ...]


def merged(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Put together what is the same on several servers; the worst comes first."""
    found: dict[tuple[str, str, str], Finding] = {}
    for one in findings:
        key = (one.code, one.text, one.remedy)
        known = found.get(key)
        nodes = one.nodes if known is None else (*known.nodes, *one.nodes)
        found[key] = replace(one, nodes=tuple(dict.fromkeys(nodes)))
    return tuple(sorted(found.values(), key=lambda one: SEVERITIES.index(one.severity)))
