"""RL305."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.numbers import EXACT, is_number
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Binary, Expression, Item, Table


class NumberFormat(Rule):
    """A number of more than 14 digits is made text by Lua.

    ## Why is this bad?
    `..`, `tostring` and `cjson.encode` keep 14 digits: the clock in microseconds becomes
    `1.7323000001235e+15`, so names of keys and members collide.

    ## Example
    ```lua
    local clock = redis.call('TIME')
    local now_us = clock[1] * 1000000 + clock[2]
    return redis.call('SADD', KEYS[1], now_us .. ':' .. ARGV[1])
    ```

    Use instead:
    ```lua
    local clock = redis.call('TIME')
    local now_us = clock[1] * 1000000 + clock[2]
    return redis.call('SADD', KEYS[1], string.format('%.0f:%s', now_us, ARGV[1]))
    ```

    ## Limits
    Knows the greatness of what is calculated from the clock and from constants. A number that
    is given to a command itself keeps 17 digits and is no finding.
    """

    code = "RL305"
    name = "number-format"
    severity = Severity.WARNING

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each number that loses digits."""
        seen: set[int] = set()
        for node, by in _made_text(chunk):
            value = chunk.value(node)
            if is_number(value) and (value.size or 0) >= EXACT and node.start not in seen:
                seen.add(node.start)
                yield self.at(
                    node,
                    f"{by} keeps 14 digits of {quoted(chunk, node)}, which has more",
                    help=f"use `string.format('%.0f', {quoted(chunk, node)[1:-1]})`",
                )


def _made_text(chunk: Chunk) -> Iterator[tuple[Expression, str]]:
    for binary in chunk.of(Binary):
        if binary.operator == "..":
            yield binary.left, "`..`"
            yield binary.right, "`..`"
    for call in chunk.calls_to("tostring", "cjson.encode", "table.concat"):
        path = call.path
        for argument in call.arguments[:1]:
            yield argument, f"`{path}`"
            if isinstance(argument, Table):
                yield from _items(argument.items, f"`{path}`")


def _items(items: list[Item], by: str) -> Iterator[tuple[Expression, str]]:
    for item in items:
        yield item.value, by
        if isinstance(item.value, Table):
            yield from _items(item.value.items, by)
