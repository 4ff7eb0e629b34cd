"""RL306."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.numbers import fraction_in, typed_arguments
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Constant, Number, String


class FloatToIntegerArg(Rule):
    """A number that may have a fraction is given to a command that takes whole ones.

    ## Why is this bad?
    `EXPIRE` with 2.5 fails with `value is not an integer or out of range`, for some arguments
    and not for others, and what the script wrote before stays.

    ## Example
    ```lua
    return redis.call('EXPIRE', KEYS[1], ARGV[1] / 2)
    ```

    Use instead:
    ```lua
    return redis.call('EXPIRE', KEYS[1], math.ceil(ARGV[1] / 2))
    ```

    ## Limits
    Only where the script itself divides, takes a root or multiplies by a constant like 1.5;
    arguments and stored numbers are taken to be whole.
    """

    code = "RL306"
    name = "float-to-integer-arg"
    severity = Severity.WARNING

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each such argument."""
        for command in chunk.commands:
            if all(isinstance(one, String | Number | Constant) for one in command.arguments):
                continue
            if all(chunk.value(one).is_whole for one in command.arguments):
                continue
            for argument, kind in typed_arguments(command):
                if kind not in ("integer", "unix-time"):
                    continue
                if chunk.value(argument).constant is not None:
                    continue  # a constant of the wrong type is RL111's
                cause = fraction_in(chunk, argument)
                if cause is not None:
                    why = "" if cause is argument else f" (by {quoted(chunk, cause)})"
                    yield self.at(
                        argument,
                        f"{quoted(chunk, argument)} may have a fraction{why}: "
                        f"{command.name} takes whole numbers",
                        help="use `math.floor` or `math.ceil`",
                    )
