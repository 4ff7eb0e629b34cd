"""RL104."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.lint.servers import targets_of
from redislua.lint.versions import Gap, gap, is_everywhere, option_gaps, options
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import If, Node
from redislua.syntax.sites import CommandCall
from redislua.syntax.targets import Targets


class NeedsNewerServer(Rule):
    """A command or an option is used that some server to run on does not have.

    ## Why is this bad?
    On the older server the call fails with `Unknown command` or `syntax error`, when that
    line runs. Redis and Valkey have commands that the other lacks.

    ## Example
    ```lua
    return redis.call('DELIFEQ', KEYS[1], ARGV[1])
    ```

    Use instead:
    ```lua valkey>=9.0
    return redis.call('DELIFEQ', KEYS[1], ARGV[1])
    ```

    ## Limits
    Says nothing of `redis.pcall`, nor below an `if` that asks for the server's version.
    """

    code = "RL104"
    name = "needs-newer-server"
    severity = Severity.ERROR

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each command and option that some target lacks."""
        targets = targets_of(chunk)
        for command in chunk.commands:
            if command.name is None or command.row is None or command.is_protected:
                continue
            if is_everywhere(targets, command.name):
                continue  # nearly every command
            for node, what, found in _missing(targets, command):
                if not _asks_for_version(chunk, command.node):
                    message = f"{what} came with {found.dates}: not on {found.missing}"
                    yield self.at(node, message, help="raise `targets`, or do it without")


def _missing(targets: Targets, command: CommandCall) -> Iterator[tuple[Node, str, Gap]]:
    """What some target lacks: where it is written, its name, and the targets."""
    name = command.name or ""
    whole = gap(targets, name)
    if whole is not None:
        yield command.first or command.node, f"`{name}`", whole
        return
    gaps = option_gaps(targets, name)
    for index, word in options(command):
        if word in gaps:
            yield command.arguments[index], f"`{word}` of `{name}`", gaps[word]


def _asks_for_version(chunk: Chunk, node: Node) -> bool:
    """Whether an ``if`` around it mentions ``redis.REDIS_VERSION_NUM`` or its like."""
    return any(
        isinstance(outer, If)
        and any("VERSION" in chunk.text(condition).upper() for condition, _ in outer.arms)
        for outer in node.parents()
    )
