"""RL312."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.json_values import is_decoded
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Binary, Call, Expression, Local, Node, Parens


class CjsonLossy(Rule):
    """A JSON document is decoded, encoded and stored.

    ## Why is this bad?
    The text that comes out is another one: an empty array `[]` becomes the object `{}`, and
    numbers keep 14 digits, so that long ids change.

    ## Example
    ```lua
    local ok, document = pcall(cjson.decode, ARGV[1])
    if not ok then
      return redis.error_reply('BADTEXT the document is no JSON')
    end
    document.seen = 1
    return redis.call('LPUSH', KEYS[1], cjson.encode(document))
    ```

    Use instead:
    ```lua
    return redis.call('LPUSH', KEYS[1], ARGV[1])
    ```

    ## Limits
    Only where the same value is decoded, encoded and given to a command that writes. Whether
    the documents hold empty arrays or long numbers is not known.
    """

    code = "RL312"
    name = "cjson-lossy"
    severity = Severity.WARNING
    needs = frozenset({"cjson.encode"})

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each place that encodes again."""
        for call in chunk.calls_to("cjson.encode"):
            if call.arguments and _is_written(chunk, call, 0):
                argument = call.arguments[0]
                if is_decoded(chunk, argument):
                    yield self.at(
                        call,
                        f"{quoted(chunk, argument)} was decoded from JSON: stored again, `[]` is "
                        "`{}` and long numbers are shorter",
                        help="keep what changes in fields of a hash, and the document as it came",
                    )


def _is_written(chunk: Chunk, node: Expression, depth: int) -> bool:
    """Whether a value is given to a command that writes."""
    inner: Node = node
    outer = node.parent
    while isinstance(outer, Parens) or (
        isinstance(outer, Binary) and outer.operator in ("or", "and")
    ):
        inner, outer = outer, outer.parent
    if isinstance(outer, Call):
        command = chunk.command_of(outer)
        return command is not None and command.row is not None and "write" in command.row.flags
    if isinstance(outer, Local) and inner in outer.values and depth < 3:
        index = outer.values.index(inner)
        if index < len(outer.variables):
            reads = outer.variables[index].reads
            return any(_is_written(chunk, read, depth + 1) for read in reads)
    return False
