"""Runs rules over files: finds the files, asks the cache, reports each file when it is done."""

from __future__ import annotations

import gc
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from redislua.lint.cache import Cache
from redislua.lint.diagnostic import Diagnostic, Severity
from redislua.lint.failure import RuleFailed
from redislua.lint.files import MAX_BYTES, TooLarge, Trouble, find, read, shown
from redislua.lint.settings import DEFAULT_SETTINGS, Settings

if TYPE_CHECKING:  # the rules and parsers: a run that finds everything in its cache needs none
    from redislua.lint.file import LintedFile
    from redislua.lint.rule import AnyRule, RegistryRule
    from redislua.spec.model import Script
    from redislua.syntax.targets import Targets

__all__ = ["Linter", "Summary", "lint_paths", "lint_source", "lint_sources"]

OnDiagnostics = Callable[[str, list[Diagnostic]], None]


@dataclass(slots=True)
class Summary:
    """What a run came to.

    Attributes:
        files: Files that were looked at.
        counts: Diagnostics by severity.
        fixable: Diagnostics that have a fix.
        fixed: Diagnostics that were fixed.
        silenced: Diagnostics that a new comment silences.
        troubles: What could not be linted.
    """

    files: list[str] = field(default_factory=list)
    counts: Counter[Severity] = field(default_factory=Counter)
    fixable: int = 0
    fixed: int = 0
    silenced: int = 0
    troubles: list[Trouble] = field(default_factory=list)

    @property
    def total(self) -> int:
        """All diagnostics."""
        return self.counts.total()

    def add(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Count diagnostics."""
        for diagnostic in diagnostics:
            self.counts[diagnostic.severity] += 1
            self.fixable += diagnostic.fix is not None


class Linter:
    """The rules that some settings select, for the servers they name.

    Everything is loaded when the first file is linted.
    """

    def __init__(self, settings: Settings = DEFAULT_SETTINGS) -> None:
        self.settings = settings

    @cached_property
    def rules(self) -> tuple[AnyRule, ...]:
        """The rules to ask.

        Raises:
            ConfigError: When the settings name a rule that there is not.
        """
        from redislua.lint.selection import selected

        return selected(self.settings)

    @cached_property
    def targets(self) -> Targets:
        """The servers that scripts are to run on."""
        from redislua.syntax.targets import DEFAULT, Targets

        if self.settings.commands is not None:
            return Targets.of_server(self.settings.commands)
        return Targets.parse(self.settings.targets) if self.settings.targets else DEFAULT

    @cached_property
    def registry_rules(self) -> tuple[RegistryRule, ...]:
        """Those rules that look at several scripts."""
        from redislua.lint.rule import RegistryRule

        return tuple(rule for rule in self.rules if isinstance(rule, RegistryRule))

    def file(self, source: bytes, path: str, script: Script | None = None) -> LintedFile:
        """Lint one file.

        Raises:
            RuleFailed: When a rule stops with an exception.
        """
        from redislua.lint.file import LintedFile

        return LintedFile(
            source,
            path=path,
            settings=self.settings,
            rules=self.rules,
            targets=self.targets,
            script=script,
        )

    def together(self, files: Sequence[LintedFile]) -> dict[str, list[Diagnostic]]:
        """What the rules over several scripts find, by path.

        Raises:
            RuleFailed: When a rule stops with an exception.
        """
        from redislua.lint.file import ask_together

        return ask_together(self.registry_rules, files)

    def too_large(self, path: str, size: int) -> Diagnostic:
        """The one diagnostic of a file that is not read."""
        from redislua.lint.rules.syntax_error import SyntaxMistake

        return Diagnostic(
            code=SyntaxMistake.code,
            rule=SyntaxMistake.name,
            severity=SyntaxMistake.severity,
            message=f"the file has {size} bytes: up to {MAX_BYTES} are analysed",
            help="",
            file=shown(path),
            line=1,
            column=1,
            end_line=1,
            end_column=1,
            text="",
            caret=0,
        )


def lint_source(
    source: bytes,
    *,
    path: str = "<script>",
    settings: Settings = DEFAULT_SETTINGS,
    script: Script | None = None,
) -> list[Diagnostic]:
    """Lint one script given as bytes, with the rules that look at one file.

    Args:
        source: The script.
        path: What it is called in diagnostics.
        settings: Which rules, for which servers.
        script: Its header, if it was read before; else it is read here, if there is one.

    Raises:
        ConfigError: When the settings name a rule or a server that there is not.
        RuleFailed: When a rule stops with an exception.
    """
    linter = Linter(settings)
    if len(source) > MAX_BYTES:
        return [linter.too_large(path, len(source))]
    return linter.file(source, path, script).diagnostics


def lint_sources(
    sources: Mapping[str, bytes], settings: Settings = DEFAULT_SETTINGS
) -> list[Diagnostic]:
    """Lint scripts given as bytes by path, with all rules.

    Raises:
        ConfigError: When the settings name a rule or a server that there is not.
        RuleFailed: When a rule stops with an exception.
    """
    linter = Linter(settings)
    files = [linter.file(source, path) for path, source in sources.items()]
    together = linter.together(files)
    return [one for file in files for one in (*file.diagnostics, *together.get(file.path, ()))]


def lint_paths(
    paths: Iterable[str],
    settings: Settings = DEFAULT_SETTINGS,
    on_diagnostics: OnDiagnostics = lambda _, __: None,
    *,
    cache: Cache | None = None,
    change: Change | None = None,
) -> Summary:
    """Lint files, and folders of them.

    Args:
        paths: Files and folders.
        settings: Which rules, for which servers.
        on_diagnostics: Is called with a path and what was found there as soon as the file is
            done; once more for what rules over several scripts find in it.
        cache: Results of earlier runs.
        change: What to do to each file before it is reported: fixes, new suppressions.

    Raises:
        ConfigError: When the settings name a rule or a server that there is not.
    """
    run = _Run(Linter(settings), on_diagnostics, cache, change)
    # A tree is cut up when its file is done, so the collector would look at trees in vain.
    was_collecting = gc.isenabled()
    gc.disable()
    try:
        for found in find(paths):
            run.take(found)
        run.finish()
    finally:
        if was_collecting:
            gc.enable()
        if cache is not None:
            cache.save()
    return run.summary


Change = Callable[[Linter, str, bytes, list[Diagnostic], Summary], bytes]
"""Writes a file anew and returns its bytes; the old ones where nothing is to be done."""


class _Run:
    def __init__(
        self,
        linter: Linter,
        on_diagnostics: OnDiagnostics,
        cache: Cache | None,
        change: Change | None,
    ) -> None:
        self.summary = Summary()
        self._linter = linter
        self._on_diagnostics = on_diagnostics
        self._cache = cache
        self._change = change
        self._with_header: list[tuple[str, bytes, LintedFile | None]] = []

    def take(self, found: str | Trouble) -> None:
        """Lint one file."""
        if isinstance(found, str) and self._linter.settings.is_excluded(found):
            return
        content = found if isinstance(found, Trouble) else read(found)
        if isinstance(content, Trouble):
            self.summary.troubles.append(Trouble(shown(content.path), content.reason))
            return
        path = str(found)
        if isinstance(content, TooLarge):
            self.summary.files.append(shown(path))
            self._report(path, [self._linter.too_large(path, content.size)])
            return
        try:
            self._lint(path, content)
        except RuleFailed as error:
            self.summary.troubles.append(Trouble(shown(path), str(error)))

    def _lint(self, path: str, source: bytes) -> None:
        result = self._result(path, source)
        if self._change is not None and result.diagnostics:
            changed = self._change(self._linter, path, source, result.diagnostics, self.summary)
            if changed != source:
                source = changed
                result = self._result(path, source)
        if result.has_header:
            self._with_header.append((path, source, result.file))
        self.summary.files.append(shown(path))
        self._report(path, result.diagnostics)

    def _result(self, path: str, source: bytes) -> _Result:
        key = self._cache.key(path, source) if self._cache is not None else b""
        known = self._cache.get(key) if self._cache is not None else None
        if known is not None:
            has_header, rows = known
            return _Result(has_header, [Diagnostic.from_row(row) for row in rows], None)
        file = self._linter.file(source, path)
        result = _Result(file.chunk.script is not None, file.diagnostics, None)
        if self._cache is not None:
            rows = [one.to_row() for one in result.diagnostics]
            self._cache.put(key, [result.has_header, rows])
        if self._linter.registry_rules and result.has_header:
            result.file = file  # its tree is needed once more
        else:
            file.chunk.release()
        return result

    def _report(self, path: str, diagnostics: list[Diagnostic]) -> None:
        self.summary.add(diagnostics)
        self._on_diagnostics(shown(path), diagnostics)

    def finish(self) -> None:
        """Ask the rules that look at several scripts, if one of these has changed."""
        if not self._with_header:
            return
        key = b""
        if self._cache is not None:
            each = [self._cache.key(path, source) for path, source, _ in self._with_header]
            key = self._cache.key("", hashlib.sha256(b"".join(each)).digest())
            known = self._cache.get(key)
            if known is not None:
                for path, rows in known:
                    self._report(path, [Diagnostic.from_row(row) for row in rows])
                return
        try:
            together = self._together()
        except RuleFailed as error:
            self.summary.troubles.append(Trouble(shown(error.file), str(error)))
            return
        if self._cache is not None:
            rows = [[path, [one.to_row() for one in found]] for path, found in together.items()]
            self._cache.put(key, rows)
        for path, found in together.items():
            self._report(path, found)

    def _together(self) -> dict[str, list[Diagnostic]]:
        if not self._linter.registry_rules:
            return {}
        files = [
            file if file is not None else self._linter.file(source, path)
            for path, source, file in self._with_header
        ]
        return self._linter.together(files)


@dataclass(slots=True)
class _Result:
    has_header: bool
    diagnostics: list[Diagnostic]
    file: LintedFile | None
