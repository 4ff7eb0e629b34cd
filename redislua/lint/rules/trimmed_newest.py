"""RL326."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.literal_numbers import number_given
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Binary, Expression, Unary, bare
from redislua.syntax.sites import CommandCall

HEAD, TAIL = ("LPUSH", "LPUSHX"), ("RPUSH", "RPUSHX")
OTHER = ("LPOP", "RPOP", "LMOVE", "RPOPLPUSH", "LRANGE", "LINSERT", "LSET", "LREM", "LMPOP")
"""Commands that show that the script knows another order than first in, first out."""


class TrimmedNewest(Rule):
    """A list is trimmed to its oldest elements: what was just pushed goes first.

    ## Why is this bad?
    `RPUSH` appends at the end and `LTRIM key 0 99` keeps the first hundred: once the list is
    full, every new element is thrown away at once. With `LPUSH`, `LTRIM key -100 -1` does so.

    ## Example
    ```lua
    redis.call('RPUSH', KEYS[1], ARGV[1])
    return redis.call('LTRIM', KEYS[1], 0, 99)
    ```

    Use instead:
    ```lua
    redis.call('RPUSH', KEYS[1], ARGV[1])
    return redis.call('LTRIM', KEYS[1], -100, -1)
    ```

    ## Limits
    Only where the bounds are numbers, `0, n - 1` or `-n, -1`, the list is pushed to at one end alone, and
    the script neither reads nor pops it.
    """

    code = "RL326"
    name = "trimmed-newest"
    severity = Severity.WARNING
    needs = frozenset({"LTRIM"})

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each trim that keeps the wrong end."""
        trims = [one for one in chunk.commands if one.name == "LTRIM" and len(one.arguments) == 3]
        for trim in trims:
            symbol = chunk.value(trim.arguments[0]).symbol
            end, right = _kept(chunk, *trim.arguments[1:])
            push = _only_push(chunk, symbol, end) if end and symbol is not None else None
            if push is not None:
                what = quoted(chunk, trim.arguments[0])
                message = f"LTRIM keeps the oldest of {what}: what {push.name} adds goes first"
                help_ = f"trim it to {right}, or push at the other end"
                yield self.at(trim.node, message, help=help_)


def _kept(chunk: Chunk, start: Expression, stop: Expression) -> tuple[tuple[str, ...], str]:
    """The pushes whose elements a trim to these bounds drops first, and the bounds for them."""
    first, last = number_given(chunk, start), number_given(chunk, stop)
    to, since = bare(stop), bare(start)
    if first == 0 and last is not None and last >= 0:
        return TAIL, f"-{last + 1:.0f}, -1"
    if first == 0 and isinstance(to, Binary) and to.operator == "-":
        is_length = number_given(chunk, to.right) == 1 and not isinstance(bare(to.left), Unary)
        return (TAIL, f"-{chunk.text(to.left)}, -1") if is_length else ((), "")
    if last == -1 and first is not None and first < 0:
        return HEAD, f"0, {-first - 1:.0f}"
    if last == -1 and isinstance(since, Unary) and since.operator == "-":
        return HEAD, f"0, {chunk.text(since.operand)} - 1"
    return (), ""


def _only_push(chunk: Chunk, symbol: Hashable, end: tuple[str, ...]) -> CommandCall | None:
    """The push to one end of a list, where nothing else is done to its elements."""
    found: CommandCall | None = None
    for command in chunk.commands:
        if command.name not in (*HEAD, *TAIL, *OTHER):
            continue
        if any(chunk.value(key).symbol == symbol for key in command.key_arguments()):
            if command.name not in end:
                return None
            found = found or command
    return found
