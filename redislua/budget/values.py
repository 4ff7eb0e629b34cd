"""Arguments to measure with: those of an example, and the ends of the declared ranges."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from redislua.spec.model import MAX_SAFE_INTEGER, UNIT_US, Arg, Group, Key, Range, Script
from redislua.spec.notation import ExampleCall, Reference
from redislua.spec.registry import Registry, resolve
from redislua.spec.typing import arguments

SUBJECT = "budget"
"""What a placeholder is filled with where no example says anything."""

LONGEST_TEXT = 1024 * 1024
"""Bytes that a text without a declared range is measured with."""

MOST_ROWS = 1_000
"""Rows and keys that are measured with where no range bounds their number."""


def usual(registry: Registry, script: Script) -> dict[str, Any]:
    """Keyword arguments of a typical call: those of the script's first example.

    Without an example that can be read alone, each argument has its default or its least value.
    """
    for example in script.examples:
        for line in example.lines:
            if not isinstance(line, ExampleCall) or line.expectation.error:
                continue
            if resolve(registry, script, line) is not script:
                continue
            typed = arguments(script, line.arguments)
            if not any(isinstance(value, Reference) for value in typed.values()):
                return dict(typed)
    made: dict[str, Any] = {
        name: [SUBJECT] if name == script.spread else SUBJECT for name in script.placeholders
    }
    made.update({arg.name: low(arg) for arg in script.args if arg.default is None})
    made.update({group.name: rows(group, counts(group.range)[0]) for group in script.groups})
    return made


def ends(script: Script, base: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a label and arguments for each end of each range alone, and for all ends at once.

    Args:
        script: The script.
        base: The arguments that stay where one is moved to its end.
    """
    lows: dict[str, Any] = {}
    highs: dict[str, Any] = {}
    for arg in script.args:
        if arg.type.kind == "enum":
            for choice in arg.type.choices:
                yield f"{arg.name} {choice}", {**base, arg.name: choice}
        else:
            lows[arg.name], highs[arg.name] = low(arg), high(arg)
    for group in script.groups:
        if group not in paired(script):
            fewest, most = counts(group.range)
            lows[group.name] = rows(group, fewest)
            highs[group.name] = rows(group, most, longest=True)
    spread = _spread(script)
    if spread is not None and script.spread is not None:
        fewest, most = counts(spread.count)
        lows[script.spread], highs[script.spread] = names(fewest), names(most)
    for name in lows:
        yield f"{name} low", {**base, name: lows[name]}
        yield f"{name} high", {**base, name: highs[name]}
    if len(lows) > 1:
        yield "all low", {**base, **lows}
        yield "all high", {**base, **highs}


def with_size(script: Script, base: Mapping[str, Any], size: int) -> dict[str, Any]:
    """Give the argument, the group or the keys that ``@budget n=`` names the size ``size``."""
    over = script.budget.over
    if over is None:
        return dict(base)
    if over == "keys":
        with_each = {group.name: rows(group, size, longest=True) for group in paired(script)}
        return {**base, **with_each, str(script.spread): names(size)}
    for arg in script.args:
        if arg.name == over:
            return {**base, over: _of_size(arg, size)}
    group = next(group for group in script.groups if group.name == over)
    return {**base, over: rows(group, size)}


def size_range(script: Script) -> tuple[int, int] | None:
    """Least and greatest n, or None where the header names no ``n=``."""
    over = script.budget.over
    if over is None:
        return None
    if over == "keys":
        spread = _spread(script)
        return counts(spread.count) if spread is not None else None
    for arg in script.args:
        if arg.name == over:
            least, most = arg.bounds
            if math.isinf(most):
                most = MAX_SAFE_INTEGER
            return max(int(least), 1), int(most)
    return counts(next(group.range for group in script.groups if group.name == over))


def paired(script: Script) -> tuple[Group, ...]:
    """The groups with a row for each of the variadic keys: those of the same range."""
    spread = _spread(script)
    if spread is None or spread.count is None:
        return ()
    return tuple(group for group in script.groups if group.range == spread.count)


def _spread(script: Script) -> Key | None:
    return next((key for key in script.keys if key.variadic), None)


def counts(declared: Range | None) -> tuple[int, int]:
    """Least and greatest number of rows or keys."""
    least = declared.low if declared is not None and declared.low is not None else 0
    most = declared.high if declared is not None and declared.high is not None else MOST_ROWS
    return int(least), int(most)


def names(count: int) -> list[str]:
    """So many different values of a placeholder."""
    return [f"{SUBJECT}{index}" for index in range(count)]


def rows(group: Group, count: int, *, longest: bool = False) -> list[tuple[Any, ...]]:
    """So many rows; texts differ from row to row where they have room for it."""
    return [
        tuple(_cell(column, index, longest=longest) for column in group.columns)
        for index in range(count)
    ]


def _cell(column: Arg, index: int, *, longest: bool) -> Any:
    if column.type.kind not in ("str", "bytes", "owner", "token"):
        return high(column) if longest else low(column)
    least, most = (int(bound) for bound in _text_bounds(column))
    length = most if longest else max(least, min(most, len(str(index))))
    text = str(index).rjust(length, "0")[-length:] if length else ""
    return text.encode() if column.type.kind == "bytes" else text


def low(arg: Arg) -> Any:
    """The least value, the shortest text, the first choice."""
    return _end(arg, 0)


def high(arg: Arg) -> Any:
    """The greatest value, the longest text, the last choice."""
    return _end(arg, 1)


def _end(arg: Arg, end: int) -> Any:
    kind = arg.type.kind
    if kind == "enum":
        return arg.type.choices[-end]
    if kind == "bool":
        return bool(end)
    if kind in ("str", "bytes", "owner", "token"):
        return _of_size(arg, int(_text_bounds(arg)[end]))
    bound = arg.bounds[end]
    if kind == "float":
        return max(min(bound, 1e308), -1e308)
    return _of_size(arg, int(bound))


def _of_size(arg: Arg, size: int) -> Any:
    """A number or duration of that value, a text of that length."""
    kind = arg.type.kind
    if kind == "bytes":
        return b"x" * size
    if kind in ("str", "owner", "token"):
        return "x" * size
    if kind == "float":
        return float(size)
    return timedelta(microseconds=size * UNIT_US[kind]) if arg.type.is_duration else size


def _text_bounds(arg: Arg) -> tuple[float, float]:
    least, most = arg.bounds
    return least, most if arg.range is not None and arg.range.high is not None else min(
        most, LONGEST_TEXT
    )
