"""Known defects, put into the catalogue's scripts one at a time: does the linter see them?"""

from __future__ import annotations

from . import commands, cost, errors, keeping, keys, names, numbers, replies, syntax
from .seeding import KINDS, Kind

__all__ = [
    "KINDS",
    "Kind",
    "commands",
    "cost",
    "errors",
    "keeping",
    "keys",
    "names",
    "numbers",
    "replies",
    "syntax",
]
