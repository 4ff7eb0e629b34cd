"""Scripts and rules for tests of the engine: what it does must not depend on the real rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from redislua.lint.diagnostic import Edit, Finding, Fix, Severity
from redislua.lint.engine import Linter
from redislua.lint.rule import AnyRule, RegistryRule, Rule
from redislua.lint.settings import Settings
from redislua.syntax.chunk import Chunk

HEADER = """\
#!lua
--- Count a visit.
--
-- @version 1.0.0
-- @key     visits visits:{<page>} string
-- @returns int
-- @retry   never
-- @budget  calls<=1 growth=1
-- @example one visit
--   count page=home -> 1

local visits = KEYS[1]

return redis.call('INCR', visits)
"""

BROKEN = b"local x = = 1\nreturn x\n"


class Shouting(Rule):
    """A string is in upper case."""

    code = "RL001"  # a code that suppressions know
    name = "syntax-error"
    severity = Severity.WARNING
    fixable = True

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        for word in (b"LOUD", b"NOISE"):
            start = chunk.source.find(word)
            while start >= 0:
                end = start + len(word)
                fix = Fix("Lower it", (Edit(start, end, word.lower()),))
                yield self.at((start, end), f"{word.decode()} is loud", help="whisper", fix=fix)
                start = chunk.source.find(word, end)


class Twins(RegistryRule):
    """Two scripts have one summary."""

    code = "RL002"
    name = "lua52-syntax"
    severity = Severity.ERROR

    def check_all(self, chunks: Sequence[Chunk]) -> Iterator[tuple[Chunk, Finding]]:
        seen: dict[str, Chunk] = {}
        for chunk in chunks:
            assert chunk.script is not None
            other = seen.setdefault(chunk.script.summary, chunk)
            if other is not chunk:
                at = chunk.source.find(b"\nreturn") + 1
                yield chunk, self.at((at, at + 6), f"a twin of {other.path}")


class Failing(Rule):
    """Always stops with an exception."""

    code = "RL003"
    name = "failing"
    severity = Severity.ERROR

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        raise KeyError("no such thing", chunk.path)
        yield  # a generator, as rules are


def linter(*rules: AnyRule, settings: Settings | None = None) -> Linter:
    """A linter with these rules alone."""
    made = Linter(settings or Settings())
    made.rules = rules
    return made
