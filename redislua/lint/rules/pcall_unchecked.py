"""RL403."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.results import holder, use
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk
from redislua.syntax.variables import Variable

HELP = "test its `.err`, or use `redis.call`, which stops the script"


class PcallUnchecked(Rule):
    """The result of `redis.pcall` is used as if it could not be an error.

    ## Why is this bad?
    A command that fails gives a table with a field `err`. It counts as true, its length is 0,
    comparing it with a number stops the script: the failure shows up elsewhere, or never.

    ## Example
    ```lua
    local n = redis.pcall('LLEN', KEYS[1])
    return n + 1
    ```

    Use instead:
    ```lua
    local n = redis.pcall('LLEN', KEYS[1])
    if type(n) ~= 'number' then
      return redis.error_reply('BADQUEUE the queue is no list')
    end
    return n + 1
    ```

    ## Limits
    A result that is only returned is left to the caller. One that nothing looks at is an info:
    not to care may be meant. Once a function of the script gets it, nothing is said.
    """

    code = "RL403"
    name = "pcall-unchecked"
    severity = Severity.WARNING
    needs = frozenset({"redis.pcall", "server.pcall"})

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each protected call whose error nobody sees."""
        last: dict[Variable, dict[str, int]] = {}  # where each use of a result is last made
        for command in chunk.commands:
            if not command.is_protected:
                continue
            what = f"an error of `{command.name or 'the command'}`"
            if chunk.is_dropped(command.node):
                message = f"{what} is dropped"
                yield self.at(command.node, message, help=HELP, severity=Severity.INFO)
                continue
            variable = holder(command)
            if variable is not None and not variable.reads and variable.name != "_":
                message = f"{what} is dropped: nothing reads `{variable.name}`"
                yield self.at(command.node, message, help=HELP, severity=Severity.INFO)
                continue
            if variable is None:
                became = use(command.node)
                if became == "used":
                    yield self.at(command.node, f"{what} is a table, used unseen", help=HELP)
                continue
            if variable not in last:
                last[variable] = {use(read): read.start for read in variable.reads}
            uses = {one for one, at in last[variable].items() if at > command.end}
            if "used" in uses and "checked" not in uses:
                message = f"{what} is a table: `{variable.name}` is used without a look at `.err`"
                yield self.at(command.node, message, help=HELP)
