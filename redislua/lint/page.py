"""A rule's docstring, read: its sections, its examples, and the index of all rules."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from dataclasses import dataclass

from redislua.lint.rule import AnyRule

__all__ = ["Example", "Page", "index", "page"]

WHY, EXAMPLE, FIX, LIMITS = "Why is this bad?", "Example", "Fix", "Limits"
_SECTIONS = (WHY, EXAMPLE, FIX, LIMITS)
_INSTEAD = "Use instead:"
_FENCE = re.compile(r"```lua([^\n`]*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"^-- file: (\S+)\n", re.MULTILINE)
USUAL_FILE = "example.lua"


@dataclass(frozen=True, slots=True)
class Example:
    """One block of Lua on a rule's page.

    Attributes:
        sources: The scripts of the block by path.
        targets: What it is meant for, as in ``redis>=7.4``; empty for the default.
        is_good: Whether it stands below ``Use instead:``.
    """

    sources: dict[str, bytes]
    targets: tuple[str, ...]
    is_good: bool


@dataclass(frozen=True, slots=True)
class Page:
    """A rule's docstring.

    Attributes:
        summary: The first sentence.
        sections: Text by heading.
        examples: In order.
        markdown: The whole text below a heading with code and name.
    """

    summary: str
    sections: dict[str, str]
    examples: tuple[Example, ...]
    markdown: str

    @property
    def why(self) -> str:
        """Why it is bad."""
        return self.sections[WHY]


def page(rule: AnyRule) -> Page:
    """Read a rule's docstring.

    Raises:
        ValueError: When it does not follow the conventions of `redislua.lint.rule`.
    """
    text = inspect.cleandoc(type(rule).__doc__ or "")
    parts = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)
    summary = parts[0].strip()
    sections = {
        heading.strip(): body.strip()
        for heading, body in zip(parts[1::2], parts[2::2], strict=True)
    }
    missing = [heading for heading in (WHY, EXAMPLE, LIMITS) if not sections.get(heading)]
    odd = [heading for heading in sections if heading not in _SECTIONS]
    if not summary or "\n" in summary or missing or odd:
        raise ValueError(
            f"{rule.code}: expected one sentence and the sections {', '.join(_SECTIONS)}; "
            f"missing {missing}, unknown {odd}"
        )
    examples = tuple(_examples(sections[EXAMPLE]))
    if not any(example.is_good for example in examples) or examples[0].is_good:
        raise ValueError(f"{rule.code}: expected a ```lua block, {_INSTEAD!r}, a ```lua block")
    heading = f"# {rule.name} ({rule.code})"
    fixable = " It can be fixed with `--fix`." if rule.fixable else ""
    opt_in = "" if rule.is_default else " It is off unless selected."
    level = f"Severity: {rule.severity}.{fixable}{opt_in}"
    markdown = f"{heading}\n\n{level}\n\n{text}\n"
    return Page(summary, sections, examples, markdown)


def _examples(text: str) -> Iterable[Example]:
    before = 0
    for found in _FENCE.finditer(text):
        is_good = _INSTEAD in text[before : found.start()]
        before = found.end()
        yield Example(_sources(found[2]), tuple(found[1].split()), is_good)


def _sources(block: str) -> dict[str, bytes]:
    pieces = _FILE.split(block)
    sources = dict(zip(pieces[1::2], pieces[2::2], strict=True))
    if pieces[0].strip():
        sources[USUAL_FILE] = pieces[0]
    return {path: text.encode() for path, text in sources.items()}


def index(rules: Iterable[AnyRule]) -> str:
    """A Markdown table of rules: code, name, severity, whether it is fixed, what it finds."""
    rows = ["| code | name | severity | fix | finds |", "|---|---|---|---|---|"]
    for rule in rules:
        level = rule.severity.value if rule.is_default else f"{rule.severity}, off"
        fix = "yes" if rule.fixable else ""
        summary = page(rule).summary.rstrip(".").replace("|", "\\|")
        rows.append(f"| {rule.code} | {rule.name} | {level} | {fix} | {summary} |")
    return "\n".join(rows) + "\n"
