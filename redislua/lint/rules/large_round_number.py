"""RL307."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.numbers import is_number, typed_arguments
from redislua.lint.rule import Rule
from redislua.lint.servers import targets_of
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Number

FIRST, FIXED = (7, 2), (7, 2, 5)
OLD = 1e17
ROUND = 1e8


class LargeRoundNumber(Rule):
    """A great number is given to a command that takes whole ones.

    ## Why is this bad?
    Redis 7.2.0 to 7.2.4 write 100000000 as `1e+8` into the command, and `EXPIRE` then says
    `value is not an integer`. Redis 7.0 does so from 1e17 on.

    ## Example
    ```lua redis>=7.2
    return redis.call('PEXPIRE', KEYS[1], 1000 * 100000)
    ```

    Use instead:
    ```lua redis>=7.2
    return redis.call('PEXPIRE', KEYS[1], string.format('%d', 1000 * 100000))
    ```

    ## Limits
    Constants, and what is calculated from the clock, whose greatness is known. What
    counts is the oldest Redis of the targets.
    """

    code = "RL307"
    name = "large-round-number"
    severity = Severity.WARNING

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each such number."""
        lowest = targets_of(chunk).lowest("redis")
        if lowest is None or lowest >= FIXED:
            return
        least = ROUND if lowest >= FIRST else OLD
        for command in chunk.commands:
            for argument in command.arguments:
                value = chunk.value(argument)
                if not is_number(value) or (value.size or 0) < least:
                    continue
                constant = value.constant
                if isinstance(constant, float) and _has_no_exponent(constant, least):
                    continue
                if any(
                    one is argument and kind in INTEGERS for one, kind in typed_arguments(command)
                ):
                    what = quoted(chunk, argument)
                    where = "Redis 7.2.0 to 7.2.4 write" if least == ROUND else "Redis 7.0 writes"
                    form = "'%d'" if least == ROUND or isinstance(argument, Number) else "'%.0f'"
                    yield self.at(
                        argument,
                        f"{where} {what} with an exponent, which {command.name} refuses",
                        help=f"use `string.format({form}, {what[1:-1]})`",
                    )


INTEGERS = ("integer", "unix-time")


def _has_no_exponent(number: float, least: float) -> bool:
    """Whether the shortest form of a number has no exponent on the servers in question."""
    if least == OLD:
        return abs(number) < OLD
    digits = f"{abs(number):.0f}"
    return len(digits.rstrip("0")) + 3 > len(digits)
