"""A report as text for machines and for pages: JUnit XML and Markdown."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

from redislua.budget.judge import milliseconds
from redislua.budget.model import Report, ScriptReport

HEADINGS = ("script", "worst case", "commands", "instructions", "p50", "p99.9", "max", "headroom")


def row(report: Report, script: ScriptReport) -> tuple[str, ...]:
    """Return the cells of one script under `HEADINGS`.

    Commands and instructions are the most of any case; times are those of the worst measured
    case, by the calibration: what is judged.
    """
    calls = max((case.cost.calls for case in script.cases), default=0)
    counted = [case.cost.instructions for case in script.cases]
    exact = [count for count in counted if count is not None]
    costs = (
        f"{calls} of {script.declared.calls}" if script.cases else "-",
        str(max(exact)) if exact else "-",
    )
    worst, headroom = script.worst, report.headroom(script)
    if worst is None or worst.measured is None or headroom is None:
        return (script.name, "-", *costs, "-", "-", "-", "-")
    judged = (worst.measured.judged_p50, worst.measured.judged_p999, worst.measured.judged_max)
    times = tuple(milliseconds(time) for time in judged)
    return (script.name, worst.case.name, *costs, *times, f"{headroom:.1f} x")


def limits(report: Report) -> str:
    """``p99.9 up to 1 ms, no call over 5 ms``."""
    return (
        f"p99.9 up to {milliseconds(report.limit_us)}, no call over {milliseconds(report.hard_us)}"
    )


def markdown(report: Report) -> str:
    """Return a table, and under it what fails."""
    lines = [
        f"### Latency budget: {'passed' if report.passed else 'failed'}",
        "",
        f"{report.server}; {limits(report)}.",
        "",
        f"| {' | '.join(HEADINGS)} | verdict |",
        f"| --- | --- |{' --: |' * (len(HEADINGS) - 2)} --- |",
    ]
    lines += [
        f"| {' | '.join(_cell(cell) for cell in row(report, script))} | {script.verdict} |"
        for script in report.scripts
    ]
    failed = [script for script in report.scripts if script.reasons]
    if failed:
        lines.append("")
    lines += [
        f"- **{script.name}**, {reason.depth}: {_cell(reason.text)}"
        for script in failed
        for reason in script.reasons
    ]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def junit(report: Report) -> str:
    """Return JUnit's XML: one test for each script, its time the p99.9 of the worst case."""
    suite = Xml.Element(
        "testsuite",
        name="redislua budget",
        tests=str(len(report.scripts)),
        failures=str(sum(not script.passed for script in report.scripts)),
        skipped=str(sum(bool(script.skipped) for script in report.scripts)),
    )
    for script in report.scripts:
        worst = script.worst
        timing = worst.measured.timing if worst is not None and worst.measured else None
        test = Xml.SubElement(
            suite,
            "testcase",
            classname="redislua.budget",
            name=script.name,
            file=script.file,
            time=f"{(timing.p999 if timing else 0) / 1_000_000:.6f}",
        )
        if script.skipped:
            Xml.SubElement(test, "skipped", message=script.skipped)
        if script.reasons:
            first = script.reasons[0]
            failure = Xml.SubElement(test, "failure", type=first.depth, message=first.text)
            failure.text = "\n".join(f"{each.depth}: {each.text}" for each in script.reasons)
    Xml.indent(suite)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{Xml.tostring(suite, "unicode")}\n'
