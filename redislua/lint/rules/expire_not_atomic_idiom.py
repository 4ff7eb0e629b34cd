"""RL603."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.creation import reply_on_creation
from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.expiry import GIVING, created_key, creating, expiring, follows, gives
from redislua.lint.reach import runs_before
from redislua.lint.rule import Rule
from redislua.lint.sizes import symbol_of
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Binary, Expression, bare
from redislua.syntax.sites import CommandCall


class ExpireNotAtomicIdiom(Rule):
    """The expiry is set under a condition that does not hold when the key is created.

    ## Why is this bad?
    `INCR` makes the key, and the branch with `EXPIRE` is not taken: the counter never goes
    away. Behind a limiter that means refused for ever.

    ## Example
    ```lua
    local count = redis.call('INCRBY', KEYS[1], 5)
    if count == 1 then
      redis.call('EXPIRE', KEYS[1], 60)
    end
    return count
    ```

    Use instead:
    ```lua
    local count = redis.call('INCRBY', KEYS[1], 5)
    if count == 5 then
      redis.call('EXPIRE', KEYS[1], 60)
    end
    return count
    ```

    ## Limits
    Only conditions on the reply of the command that may create the key are judged; others,
    and amounts that are compared with themselves, are believed.
    """

    code = "RL603"
    name = "expire-not-atomic-idiom"
    severity = Severity.WARNING
    needs = GIVING

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield conditions that are false for a new key."""
        setters = [one for one in chunk.commands if gives(one)]
        for command in creating(chunk) if setters else ():
            key = created_key(command)
            symbol = symbol_of(chunk, key) if key is not None else None
            if key is None or symbol is None:
                continue
            test = expiring(chunk, symbol)
            own = [one for one in setters if test(one)]
            if not own:
                continue
            after = follows(chunk, command.node, test)
            if after.is_certain or after.is_elsewhere or not after.conditions:
                continue
            if any(runs_before(one.node, command.node) for one in own):
                continue
            false = [
                condition
                for condition, holds in after.conditions
                if _is_false(chunk, condition, command, holds=holds)
            ]
            if len(false) == len(after.conditions):
                yield self.at(
                    false[0],
                    f"when {command.name} creates {quoted(chunk, key)} this does not hold, so "
                    "the key gets no expiry",
                    help="compare with what the command answers for a new key, or ask PTTL",
                )


def _is_false(chunk: Chunk, condition: Expression, command: CommandCall, *, holds: bool) -> bool:
    """Whether a condition cannot let a new key through; False where that is not known."""
    node = bare(condition)
    if not isinstance(node, Binary):
        return False
    if node.operator in ("and", "or"):
        parts = [_is_false(chunk, side, command, holds=holds) for side in (node.left, node.right)]
        return any(parts) if (node.operator == "and") is holds else all(parts)
    for one, other, operator in (
        (node.left, node.right, node.operator),
        (node.right, node.left, _MIRRORED.get(node.operator, node.operator)),
    ):
        if _is_reply(chunk, one, command):
            truth = reply_on_creation(chunk, command, operator, other)
            return truth is not None and truth is not holds
    return False


_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def _is_reply(chunk: Chunk, expression: Expression, command: CommandCall) -> bool:
    node = bare(expression)
    if chunk.means(getattr(node, "callee", None)) == "tonumber" and node.arguments:
        node = bare(node.arguments[0])
    return chunk.value(node).reply is command
