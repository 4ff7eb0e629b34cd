"""A list of objects, for programs.

Each object has ``code``, ``rule``, ``severity`` (``error``, ``warning`` or ``info``),
``message``, ``help`` (or ``""``), ``file``, ``line``, ``column``, ``end_line``,
``end_column`` (from 1; columns count characters; the end is behind the last one) and
``fix``: null, or an object with ``message`` and ``edits``, each with the same four numbers, the
byte offsets ``start`` and ``end``, and ``text``, which is to stand there.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from redislua.lint.diagnostic import Diagnostic
from redislua.lint.reporters import Report

__all__ = ["document"]

_FIELDS = (
    "code",
    "rule",
    "severity",
    "message",
    "help",
    "file",
    "line",
    "column",
    "end_line",
    "end_column",
)


def document(report: Report) -> str:
    """All diagnostics as one JSON text."""
    rows = [_row(diagnostic) for diagnostic in report.diagnostics]
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"


def _row(diagnostic: Diagnostic) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(diagnostic, name) for name in _FIELDS}
    row["fix"] = None
    if diagnostic.fix is not None:
        pairs = zip(diagnostic.fix.edits, diagnostic.fix_regions, strict=True)
        edits = [
            {
                **asdict(region),
                "start": edit.start,
                "end": edit.end,
                "text": edit.text.decode("utf-8", "replace"),
            }
            for edit, region in pairs
        ]
        row["fix"] = {"message": diagnostic.fix.message, "edits": edits}
    return row
