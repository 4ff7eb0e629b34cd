"""A budget report as one page: no network, no script needed, the figures of its JSON."""

from redislua.budget.report.page import render

__all__ = ["render"]
