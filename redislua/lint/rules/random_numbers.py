"""RL606."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk


class RandomNumbers(Rule):
    """A script uses Lua's random numbers.

    ## Why is this bad?
    The server never seeds them: after each start the same sequence comes, and all scripts share
    it. A seed that one script sets changes what every later script gets.

    ## Example
    ```lua
    return redis.call('LINDEX', KEYS[1], math.random(0, 9))
    ```

    Use instead:
    ```lua
    return redis.call('LINDEX', KEYS[1], ARGV[1])
    ```

    ## Limits
    `math.random` is not reported in a script that seeds: its `math.randomseed` is.
    """

    code = "RL606"
    name = "random-numbers"
    severity = Severity.WARNING
    needs = frozenset({"math.random", "math.randomseed"})

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each seed, or what is drawn without one."""
        seeds = list(chunk.calls_to("math.randomseed"))
        for call in seeds:
            message = "the seed stays: it decides what every later script of the server draws"
            yield self.at(call, message, help="pass random numbers in ARGV")
        for call in chunk.calls_to("math.random"):
            if not seeds:
                message = "nothing seeds `math.random`: each start of the server repeats it"
                help_ = "pass random numbers in ARGV; SRANDMEMBER and SPOP draw members"
                yield self.at(call, message, help=help_)
