"""Write the parts of README.md that are made from something else, or check that they are current.

The table of operations comes from the headers, that of rules from their docstrings, the
figures from what `make bench` wrote, the tables of needs and of eviction policies from
`redislua.inspect.needs`, as `redislua doctor --explain` shows them.

python tools/readme.py
python tools/readme.py --check
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from redislua.inspect.needs import POLICIES, Need, served
from redislua.lint.page import index
from redislua.lint.rules import all_rules
from redislua.spec.model import Script
from redislua.spec.registry import Registry, load

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
RESULTS = ROOT / "tools" / "bench" / "RESULTS.md"

RESEND = {
    "safe": "same answer",
    "conservative": "may over-charge",
    "never": "never resent",
}
"""What a resend does, by ``@retry``."""


def main() -> int:
    """Compare or write; 1 when --check finds a difference."""
    text = README.read_text(encoding="utf-8")
    registry = load(ROOT / "scripts")
    made = filled(text, "needs", needs(served(registry)))
    made = filled(made, "policies", policies())
    made = filled(made, "operations", table(registry))
    made = filled(made, "figures", figures(RESULTS.read_text(encoding="utf-8")))
    made = filled(made, "rules", f"\n{index(all_rules())}\n")
    if made == text:
        return 0
    if "--check" in sys.argv[1:]:
        print("README.md is not current; run `python tools/readme.py`")
        return 1
    README.write_text(made, encoding="utf-8")
    print("updated README.md")
    return 0


def filled(text: str, name: str, content: str) -> str:
    """Put content between ``<!-- name -->`` and ``<!-- /name -->``."""
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    head, rest = text.split(begin, 1)
    tail = rest.split(end, 1)[1]
    return f"{head}{begin}{content}{end}{tail}"


def figures(results: str) -> str:
    """The table of goals of the benchmark's page, and what it was measured with."""
    parts = dict(re.findall(r"^## ([^\n]+)\n\n(.*?)(?=^## |\Z)", results, re.DOTALL | re.MULTILINE))
    lines = [line for line in parts["Goals"].splitlines() if line.startswith("|")]
    return "\n".join([*lines, "", *parts["Measured with"].strip().splitlines()]) + "\n"


def table(registry: Registry) -> str:
    """The operations as a Markdown table, grouped by family."""
    lines = ["| operation | what it does | replies | a resend |", "|---|---|---|---|"]
    for name, script in zip(registry.names, registry.scripts, strict=True):
        link = f"[`{name}`](scripts/{script.file})"
        lines.append(f"| {link} | {script.summary} | {_replies(script)} | {RESEND[script.retry]} |")
    return "\n".join(lines) + "\n"


def needs(rows: tuple[Need, ...]) -> str:
    """What one needs, and what serves it, as a Markdown table."""
    lines = ["| you need | use | may be evicted | if a key is lost |", "|---|---|---|---|"]
    for need in rows:
        used = [f"`{name}`" for name in need.classes]
        families: dict[str, list[str]] = {}
        for name in need.scripts:
            family, _, script = name.partition(".")
            families.setdefault(family, []).append(f"`{script}`")
        used += [f"[{name}](scripts/{name}): {' '.join(of)}" for name, of in families.items()]
        evicted = "yes" if need.may_be_evicted else "no"
        lines.append(f"| {need.text} | {' '.join(used)} | {evicted} | {need.loss} |")
    return "\n".join(lines) + "\n"


def policies() -> str:
    """The eviction policies as a Markdown table."""
    lines = ["| `maxmemory-policy` | evicts | is for |", "|---|---|---|"]
    lines += [f"| {policy.name} | {policy.takes} | {policy.fits} |" for policy in POLICIES]
    return "\n".join(lines) + "\n"


def _replies(script: Script) -> str:
    return " ".join(f"`{variant.name}`" for variant in script.variants) or f"`{script.bare}`"


if __name__ == "__main__":
    sys.exit(main())
