"""Replies into declared types: the few steps that a ``match`` cannot express.

Generated decoders match the shape; these turn one element, and make the classes of
replies. A ValueError raised here becomes an `UnexpectedReplyError` in the runtime,
which knows the call.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import FunctionType
from typing import Any, TypeVar, dataclass_transform

Class = TypeVar("Class")

MICROSECOND = timedelta(microseconds=1)
MILLISECOND = timedelta(milliseconds=1)
SECOND = timedelta(seconds=1)
"""What a duration of a reply is multiplied by: a third of the time of the constructor."""


@dataclass_transform(frozen_default=True)
def reply(cls: type[Class]) -> type[Class]:
    """Decorate the class of a reply: a frozen, slotted dataclass that is quicker to make.

    A frozen dataclass sets each attribute by its name, through ``object.__setattr__``.
    The ``__init__`` made here has the same signature and sets them through the slots'
    own descriptors: two thirds of the time for a reply, and for the class on import.
    """
    made = dataclass(frozen=True, slots=True, init=False)(cls)
    made.__init__ = _direct_init(made)  # type: ignore[method-assign]  # there is none
    return made


def _direct_init(cls: type) -> Callable[..., None]:
    types = cls.__annotations__
    setters: dict[str, Any] = {f"set_{name}": getattr(cls, name).__set__ for name in types}
    lines = [f"set_{name}(self, {name})" for name in types] or ["pass"]
    text = f"def __init__({', '.join(['self', *types])}):\n " + "\n ".join(lines)
    exec(text, setters)  # noqa: S102  # a class's own attributes, as dataclass itself does
    init: FunctionType = setters["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    init.__annotations__ = {**types, "return": None}
    return init


def text(value: bytes) -> str:
    """Decode UTF-8; bad UTF-8 is a ValueError."""
    return value.decode("utf-8")


def real(value: bytes) -> float:
    """Read a float that the script sent as a string; NaN and infinities are a ValueError."""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"not a finite number: {value!r}")
    return number


def chunks(values: Sequence[Any], width: int) -> list[Sequence[Any]]:
    """Cut the flat rows of a group into rows of ``width`` elements."""
    if len(values) % width:
        raise ValueError(f"{len(values)} elements are not rows of {width}")
    return [values[start : start + width] for start in range(0, len(values), width)]
