"""Write what the generator makes of the test registries, or check that it still does.

python tools/goldens.py            # after a change of the generator: look at the diff
python tools/goldens.py --check
"""

from __future__ import annotations

import sys
from pathlib import Path

from redislua.codegen.render import render
from redislua.codegen.write import apply, compare, diff
from redislua.spec.registry import load

ROOT = Path(__file__).resolve().parents[1]
REGISTRIES = ROOT / "tests" / "registries"


def main() -> int:
    """Compare or write every registry's golden folder; 1 when --check finds a difference."""
    differs = 0
    for registry in sorted(path for path in REGISTRIES.iterdir() if path.is_dir()):
        golden = registry / "golden"
        changes = compare(golden, render(load(registry / "scripts")))
        differs += len(changes)
        if "--check" in sys.argv[1:]:
            for change in changes:
                print(diff(change, ROOT), end="")
        else:
            apply(golden, changes)
            for change in changes:
                print(f"{change.verb}d {change.path.relative_to(ROOT)}")
    return 1 if differs and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
