"""RL323."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Binary, Constant, Unary, bare
from redislua.syntax.values import Kind

COMPARISONS = ("==", "~=", "<", "<=", ">", ">=")


class NegatedComparison(Rule):
    """`not` is applied to the left side of a comparison, not to the comparison.

    ## Why is this bad?
    `not a == b` is `(not a) == b` in Lua: true or false is compared with `b`, which is never
    true for a text or a number. With `<` it stops the script.

    ## Example
    ```lua
    if not redis.call('GET', KEYS[1]) == ARGV[1] then
      return 0
    end
    return redis.call('UNLINK', KEYS[1])
    ```

    Use instead:
    ```lua
    if redis.call('GET', KEYS[1]) ~= ARGV[1] then
      return 0
    end
    return redis.call('UNLINK', KEYS[1])
    ```

    ## Limits
    A warning where the other side may be true or false. Silent where it is nothing else: the
    result of a comparison or of `not`; and where parentheses say what is meant.
    """

    code = "RL323"
    name = "negated-comparison"
    severity = Severity.ERROR
    needs = frozenset({Unary})

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each such comparison."""
        for binary in chunk.of(Binary):
            left = binary.left
            if binary.operator not in COMPARISONS:
                continue
            if not isinstance(left, Unary) or left.operator != "not":
                continue
            other = chunk.value(binary.right)
            is_constant = isinstance(bare(binary.right), Constant)
            if not other.kind or (other.is_only(Kind.BOOLEAN) and not is_constant):
                continue
            # With `<` it stops the script whatever stands there.
            is_order = binary.operator not in ("==", "~=")
            is_certain = is_order or not other.can_be(Kind.BOOLEAN)
            severity = Severity.ERROR if is_certain else Severity.WARNING
            what = quoted(chunk, binary)
            meant = f"not ({chunk.text(left.operand)} {binary.operator} "
            meant += f"{chunk.text(binary.right)})"
            help_ = f"write `{meant}`" if len(meant) < 80 else ""
            message = f"{what} compares `{chunk.text(left)}`, which is true or false"
            yield self.at(binary, message, help=help_, severity=severity)
