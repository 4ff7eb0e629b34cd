"""RL707."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Binary
from redislua.syntax.values import Origin

COMPARING = ("<", ">", "<=", ">=", "==", "~=")


class DivisionByArgument(Rule):
    """A number is divided by an argument that may be zero.

    ## Why is this bad?
    Lua gives `inf` or `nan` and goes on: as an integer reply that is -9223372036854775808, and as
    an argument `inf`, which most commands refuse.

    ## Example
    ```lua
    return math.floor(#KEYS / tonumber(ARGV[1]))
    ```

    Use instead:
    ```lua
    local parts = tonumber(ARGV[1])
    if not parts or parts <= 0 then
      return redis.error_reply('BADPARTS a positive number is needed')
    end
    return math.floor(#KEYS / parts)
    ```

    ## Limits
    Each argument is reported once. An argument that the script compares with anything before is left alone, and so are
    scripts with a header, which gives the range of each argument.
    """

    code = "RL707"
    name = "division-by-argument"
    severity = Severity.INFO

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield the first division by each argument."""
        if chunk.script is not None:
            return
        compared: dict[Hashable, int] | None = None
        seen: set[Hashable] = set()
        for node in chunk.of(Binary):
            if node.operator not in ("/", "%"):
                continue
            value = chunk.value(node.right)
            symbol = _plain(value.symbol)
            if (
                value.origin == Origin.ARGV
                and isinstance(symbol, tuple)
                and symbol[0] == "ARGV"
                and symbol not in seen
            ):
                compared = _compared(chunk) if compared is None else compared
                if compared.get(symbol, node.start) >= node.start:
                    seen.add(symbol)
                    message = f"`{chunk.text(node.right)}` may be 0"
                    yield self.at(node, message, help="refuse it first")


def _compared(chunk: Chunk) -> dict[Hashable, int]:
    """What is compared with anything, and where first."""
    found: dict[Hashable, int] = {}
    for node in chunk.of(Binary):
        if node.operator in COMPARING:
            for side in (node.left, node.right):
                found.setdefault(_plain(chunk.value(side).symbol), node.start)
    return found


def _plain(symbol: Hashable) -> Hashable:
    """The symbol of a text for that of the number in it."""
    while isinstance(symbol, tuple) and symbol and symbol[0] == "tonumber":
        symbol = symbol[1]
    return symbol
