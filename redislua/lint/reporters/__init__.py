"""Forms of output, one module each, imported when it is asked for.

A form in `STREAMING` has ``lines(diagnostic)``, which gives what is printed for one
diagnostic. A form in `DOCUMENTS` has ``document(report)``, which gives one whole text.
"""

from __future__ import annotations

import hashlib
import importlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from redislua.lint.diagnostic import Diagnostic
from redislua.lint.files import Trouble

__all__ = ["DOCUMENTS", "FORMATS", "STREAMING", "Report", "module"]

STREAMING = ("full", "concise", "github")
DOCUMENTS = ("json", "gitlab", "junit", "sarif")
FORMATS = (*STREAMING, *DOCUMENTS)


@dataclass(frozen=True, slots=True)
class Report:
    """What a document is made of.

    Attributes:
        files: Every file that was looked at, with what was found in it, in order.
        troubles: What could not be linted.
    """

    files: dict[str, list[Diagnostic]]
    troubles: tuple[Trouble, ...] = ()

    @property
    def diagnostics(self) -> Iterator[Diagnostic]:
        """All of them, file by file."""
        for found in self.files.values():
            yield from found

    def with_fingerprints(self) -> Iterator[tuple[Diagnostic, str]]:
        """Each diagnostic with a digest that stays when lines above it come and go.

        It is made of the file, the rule, the text of the line and, of several equal ones,
        the number.
        """
        seen: Counter[tuple[str, str, str]] = Counter()
        for one in self.diagnostics:
            same = (one.file, one.code, one.text.strip())
            seen[same] += 1
            digest = hashlib.sha256("\0".join((*same, str(seen[same]))).encode())
            yield one, digest.hexdigest()[:32]


def module(name: str) -> Any:
    """The module of a form."""
    if name not in FORMATS:
        raise AssertionError(f"{name}: expected one of {', '.join(FORMATS)}")
    # json would be taken for the standard library's within its own module.
    return importlib.import_module(f"{__name__}.{name}_")
