"""GitLab's code quality report: an artifact that merge requests show."""

from __future__ import annotations

import json

from redislua.lint.diagnostic import Severity
from redislua.lint.reporters import Report

__all__ = ["document"]

_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.INFO: "info"}


def document(report: Report) -> str:
    """All diagnostics as one JSON text; fingerprints stay when other lines change."""
    rows = [
        {
            "type": "issue",
            "description": f"{one.code} {one.rule}: {one.message}",
            "check_name": one.code,
            "fingerprint": fingerprint,
            "severity": _SEVERITIES[one.severity],
            "location": {
                "path": one.file,
                "positions": {
                    "begin": {"line": one.line, "column": one.column},
                    "end": {"line": one.end_line, "column": one.end_column},
                },
                "lines": {"begin": one.line, "end": one.end_line},
            },
        }
        for one, fingerprint in report.with_fingerprints()
    ]
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"
