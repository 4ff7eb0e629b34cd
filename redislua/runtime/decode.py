"""Replies into declared types: the few steps that a ``match`` cannot express.

Generated decoders match the shape; these turn one element. A ValueError raised here
becomes an `UnexpectedReplyError` in the runtime, which knows the call.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


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
