"""From a report to the text of the page."""

from __future__ import annotations

import datetime
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from redislua import __version__
from redislua.budget.model import Report
from redislua.budget.report import figures
from redislua.budget.report.view import page_of


def render(report: Report, made: datetime.datetime | None = None) -> str:
    """Return one self-contained HTML page: it loads nothing, and can be read without its script.

    Args:
        report: What was measured.
        made: When it was, in a known time zone; now, if None.
    """
    when = made if made is not None else datetime.datetime.now(datetime.UTC)
    return _template().render(
        page=page_of(report),
        when=when.astimezone(datetime.UTC),
        version=__version__,
        grouped=figures.grouped,
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("redislua.budget.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2")
