"""RL111."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.misfits import is_no_number, misfits, named_places, number_wanted
from redislua.lint.numbers import is_number
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Number, String
from redislua.syntax.sites import CommandCall
from redislua.syntax.values import Origin


class WrongTypeOfArgument(Rule):
    """A command gets a text, or a key, where it takes a number.

    ## Why is this bad?
    The call fails with `value is not an integer or out of range` or `value is not a valid
    float` when that line runs, and what the script wrote before stays. Often two arguments
    are swapped: `ZADD` wants the score before the member.

    ## Example
    ```lua
    return redis.call('EXPIRE', KEYS[1], '90d')
    ```

    Use instead:
    ```lua
    return redis.call('EXPIRE', KEYS[1], 7776000)
    ```

    ## Limits
    Constants, texts that are put together with a constant that is no number, and elements of
    `KEYS` that are keys elsewhere in the script. What comes from `ARGV` or the server is taken
    to be right.
    """

    code = "RL111"
    name = "wrong-type-of-argument"
    severity = Severity.ERROR

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each argument that cannot be what its command takes there."""
        keys: set[Hashable] | None = None
        for command, found in misfits(chunk):
            if found is not None:
                if found.is_of_wrong_type:
                    where = command.arguments[found.at]
                    message = f"`{command.name}` does not take {quoted(chunk, where)} here"
                    yield self.at(where, message, help=f"expected here: {named_places(found)}")
                continue
            for index, argument in enumerate(command.arguments):
                what = ""
                if isinstance(argument, String | Number):
                    continue
                if chunk.value(argument).origin is Origin.KEYS:
                    keys = _keys(chunk) if keys is None else keys
                    what = "is a key" if _is_key(chunk, command, index, keys) else ""
                elif is_no_number(chunk, argument):
                    what = "is no number"
                place = number_wanted(chunk, command, index) if what else None
                if place is not None:
                    message = f"{quoted(chunk, argument)} {what}: `{command.name}` wants"
                    yield self.at(argument, f"{message} `{place.name}` there")


def _keys(chunk: Chunk) -> set[Hashable]:
    """The symbols of all keys of the script."""
    return {chunk.value(key).symbol for one in chunk.commands for key in one.key_arguments()}


def _is_key(chunk: Chunk, command: CommandCall, index: int, keys: set[Hashable]) -> bool:
    """Whether an element of KEYS is no number here: it is a key elsewhere, or it is swapped."""
    argument = command.arguments[index]
    if argument in command.key_arguments():
        return False
    symbol = chunk.value(argument).symbol
    if symbol is not None and symbol in keys:
        return True
    behind = command.arguments[index + 1 :]
    return command.name == "ZADD" and bool(behind) and is_number(chunk.value(behind[0]))
