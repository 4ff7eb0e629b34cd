"""RL401."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.reach import is_in_protected_call
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Name, String, Table, bare


class ErrorTable(Rule):
    """`error` is called with a table that has no `err`.

    ## Why is this bad?
    If nothing catches it, Redis 7.0.15, 7.2.4 and 7.4.1 crash; other servers answer
    `unknown error`, whatever the table says.

    ## Example
    ```lua
    if #ARGV == 0 then
      error({code = 1})
    end
    return redis.call('SADD', KEYS[1], ARGV[1])
    ```

    Use instead:
    ```lua
    if #ARGV == 0 then
      return redis.error_reply('NOMEMBER a member is missing')
    end
    return redis.call('SADD', KEYS[1], ARGV[1])
    ```

    ## Limits
    Only tables that the script itself writes down are looked at; none that `pcall` catches.
    """

    code = "RL401"
    name = "error-table"
    severity = Severity.ERROR
    needs = frozenset({"error"})

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each table that is raised without a text."""
        for call in chunk.calls_to("error"):
            raised = bare(call.arguments[0]) if call.arguments else None
            if isinstance(raised, Name) and raised.variable is not None:
                stored = raised.variable.stores
                raised = bare(raised.variable.only_value()) if not stored else None
            if isinstance(raised, Table) and _lacks_text(raised) and not is_in_protected_call(call):
                message = "an uncaught table without `err` crashes Redis up to 7.4.1"
                help_ = "`return redis.error_reply('CODE what is wrong')`"
                yield self.at(call, message, help=help_)


def _lacks_text(table: Table) -> bool:
    for item in table.items:
        if item.key is not None and not isinstance(bare(item.key), String):
            return False  # any field may be `err`
        if isinstance(item.key, String) and item.key.text == b"err":
            return False
    return True
