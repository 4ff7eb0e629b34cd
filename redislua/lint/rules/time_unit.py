"""RL610."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.literal_numbers import number_given
from redislua.lint.rule import Rule
from redislua.lint.time_arguments import REPLIES, TAKING, Time, times
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Binary, Call, Expression, Name, Unary, bare
from redislua.syntax.values import Origin

LEAST = 1e8
"""Seconds since 1970 on a day in 1973: no span that anybody gives, and no moment to come."""

IN_SECONDS = (LEAST, 1e11)
IN_MILLISECONDS = (1e11, 1e14)
"""How great the clock is today, whatever is added to it."""

DEEPEST = 8


class TimeUnit(Rule):
    """A command gets a time in the wrong unit, or a span where it takes a moment.

    ## Why is this bad?
    Nothing fails: the key lives a thousand times as long, or is gone at once. `PTTL` answers
    in milliseconds and `EX` takes seconds; `EXPIREAT` takes a moment, `EXPIRE` a span.

    ## Example
    ```lua
    local left = redis.call('PTTL', KEYS[1])
    if left > 0 then
      redis.call('SET', KEYS[2], ARGV[1], 'EX', left)
    end
    return left
    ```

    Use instead:
    ```lua
    local left = redis.call('PTTL', KEYS[1])
    if left > 0 then
      redis.call('SET', KEYS[2], ARGV[1], 'PX', left)
    end
    return left
    ```

    ## Limits
    A constant below zero, which deletes the key, is a warning. Knows replies that are passed on unchanged, what is calculated from `TIME`, and constants.
    What the caller passes is taken to be right.
    """

    code = "RL610"
    name = "time-unit"
    severity = Severity.ERROR
    needs = TAKING

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each such argument."""
        for command in chunk.commands:
            for argument, wanted in times(command):
                if (number_given(chunk, argument) or 0) < 0:
                    message = f"{quoted(chunk, argument)} is in the past: the key is deleted"
                    help_ = "`PERSIST` takes an expiry away, `DEL` removes a key"
                    yield self.at(argument, message, help=help_, severity=Severity.WARNING)
                    continue
                given = _given(chunk, argument, wanted)
                if given is not None and given != wanted:
                    message = f"{quoted(chunk, argument)} is {given}: here it is {wanted}"
                    yield self.at(argument, message, help=_help(given, wanted))


def _given(chunk: Chunk, argument: Expression, wanted: Time) -> Time | None:
    """What a time is; None where that is not known."""
    value = chunk.value(argument)
    if value.reply is not None and value.reply.name in REPLIES:
        return REPLIES[value.reply.name]
    number = number_given(chunk, argument)
    if number is not None:
        # A key that expires at 0 or 1 is deleted on purpose.
        is_past = wanted.is_moment and 1 < number < LEAST
        return Time(False, wanted.unit) if is_past else None
    if not value.origin & Origin.TIME or value.origin & (Origin.STORED | Origin.UNKNOWN):
        return None
    if value.size is None or _is_less(chunk, argument):
        return None
    if IN_SECONDS[0] <= value.size < IN_SECONDS[1]:
        return Time(True, "seconds")
    if IN_MILLISECONDS[0] <= value.size < IN_MILLISECONDS[1]:
        return Time(True, "milliseconds")
    return None


def _is_less(chunk: Chunk, expression: Expression, depth: int = 0) -> bool:
    """Whether a calculation takes something away: what is left may be anything."""
    node = bare(expression)
    if depth > DEEPEST:
        return True
    match node:
        case Binary():
            return (
                node.operator in ("-", "%")
                or _is_less(chunk, node.left, depth + 1)
                or _is_less(chunk, node.right, depth + 1)
            )
        case Unary():
            return True
        case Call():
            if chunk.command_of(node) is not None:
                return False
            return chunk.function_called(node) is not None or any(
                _is_less(chunk, one, depth + 1) for one in node.arguments
            )
        case Name() if node.variable is not None:
            return any(
                one.value is not None and _is_less(chunk, one.value, depth + 1)
                for one in node.variable.definitions
            )
    return False


def _help(given: Time, wanted: Time) -> str:
    if given.is_moment is not wanted.is_moment:
        return "add the time that it is now" if wanted.is_moment else "leave the present time out"
    return "multiply by 1000" if wanted.unit == "milliseconds" else "divide by 1000, and round up"
