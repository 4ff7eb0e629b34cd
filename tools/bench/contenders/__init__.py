"""Who can call a script: one factory each, which opens a client and yields a call.

A factory is named by ``module:function`` and imported only in the worker that runs it, so
no contender pays for another's imports, threads or garbage, and one whose library is not
installed is absent instead of fatal.
"""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from typing import Any

from ..workload import Target

__all__ = ["Asyncio", "Blocking", "load"]


@dataclass(frozen=True, slots=True)
class Blocking:
    """A contender that blocks its thread.

    Attributes:
        open: Opens a client and yields the call to time.
        allowed: Tells whether a reply is the one that every call must get.
    """

    open: Callable[[Target], AbstractContextManager[Callable[[Any], object]]]
    allowed: Callable[[object], bool]


@dataclass(frozen=True, slots=True)
class Asyncio:
    """A contender for asyncio; attributes as of `Blocking`."""

    open: Callable[[Target], AbstractAsyncContextManager[Callable[[Any], Awaitable[object]]]]
    allowed: Callable[[object], bool]


def load(name: str) -> Blocking | Asyncio:
    """Return the contender that ``module:attribute`` names, below this package.

    Raises:
        ImportError: Its library is not installed.
    """
    module, _, attribute = name.partition(":")
    found = getattr(importlib.import_module(f"{__name__}.{module}"), attribute)
    if not isinstance(found, Blocking | Asyncio):
        raise TypeError(f"{name} is no contender")
    return found
