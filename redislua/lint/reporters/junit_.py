"""JUnit XML: a test suite for each file, a failed test for each diagnostic.

A file without any is one test that passed, so that pages of results show it as checked.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

from redislua.lint.diagnostic import Diagnostic
from redislua.lint.reporters import Report
from redislua.lint.reporters.full_ import lines

__all__ = ["document"]

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, not even escaped."""


def document(report: Report) -> str:
    """The results as one XML text."""
    failures = sum(len(found) for found in report.files.values())
    tests = sum(max(1, len(found)) for found in report.files.values()) + len(report.troubles)
    root = ElementTree.Element(
        "testsuites",
        name="redislua lint",
        tests=str(tests),
        failures=str(failures),
        errors=str(len(report.troubles)),
    )
    for file, found in report.files.items():
        _suite(root, file, found)
    for trouble in report.troubles:
        suite = _element(root, "testsuite", name=trouble.path, tests="1", failures="0", errors="1")
        case = _element(suite, "testcase", classname=trouble.path, name="redislua lint")
        _element(case, "error", message=trouble.reason, type="could not be linted")
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _suite(root: ElementTree.Element, file: str, found: list[Diagnostic]) -> None:
    suite = _element(
        root,
        "testsuite",
        name=file,
        tests=str(max(1, len(found))),
        failures=str(len(found)),
        errors="0",
    )
    if not found:
        _element(suite, "testcase", classname=file, name="redislua lint", file=file)
    for one in found:
        case = _element(
            suite,
            "testcase",
            classname=file,
            name=f"{one.code} {one.rule} at {one.line}:{one.column}",
            file=file,
            line=str(one.line),
        )
        failure = _element(case, "failure", message=one.message, type=one.severity.value)
        failure.text = _ILLEGAL.sub("?", "\n".join(lines(one)).rstrip("\n"))


def _element(parent: ElementTree.Element, tag: str, **attributes: str) -> ElementTree.Element:
    legal = {name: _ILLEGAL.sub("?", value) for name, value in attributes.items()}
    return ElementTree.SubElement(parent, tag, legal)
