"""RL409."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.results import use
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk
from redislua.syntax.guards import is_asked
from redislua.syntax.nodes import Call, Local, Name, bare
from redislua.syntax.variables import Variable


class PcallStatusUnread(Rule):
    """The result of Lua's `pcall` is used, and nothing looks at whether the call succeeded.

    ## Why is this bad?
    When the call fails, the second value is the text of the error: `result.field` is nil, and
    `return result` sends the text as if it were the answer.

    ## Example
    ```lua
    local ok, order = pcall(cjson.decode, ARGV[1])
    return redis.call('SET', KEYS[1], order.id)
    ```

    Use instead:
    ```lua
    local ok, order = pcall(cjson.decode, ARGV[1])
    if not ok then
      return redis.error_reply('BADORDER it is no JSON')
    end
    return redis.call('SET', KEYS[1], order.id)
    ```

    ## Limits
    Silent where the script asks for the result's type, compares it, or hands it to a function
    of its own; and where the result is not used either.
    """

    code = "RL409"
    name = "pcall-status-unread"
    severity = Severity.WARNING
    needs = frozenset({"pcall", "xpcall"})

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each result that may be an error's text."""
        for call in chunk.calls_to("pcall", "xpcall"):
            statement = call.parent
            if not isinstance(statement, Local) or len(statement.variables) < 2:
                continue
            if len(statement.values) != 1 or bare(statement.values[0]) is not call:
                continue
            status, result = statement.variables[:2]
            if status.reads or len(result.definitions) > 1 or not _is_used_blindly(result):
                continue
            shown = f"`{result.name}`"
            message = f"{shown} is the error's text when the call fails: nothing looks at "
            message += f"`{status.name}`"
            yield self.at(result, message, help=f"test it first: `if not {_named(status)} then`")


def _named(status: Variable) -> str:
    return "ok" if status.name == "_" else status.name


def _is_used_blindly(result: Variable) -> bool:
    return bool(result.reads) and not any(_is_checked(read) for read in result.reads)


def _is_checked(read: Name) -> bool:
    outer = read.parent
    if isinstance(outer, Call) and outer.callee is not read and outer.path is None:
        return True
    return is_asked(read) or use(read) == "checked"
