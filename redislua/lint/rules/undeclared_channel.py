"""RL809."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.expiry import follows
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Expression


class UndeclaredChannel(Rule):
    """A message is published where the header declares no channel, or not as the last command.

    ## Why is this bad?
    `PUBLISH` reaches every node of a cluster and is bound to no slot. A channel that is not
    declared is in no ACL and in no signature. And whoever is woken by a message reads the
    keys at once: they must be written before it.

    ## Example
    ```lua
    #!lua
    --- Store a value and tell those who wait.
    --
    -- @version 1.0.0
    -- @key     kept  kept:{<name>} string
    -- @arg     value bytes 0..100
    -- @returns int
    -- @retry   safe
    -- @budget  calls<=2 growth=1
    -- @example one value
    --   script name=a value=b -> 1

    local kept = KEYS[1]
    local value = ARGV[1]

    redis.call('SET', kept, value)
    redis.call('PUBLISH', 'kept', 'stored')
    return 1
    ```

    Use instead:
    ```lua
    #!lua
    --- Store a value and tell those who wait.
    --
    -- @version 1.0.0
    -- @key     kept   kept:{<name>} string
    -- @arg     value  bytes 0..100
    -- @channel stored kept:{<name>}:stored
    -- @returns int
    -- @retry   safe
    -- @budget  calls<=2 growth=1
    -- @example one value
    --   script name=a value=b -> 1

    local kept = KEYS[1]
    local value, stored = ARGV[1], ARGV[2]

    redis.call('SET', kept, value)
    redis.call('SPUBLISH', stored, 'stored')
    return 1
    ```

    ## Limits
    A channel in a variable of unknown origin is passed over. A command in another arm of an
    `if` does not come after.
    """

    code = "RL809"
    name = "undeclared-channel"
    severity = Severity.ERROR
    needs_contract = True

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield messages that the header does not know."""
        for command in chunk.commands:
            if command.name == "PUBLISH":
                yield self.at(
                    command.node,
                    "PUBLISH is bound to no slot, and no header can declare its channel",
                    help="declare a `@channel` with the hash tag of the keys, and use SPUBLISH",
                )
            elif command.name == "SPUBLISH" and command.arguments:
                if _is_foreign(chunk, command.arguments[0]):
                    yield self.at(
                        command.arguments[0],
                        f"{quoted(chunk, command.arguments[0])} is no channel of the header",
                        help="declare it with `@channel`: it comes in ARGV behind the arguments",
                    )
                if follows(chunk, command.node, lambda one: one.name != "SPUBLISH").is_there:
                    yield self.at(
                        command.node,
                        "a command may follow this message, and whoever it wakes may be faster",
                        help="publish with the script's last command",
                        severity=Severity.WARNING,
                    )


def _is_foreign(chunk: Chunk, channel: Expression) -> bool:
    value = chunk.value(channel)
    if chunk.script is not None and isinstance(value.symbol, tuple) and value.symbol[0] == "ARGV":
        first = len(chunk.script.args) + 1
        number = value.symbol[1]
        return isinstance(number, float) and not (
            first <= number < first + len(chunk.script.channels)
        )
    return value.is_known
