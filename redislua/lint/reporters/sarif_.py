"""SARIF 2.1.0: what code scanning services and editors read."""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

import redislua
from redislua.lint.diagnostic import Diagnostic, Region, Severity
from redislua.lint.page import page
from redislua.lint.reporters import Report
from redislua.lint.rule import AnyRule
from redislua.lint.rules import all_rules

__all__ = ["document"]

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
ROOT = "SRCROOT"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def document(report: Report) -> str:
    """The whole run as one JSON text."""
    reported = {one.code for one in report.diagnostics}
    # Each rule brings its page: those that found nothing would be 200 KB in every run.
    rules = [rule for rule in all_rules() if rule.code in reported]
    places = {rule.code: number for number, rule in enumerate(rules)}
    driver = {
        "name": "redislua",
        "semanticVersion": redislua.__version__,
        "rules": [_rule(rule) for rule in rules],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {
            ROOT: {"description": {"text": "The folder that redislua was run in."}}
        },
        "invocations": [_invocation(report)],
        "artifacts": [{"location": _location(file)} for file in report.files],
        "results": [
            _result(one, fingerprint, places[one.code])
            for one, fingerprint in report.with_fingerprints()
        ],
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _rule(rule: AnyRule) -> dict[str, Any]:
    text = page(rule)
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": text.summary},
        "fullDescription": {"text": text.why},
        "help": {"text": text.markdown, "markdown": text.markdown},
        "defaultConfiguration": {"level": _LEVELS[rule.severity], "enabled": rule.is_default},
        "properties": {"problem.severity": _PROBLEM[rule.severity]},
    }


_PROBLEM = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "recommendation",
}


def _invocation(report: Report) -> dict[str, Any]:
    invocation: dict[str, Any] = {"executionSuccessful": not report.troubles}
    if report.troubles:
        invocation["toolExecutionNotifications"] = [
            {"level": "error", "message": {"text": f"{trouble.path}: {trouble.reason}"}}
            for trouble in report.troubles
        ]
    return invocation


def _result(one: Diagnostic, fingerprint: str, rule_index: int) -> dict[str, Any]:
    message = f"{one.message}. {one.help}" if one.help else one.message
    result: dict[str, Any] = {
        "ruleId": one.code,
        "ruleIndex": rule_index,
        "level": _LEVELS[one.severity],
        "message": {"text": message},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": _location(one.file),
                    "region": _region(one.region),
                    "contextRegion": {"startLine": one.line, "snippet": {"text": one.text}},
                }
            }
        ],
        "partialFingerprints": {"redisluaLine/v1": fingerprint},
    }
    if one.fix is not None:
        pairs = zip(one.fix.edits, one.fix_regions, strict=True)
        replacements = [
            {
                "deletedRegion": _region(region),
                "insertedContent": {"text": edit.text.decode("utf-8", "replace")},
            }
            for edit, region in pairs
        ]
        changes = [{"artifactLocation": _location(one.file), "replacements": replacements}]
        result["fixes"] = [{"description": {"text": one.fix.message}, "artifactChanges": changes}]
    return result


def _region(region: Region) -> dict[str, int]:
    return {
        "startLine": region.line,
        "startColumn": region.column,
        "endLine": region.end_line,
        "endColumn": region.end_column,
    }


def _location(file: str) -> dict[str, str]:
    path = PurePath(file)
    if path.is_absolute():
        return {"uri": path.as_uri()}
    return {"uri": quote(path.as_posix()), "uriBaseId": ROOT}
