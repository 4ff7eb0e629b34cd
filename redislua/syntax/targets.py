"""The servers that scripts are to run on, as the user lists them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Self

from redislua.errors import ConfigError
from redislua.syntax.commands.tables import LINES, table

__all__ = ["DEFAULT", "LINES", "Targets"]

_EXPECTED = (
    "expected a product and its oldest version, as in 'redis>=7.4' or 'valkey>=8.1' "
    "(quoted in a shell), each product at most once"
)
_BOUND = re.compile(r"(redis|valkey) *>= *([0-9]{1,4}(?:\.[0-9]{1,4}){0,2})")


@dataclass(frozen=True, slots=True)
class Targets:
    """The oldest version of each product that scripts are to run on.

    Attributes:
        bounds: Product and version, ``("redis", (7, 0))``, sorted by product.
        commands: The file of a command table that stands for all of them, or ``""``.
    """

    bounds: tuple[tuple[str, tuple[int, ...]], ...]
    commands: str = ""
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.bounds, self.commands)))

    def __hash__(self) -> int:
        # Kept: much is known by targets, and every rule asks for it at every command.
        return self._hash

    @classmethod
    def of_server(cls, path: str | os.PathLike[str]) -> Self:
        """The one server that a command table was read from.

        Raises:
            ConfigError: The file is missing or no command table.
        """
        product, _, version = table(os.fspath(path)).server.partition(" ")
        if product.lower() not in ("redis", "valkey"):
            raise ConfigError(f"{path}: its server is {product!r}: expected Redis or Valkey")
        numbers = tuple(int(part) for part in version.split(".")[:2])
        return cls(((product.lower(), numbers),), os.fspath(path))

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Self:
        """Read ``["redis>=7.0", "valkey>=7.2"]``.

        Raises:
            ConfigError: It is no such list; the text says what was expected.
        """
        if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
            raise ConfigError(f"targets = {texts!r}: {_EXPECTED}")
        bounds: dict[str, tuple[int, ...]] = {}
        for text in texts:
            found = _BOUND.fullmatch(text.strip()) if isinstance(text, str) else None
            if found is None:
                raise ConfigError(f"targets: {text!r}: {_EXPECTED}")
            product, version = found.groups()
            if product in bounds:
                raise ConfigError(f"targets: {text!r}: a second bound of {product}: {_EXPECTED}")
            numbers = tuple(int(part) for part in version.split("."))
            bounds[product] = numbers if len(numbers) > 1 else (*numbers, 0)
        if not bounds:
            raise ConfigError(f"targets: it is empty: {_EXPECTED}")
        return cls(tuple(sorted(bounds.items())))

    @property
    def lines(self) -> tuple[str, ...]:
        """The server lines with a table that are meant, in the order of `LINES`.

        A version that lies between two tables counts from the newer one on. The oldest
        table stands for all that is older, the newest for all that is newer.
        """
        return (self.commands,) if self.commands else _lines(self.bounds)

    def lowest(self, product: str) -> tuple[int, ...] | None:
        """The oldest version of a product, ``(7, 0)``; None if the product is no target."""
        return dict(self.bounds).get(product)

    def __str__(self) -> str:
        if self.commands:
            return table(self.commands).server
        return ", ".join(
            f"{product}>={'.'.join(str(part) for part in lowest)}"
            for product, lowest in self.bounds
        )


@cache
def _lines(bounds: tuple[tuple[str, tuple[int, ...]], ...]) -> tuple[str, ...]:
    meant: set[str] = set()
    for product, lowest in bounds:
        known = [line for line in LINES if line.startswith(f"{product}-")]
        meant.update([line for line in known if _version(line) >= lowest[:2]] or known[-1:])
    return tuple(line for line in LINES if line in meant)


def _version(line: str) -> tuple[int, ...]:
    """``(7, 0)`` of ``redis-7.0``."""
    return tuple(int(part) for part in line.rpartition("-")[2].split("."))


DEFAULT = Targets((("redis", (7, 0)), ("valkey", (7, 2))))
"""What redislua needs."""
