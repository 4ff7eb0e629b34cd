"""Latency budgets: what a call of a script costs at its worst, and whether that is allowed."""
