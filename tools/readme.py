"""Write the parts of README.md that are made from the headers, or check that they are current.

python tools/readme.py
python tools/readme.py --check
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from redislua.spec.model import Script
from redislua.spec.registry import Registry, load

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
BLOCK = re.compile(r"(<!-- operations -->\n).*?(<!-- /operations -->)", re.DOTALL)

RESEND = {
    "safe": "same answer",
    "conservative": "may over-charge",
    "never": "never resent",
}
"""What a resend does, by ``@retry``."""


def main() -> int:
    """Compare or write; 1 when --check finds a difference."""
    text = README.read_text(encoding="utf-8")
    made = BLOCK.sub(lambda found: f"{found[1]}{table(load(ROOT / 'scripts'))}{found[2]}", text)
    if made == text:
        return 0
    if "--check" in sys.argv[1:]:
        print("README.md: the operations table is not current; run `python tools/readme.py`")
        return 1
    README.write_text(made, encoding="utf-8")
    print("updated README.md")
    return 0


def table(registry: Registry) -> str:
    """The operations as a Markdown table, grouped by family."""
    lines = ["| operation | what it does | replies | a resend |", "|---|---|---|---|"]
    for name, script in zip(registry.names, registry.scripts, strict=True):
        link = f"[`{name}`](scripts/{script.file})"
        lines.append(f"| {link} | {script.summary} | {_replies(script)} | {RESEND[script.retry]} |")
    return "\n".join(lines) + "\n"


def _replies(script: Script) -> str:
    return " ".join(f"`{variant.name}`" for variant in script.variants) or f"`{script.bare}`"


if __name__ == "__main__":
    sys.exit(main())
