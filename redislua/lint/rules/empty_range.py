"""RL327."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.literal_numbers import number_given
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Expression
from redislua.syntax.sites import CommandCall

BY_INDEX = frozenset({"LRANGE", "ZRANGE", "ZREVRANGE", "ZREMRANGEBYRANK", "GETRANGE"})
BY_SCORE = frozenset({"ZRANGEBYSCORE", "ZCOUNT", "ZREMRANGEBYSCORE"})
BY_SCORE_DOWN = frozenset({"ZREVRANGEBYSCORE"})
BY_ID = frozenset({"XRANGE"})
BY_ID_DOWN = frozenset({"XREVRANGE"})
INFINITE = {b"-inf": float("-inf"), b"+inf": float("inf"), b"inf": float("inf")}
IDS = {b"-": float("-inf"), b"+": float("inf")}


class EmptyRange(Rule):
    """A range ends before it begins, so nothing is ever in it.

    ## Why is this bad?
    The command fails never, and finds nothing whatever is stored. `ZREVRANGEBYSCORE` and
    `XREVRANGE` take the greater end first, as does `ZRANGE` with `REV` by score.

    ## Example
    ```lua
    return redis.call('ZRANGE', KEYS[1], '+inf', '-inf', 'BYSCORE', 'LIMIT', 0, 10)
    ```

    Use instead:
    ```lua
    return redis.call('ZRANGE', KEYS[1], '+inf', '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, 10)
    ```

    ## Limits
    Ranges of which both ends are constants. `LTRIM` is left out: an empty range empties
    the list, and is used for that.
    """

    code = "RL327"
    name = "empty-range"
    severity = Severity.ERROR
    needs = BY_INDEX | BY_SCORE | BY_SCORE_DOWN | BY_ID | BY_ID_DOWN

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each such command."""
        for command in chunk.commands:
            if command.name not in self.needs or len(command.arguments) < 3:
                continue
            ends = command.arguments[1:3]
            if _is_empty(chunk, command, *ends):
                first, last = (quoted(chunk, one) for one in ends)
                message = f"nothing is in the range from {first} to {last}"
                yield self.at((ends[0].start, ends[1].end), message, help="swap the two")


def _is_empty(chunk: Chunk, command: CommandCall, first: Expression, last: Expression) -> bool:
    name = command.name
    is_down = name in BY_SCORE_DOWN or name in BY_ID_DOWN
    if name == "ZRANGE":
        if command.is_open or command.has_word("BYLEX"):
            return False
        if any(word is None for word in command.words()[3:]):
            return False  # an option may be in a variable
        is_by_score = command.has_word("BYSCORE")
        is_down = is_by_score and command.has_word("REV")
    else:
        is_by_score = name in BY_SCORE or name in BY_SCORE_DOWN
    named = IDS if name in BY_ID or name in BY_ID_DOWN else INFINITE if is_by_score else {}
    low, high = (_end(chunk, one, named) for one in (first, last))
    if low is None or high is None:
        return False
    if is_down:
        low, high = high, low
    if not named and (low < 0) is not (high < 0):
        return False  # one is counted from the end: it depends on how many there are
    return low > high


def _end(chunk: Chunk, expression: Expression, named: dict[bytes, float]) -> float | None:
    constant = chunk.value(expression).constant
    if isinstance(constant, bytes) and constant.lower() in named:
        return named[constant.lower()]
    return None if named is IDS else number_given(chunk, expression)
