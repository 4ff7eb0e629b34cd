"""What kept a chunk from compiling, as findings of a rule."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding
from redislua.lint.places import Places
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk

__all__ = ["found"]


def found(rule: Rule, chunk: Chunk, *kinds: str) -> Iterator[Finding]:
    """Yield a finding for each problem of the kinds."""
    if not chunk.problems:
        return
    places = Places(chunk.source)
    for problem in chunk.problems:
        if problem.kind in kinds:
            start = places.offset(problem.line, problem.column)
            end = places.offset(problem.line, problem.column + problem.width)
            yield rule.at((start, end), problem.message)
