"""Replies as people read them, in the notation of the examples."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from redislua.spec.model import UNIT_US, Arg, Script, Type


def reply_text(spec: Script, variant: str, reply: Any) -> str:
    """Write a typed reply as an example would: ``Allowed remaining=4 reset_after=200ms``."""
    if spec.bare is not None:
        return value_text(spec.bare, reply)
    found = spec.variant(variant)
    if found is None:
        raise ValueError(f"{spec.full_name} has no variant {variant!r}")
    words = [variant]
    words += [
        f"{field.name}={value_text(field.type, getattr(reply, field.name))}"
        for field in found.fields
    ]
    if found.group is not None:
        rows = " ".join(
            row_text(found.group.columns, row) for row in getattr(reply, found.group.name)
        )
        words.append(f"{found.group.name}=[{rows}]")
    return " ".join(words)


def row_text(columns: tuple[Arg, ...], row: Any) -> str:
    """Write one row: ``(a, 1)``."""
    cells = (value_text(column.type, getattr(row, column.name)) for column in columns)
    return f"({', '.join(cells)})"


def value_text(of: Type, value: Any) -> str:
    """Write one value in the notation of the examples."""
    if value is None:
        return "none"
    if isinstance(value, timedelta):
        return f"{value // timedelta(microseconds=UNIT_US[of.kind])}{of.kind}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        plain = value.decode("ascii", "replace")
        return plain if _is_word(plain) else repr(value)
    if isinstance(value, str):
        return value if _is_word(value) else f"'{value}'"
    return str(value)


def _is_word(text: str) -> bool:
    return bool(text) and text.isprintable() and not set(text) & set(" ()[],'\"\\\ufffd")
