"""Nobody imports, or needs, what they do not watch with."""

from __future__ import annotations

import subprocess
import sys

import pytest

LOADED = """
import sys
sys.modules["opentelemetry"] = sys.modules["prometheus_client"] = None
import redislua.runtime, redislua.runtime.watching
print([name for name in sys.modules if name.endswith((".opentelemetry", ".prometheus"))])
"""

WITHOUT = """
import sys
sys.modules[{package!r}] = None
try:
    import redislua.runtime.watching.{adapter}
except ImportError as error:
    print(error)
"""


def printed(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_runtime_imports_no_adapter_and_works_without_either_package() -> None:
    assert printed(LOADED) == "[]"


@pytest.mark.parametrize(
    ("adapter", "package", "distribution"),
    [
        ("opentelemetry", "opentelemetry", "opentelemetry-api"),
        ("prometheus", "prometheus_client", "prometheus-client"),
    ],
)
def test_an_adapter_without_its_package_names_the_extra(
    adapter: str, package: str, distribution: str
) -> None:
    assert printed(WITHOUT.format(adapter=adapter, package=package)) == (
        f"redislua.runtime.watching.{adapter} needs {distribution}: "
        f'pip install "redislua[{adapter}]"'
    )
