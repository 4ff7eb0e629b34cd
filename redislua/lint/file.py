"""One file on its way through the rules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING

from redislua.lint.contract import read_header
from redislua.lint.diagnostic import Diagnostic, Finding
from redislua.lint.failure import RuleFailed
from redislua.lint.files import shown
from redislua.lint.places import Places
from redislua.lint.rule import AnyRule, RegistryRule, Rule
from redislua.lint.rules.bad_header import BadHeader
from redislua.lint.rules.bad_suppression import BadSuppression
from redislua.lint.rules.unused_suppression import UnusedSuppression
from redislua.lint.selection import codes
from redislua.lint.settings import Settings
from redislua.lint.suppression import Suppressions

if TYPE_CHECKING:
    from redislua.spec.model import Script
    from redislua.syntax.targets import Targets

__all__ = ["LintedFile", "ask_together"]

_META = re.compile(rb"(?:--[^\n]*\n)*---@meta\b")
"""A file of LuaLS definitions: an editor reads it, and nobody runs it."""

_START = attrgetter("start")
_PLACE = attrgetter("line", "column", "code", "message")


class LintedFile:
    """A file, its chunk and what was found in it.

    Attributes:
        path: As the user gave it.
        source: Its bytes.
        chunk: What the rules see.
        is_broken: Whether it does not compile, and most rules were not asked.
        diagnostics: What its own rules found and no comment silences, in order.
    """

    def __init__(
        self,
        source: bytes,
        *,
        path: str,
        settings: Settings,
        rules: Sequence[AnyRule],
        targets: Targets,
        script: Script | None = None,
    ) -> None:
        from redislua.syntax.chunk import parse  # the parsers: only a file that is read needs them

        self.path = path
        self.source = source
        self._shown = shown(path)
        ignored = codes(settings.ignored_in(path))
        self._rules = tuple(rules)
        if ignored:
            self._rules = tuple(rule for rule in rules if rule.code not in ignored)
        if _META.match(source):
            self._rules = ()
        header_problems: tuple[Finding, ...] = ()
        self._places = Places(source)
        if script is None:
            script, problems = read_header(path, source)
            header_problems = tuple(BadHeader.finding(one, self._places) for one in problems)
        try:
            self.chunk = parse(source, path=path, script=script, targets=targets)
        except Exception as error:
            raise RuleFailed(path, "", error) from error
        self.is_broken = any(problem.kind != "dialect" for problem in self.chunk.problems)
        spans = None if self.is_broken else [(one.start, one.end) for one in self.chunk.comments]
        self._suppressions = Suppressions(source, self._places, spans)
        self._extra: dict[type[AnyRule], Iterable[Finding]] = {
            BadHeader: header_problems,
            BadSuppression: self._suppressions.problems,
        }
        self.diagnostics = self._check()

    def _check(self) -> list[Diagnostic]:
        found: list[Diagnostic] = []
        has_contract = self.chunk.script is not None
        asked = _asked(self._rules, has_contract=has_contract, is_broken=self.is_broken)
        contents = self.chunk.contents
        for rule in asked:
            needs = rule.needs
            if needs and needs.isdisjoint(contents):
                continue
            try:
                findings = list(self._extra.get(type(rule)) or rule.check(self.chunk))
            except Exception as error:
                raise RuleFailed(self.path, rule.code, error) from error
            if findings:
                found += self._kept(rule, findings)
        return self._ordered([*found, *self._unused(rule.code for rule in asked)])

    def _kept(self, rule: AnyRule, findings: list[Finding]) -> list[Diagnostic]:
        """Diagnostics of a rule that no comment silences, each once."""
        if len(findings) > 1:
            findings = sorted(dict.fromkeys(findings), key=_START)
        made = [self._places.diagnostic(rule, self._shown, finding) for finding in findings]
        if not self._suppressions.entries:  # nearly every file
            return made
        return [one for one in made if not self._suppressions.silenced(one)]

    def _unused(self, asked: Iterable[str]) -> list[Diagnostic]:
        if self.is_broken or not self._suppressions.entries:
            return []
        rule = next((one for one in self._rules if isinstance(one, UnusedSuppression)), None)
        if rule is None:
            return []
        idle = self._suppressions.unused(set(asked))
        return [self._places.diagnostic(rule, self._shown, finding) for finding in idle]

    def of_registry(
        self, found: Iterable[tuple[RegistryRule, Finding]], asked: set[str]
    ) -> list[Diagnostic]:
        """What rules over several scripts found in this one, after its comments were heard."""
        own = {rule.code for rule in self._rules}
        by_rule: dict[RegistryRule, list[Finding]] = {}
        for rule, finding in found:
            if rule.code in own:
                by_rule.setdefault(rule, []).append(finding)
        kept = [one for rule, findings in by_rule.items() for one in self._kept(rule, findings)]
        return self._ordered([*kept, *self._unused(asked & own)])

    @staticmethod
    def _ordered(found: list[Diagnostic]) -> list[Diagnostic]:
        """In the order of the text."""
        return sorted(found, key=_PLACE)


@lru_cache(maxsize=16)  # the same for nearly all files of a run
def _asked(rules: tuple[AnyRule, ...], *, has_contract: bool, is_broken: bool) -> tuple[Rule, ...]:
    """The rules that have something to say of a file."""
    return tuple(
        rule
        for rule in rules
        if isinstance(rule, Rule)
        and (has_contract or not rule.needs_contract)
        and not (is_broken and rule.needs_syntax)
    )


def ask_together(
    rules: Sequence[RegistryRule], files: Sequence[LintedFile]
) -> dict[str, list[Diagnostic]]:
    """What rules over several scripts find in those that have a header, by path.

    Raises:
        RuleFailed: When a rule stops with an exception.
    """
    asked = [file for file in files if file.chunk.script is not None and not file.is_broken]
    if not rules or not asked:
        return {}
    by_chunk: dict[int, list[tuple[RegistryRule, Finding]]] = {}
    for rule in rules:
        try:
            for chunk, finding in rule.check_all([file.chunk for file in asked]):
                by_chunk.setdefault(id(chunk), []).append((rule, finding))
        except Exception as error:
            raise RuleFailed(asked[0].path, rule.code, error) from error
    codes_asked = {rule.code for rule in rules}
    found = {
        file.path: file.of_registry(by_chunk.get(id(file.chunk), ()), codes_asked) for file in asked
    }
    return {path: diagnostics for path, diagnostics in found.items() if diagnostics}
