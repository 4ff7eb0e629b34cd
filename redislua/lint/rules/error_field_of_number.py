"""RL321."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.reach import is_in_protected_call
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Index, String, bare
from redislua.syntax.values import Kind, Value


class ErrorFieldOfNumber(Rule):
    """A reply is asked for `.err`, and is a number when all goes well.

    ## Why is this bad?
    A number has no fields: `attempt to index a number value` stops the script exactly when
    the command succeeded.

    ## Example
    ```lua
    local added = redis.pcall('SADD', KEYS[1], ARGV[1])
    if added.err then
      return added
    end
    return 1
    ```

    Use instead:
    ```lua
    local added = redis.pcall('SADD', KEYS[1], ARGV[1])
    if type(added) == 'table' and added.err then
      return added
    end
    return 1
    ```

    ## Limits
    Silent where the script asks for the `type` of the same value first. Texts may be
    indexed: `.err` of one is nil.
    """

    code = "RL321"
    name = "error-field-of-number"
    severity = Severity.ERROR

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield the first field of each number: behind it there is an error, or nothing."""
        seen: set[str] = set()
        for index in chunk.of(Index):
            if not isinstance(index.key, String) or index.is_written:
                continue
            value = chunk.value(index.base)
            if not _is_number(value) or is_in_protected_call(index):
                continue
            if self._asks_for_type(chunk, index):
                continue
            command = value.reply.name if value.reply is not None else ""
            what = quoted(chunk, index.base)
            if what in seen:
                continue
            seen.add(what)
            message = f"{what} is a number when {command} succeeds: a number has no fields"
            yield self.at(index, message, help=f"write `type({what[1:-1]}) == 'table' and` before")

    @staticmethod
    def _asks_for_type(chunk: Chunk, index: Index) -> bool:
        text = chunk.text(bare(index.base))
        return any(
            call.start < index.start and chunk.text(bare(call.arguments[0])) == text
            for call in chunk.calls_to("type")
            if call.arguments
        )


def _is_number(value: Value) -> bool:
    if value.reply is None or value.reply.row is None:
        return False
    plain = value.kind & ~Kind.TABLE if value.can_fail else value.kind
    return plain == Kind.NUMBER
