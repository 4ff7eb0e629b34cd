"""RL110."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.misfits import misfits, named_places
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.commands.fitting import Misfit
from redislua.syntax.nodes import Node
from redislua.syntax.sites import CommandCall


class WrongOption(Rule):
    """A command gets an option that it does not have, one that excludes another, or half of one.

    ## Why is this bad?
    The call fails with `syntax error` when that line runs, and what the script wrote before
    stays.

    ## Example
    ```lua
    return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'TTL', 60)
    ```

    Use instead:
    ```lua
    return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'EX', 60)
    ```

    ## Limits
    What no known server takes, by its own description of the command. A word that is no
    literal is taken to be right; so is what follows an argument that may stand for several.
    """

    code = "RL110"
    name = "wrong-option"
    severity = Severity.ERROR

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield the first word of each call that cannot stand where it does."""
        for command, found in misfits(chunk):
            if found is None or found.is_of_wrong_type:
                continue
            where, message = _words(chunk, command, found)
            yield self.at(where, message, help=_remedy(found))


def _remedy(found: Misfit) -> str:
    if found.against:
        return "leave one of them out"
    count = len(found.words) + len(found.places)
    # What alone is missing stands in the message.
    is_said = not count or (found.is_missing and count == 1)
    return "" if is_said else f"expected here: {named_places(found)}"


def _words(chunk: Chunk, command: CommandCall, found: Misfit) -> tuple[Node, str]:
    name = command.name
    if found.is_missing:
        last = command.arguments[-1] if command.arguments else command.node
        what = "something" if len(found.words) + len(found.places) != 1 else named_places(found)
        return last, f"`{name}` ends too early: {what} is missing behind {quoted(chunk, last)}"
    where = command.arguments[found.at]
    if found.against:
        return (
            where,
            f"`{name}` does not take {quoted(chunk, where)} together with `{found.against}`",
        )
    if not found.words and not found.places:
        return where, f"`{name}` takes nothing more: {quoted(chunk, where)} is too much"
    return where, f"`{name}` does not take {quoted(chunk, where)} here"
