"""``[tool.redislua.budget]`` of a project's pyproject.toml, and how long to measure."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from redislua.errors import ConfigError

KEYS = ("limit",)

LIMIT_US = 1_000
"""What p99.9 is held against where a project says nothing, in microseconds."""

HARD_US = 5_000
"""What no call may take, in microseconds."""

_TIME = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>us|ms)")
_UNIT_US = {"us": 1, "ms": 1_000}


@dataclass(frozen=True, slots=True)
class Settings:
    """How scripts are measured and judged.

    Attributes:
        limit_us: What p99.9 is held against, in microseconds.
        hard_us: What no call may take, in microseconds.
        calls: Calls of a case in one round, for the slowest case; a twentieth for the others.
        seconds: How long a round goes on at most, once 50 calls are made.
        others: How many cases beside the sizes are measured: the slowest ones.
    """

    limit_us: int = LIMIT_US
    hard_us: int = HARD_US
    calls: int = 1_000
    seconds: float = 2.0
    others: int = 2

    @classmethod
    def quick(cls, limit_us: int = LIMIT_US) -> Settings:
        """A fifth of the calls: a percentile of 99.9 is then the maximum."""
        return cls(limit_us=limit_us, calls=200, seconds=0.5, others=1)

    def fewer(self) -> Settings:
        """A twentieth of the calls, but no fewer than a round must have anyway."""
        return replace(self, calls=max(50, self.calls // 20), seconds=self.seconds / 4)


def read_limit(path: Path) -> int:
    """Return the limit of a project in microseconds: `LIMIT_US` where it sets none.

    Args:
        path: Its pyproject.toml.

    Raises:
        ConfigError: The table has another key, or the limit is no time up to 5 ms.
    """
    table: Any = tomllib.loads(path.read_text("utf-8")).get("tool", {}).get("redislua", {})
    budget = table.get("budget", {})
    if not isinstance(budget, dict) or set(budget) - set(KEYS):
        raise ConfigError(
            f"{path}: [tool.redislua.budget]: expected a table with {', '.join(KEYS)} alone, "
            'as in limit = "2ms"'
        )
    if "limit" not in budget:
        return LIMIT_US
    return read_time(f"{path}: [tool.redislua.budget] limit", budget["limit"])


def read_time(what: str, value: object) -> int:
    """Read ``"750us"`` or ``"1.5ms"`` as microseconds, from 1 to 5 000.

    Raises:
        ConfigError: It is something else; the text begins with ``what``.
    """
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    microseconds = round(float(found["number"]) * _UNIT_US[found["unit"]]) if found else 0
    if not 1 <= microseconds <= HARD_US:
        raise ConfigError(f'{what}: {value!r}: expected a time up to 5 ms, as in "750us" or "2ms"')
    return microseconds
