"""What a rule is.

A rule is one class in one file of ``redislua/lint/rules``. It is found by being there, has
no state, and yields a `Finding` for each place that is wrong::

    class UndeclaredKey(Rule):
        \"""A command uses a key that was not passed in `KEYS`.

        ## Why is this bad?
        Redis Cluster routes a script by its `KEYS` …

        ## Example
        ```lua
        redis.call('GET', 'user:' .. ARGV[1])
        ```

        Use instead:
        ```lua
        redis.call('GET', KEYS[1])
        ```

        ## Limits
        Commands whose name is not a string literal are passed over.
        \"""

        code = "RL201"
        name = "undeclared-key"
        severity = Severity.ERROR

        def check(self, chunk: Chunk) -> Iterator[Finding]:
            ...
            yield self.at(node, "the key is not in KEYS", help="pass it in KEYS")

The docstring is the rule's page: `redislua explain` and the SARIF output show it, the index is
made from it, and its examples are the rule's first tests. Its conventions:

* The first line is one sentence. Four sections follow: ``## Why is this bad?``,
  ``## Example``, ``## Limits``, and, where there is one, ``## Fix``.
* The example section holds one pair of ``lua`` blocks or more: what fires this rule and no
  other, then, below the words ``Use instead:``, what fires no rule at all.
* A block is a whole script with a header (``#!lua``, ``--- Sentence.``, tags) or a fragment.
  For a rule with `needs_contract` it is a whole script.
* Words behind ``lua`` are targets: `````lua redis>=7.4`````. Without any the default is meant.
* A line ``-- file: limit/gcra.v1.lua`` begins a script of that path: for rules that look at
  several scripts, or at the path.
* A rule with `fixable` offers a fix in its bad example, and only such a rule does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from redislua.lint.diagnostic import Finding, Fix, Severity

if TYPE_CHECKING:
    from redislua.syntax.chunk import Chunk
    from redislua.syntax.nodes import Node

__all__ = ["AnyRule", "RegistryRule", "Rule"]


class AnyRule:
    """What all rules have.

    Attributes:
        code: ``RL`` and three digits; nothing else has it, ever again.
        name: Kebab case, named for what is found.
        severity: Of a finding that does not say another.
        needs_contract: Whether it is asked only for scripts with a redislua header.
        needs_syntax: Whether it is asked only for files that compile.
        is_default: Whether it runs without being selected by code or name.
        fixable: Whether it offers fixes.
        needs: What of `Chunk.contents` it lives on: without any of these a file has nothing for
            it, and it is not asked. Empty for a rule that looks at every file.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    severity: ClassVar[Severity]
    needs_contract: ClassVar[bool] = False
    needs_syntax: ClassVar[bool] = True
    is_default: ClassVar[bool] = True
    fixable: ClassVar[bool] = False
    needs: ClassVar[frozenset[object]] = frozenset()

    def at(
        self,
        where: Node | tuple[int, int],
        message: str,
        *,
        help: str = "",  # noqa: A002 - what it is called wherever it is shown
        fix: Fix | None = None,
        severity: Severity | None = None,
    ) -> Finding:
        """A finding at a node, or at the bytes from one offset to another."""
        start, end = where if isinstance(where, tuple) else (where.start, where.end)
        return Finding(start, end, message, help, fix, severity)


class Rule(AnyRule):
    """Looks at one file at a time."""

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield what is wrong, in any order."""
        raise NotImplementedError


class RegistryRule(AnyRule):
    """Looks at all scripts with a header that are linted together."""

    needs_contract = True

    def check_all(self, chunks: Sequence[Chunk]) -> Iterator[tuple[Chunk, Finding]]:
        """Yield what is wrong, with the script it is wrong in."""
        raise NotImplementedError
