"""RL313."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.json_values import is_decoded_part
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Binary, Constant, Expression, Index, Name, bare


class JsonNull(Rule):
    """A field of decoded JSON is compared with `nil` alone.

    ## Why is this bad?
    `null` is decoded to `cjson.null`, which is not nil and is true: `{"until": null}` counts
    as if there were a value.

    ## Example
    ```lua
    local ok, order = pcall(cjson.decode, ARGV[1])
    if not ok then
      return redis.error_reply('BADORDER the order is no JSON')
    end
    if order.due ~= nil then
      redis.call('SADD', KEYS[1], ARGV[2])
    end
    return 1
    ```

    Use instead:
    ```lua
    local ok, order = pcall(cjson.decode, ARGV[1])
    if not ok then
      return redis.error_reply('BADORDER the order is no JSON')
    end
    if order.due ~= nil and order.due ~= cjson.null then
      redis.call('SADD', KEYS[1], ARGV[2])
    end
    return 1
    ```

    ## Limits
    Mostly the test is for a field that is absent, and no writer ever stores null: this is
    a warning where the script itself knows `cjson.null`, and for what a loop over the fields
    gives, else information. Silent where the same field is compared with `cjson.null`, and
    where it is not seen that the value was decoded.
    """

    code = "RL313"
    name = "json-null"
    severity = Severity.WARNING
    needs = frozenset({"cjson.decode", "pcall"})

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each such comparison."""
        for binary in chunk.of(Binary):
            if binary.operator not in ("==", "~="):
                continue
            for node, other in ((binary.left, binary.right), (binary.right, binary.left)):
                constant = bare(other)
                if not isinstance(constant, Constant) or constant.word != "nil":
                    continue
                if is_decoded_part(chunk, node) and not _knows_null(chunk, chunk.text(node)):
                    yield self.at(
                        binary,
                        f"{quoted(chunk, node)} is not nil when the JSON says null",
                        help="compare with `cjson.null`, too",
                        severity=_severity(chunk, node),
                    )


def _severity(chunk: Chunk, node: Expression) -> Severity | None:
    """A field may be absent, and nil then; what a loop over fields gives never is."""
    inner = bare(node)
    if isinstance(inner, Name) and inner.variable is not None and inner.variable.kind == "loop":
        return None
    has_null = any(chunk.means(index) == "cjson.null" for index in chunk.of(Index))
    return None if has_null else Severity.INFO


def _knows_null(chunk: Chunk, text: str) -> bool:
    """Whether the script compares what is written so with cjson.null."""
    for binary in chunk.of(Binary):
        if binary.operator in ("==", "~="):
            for one, other in ((binary.left, binary.right), (binary.right, binary.left)):
                if chunk.means(other) == "cjson.null" and chunk.text(one) == text:
                    return True
    return False
