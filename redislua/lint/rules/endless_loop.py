"""RL508."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.endless import is_endless
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Repeat, While


class EndlessLoop(Rule):
    """A loop never ends, for nothing in it changes what its condition asks.

    ## Why is this bad?
    The server runs one script at a time, and serves nobody until it ends. `SCRIPT KILL` stops
    one that has not written; one that has written is stopped by `SHUTDOWN NOSAVE` alone, and
    all that was not saved is lost.

    ## Example
    ```lua
    local tries = 0
    while tries < 3 do
      redis.call('LPUSH', KEYS[1], ARGV[1])
    end
    return tries
    ```

    Use instead:
    ```lua
    local tries = 0
    while tries < 3 do
      redis.call('LPUSH', KEYS[1], ARGV[1])
      tries = tries + 1
    end
    return tries
    ```

    ## Limits
    A condition may read keys, where the loop writes nothing: nobody else does while a script
    runs. Silent where it calls other functions than the library's, where the body has
    a `break` or a `return`, and in scripts that call `error` or `assert`. A loop that waits
    for the clock is `time-frozen`, one that the data ends `unbounded-loop`.
    """

    code = "RL508"
    name = "endless-loop"
    severity = Severity.ERROR
    needs = frozenset((While, Repeat))

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each such loop."""
        loops: list[While | Repeat] = [*chunk.of(While), *chunk.of(Repeat)]
        for loop in loops:
            if not is_endless(chunk, loop):
                continue
            place = (loop.start, loop.body.start) if loop.body.start > loop.start else loop
            if chunk.bound(loop).by == "nothing":
                message = "nothing ends this loop"
            else:
                what = quoted(chunk, loop.condition)
                message = f"nothing in the loop changes {what}: once it goes on, it never ends"
            yield self.at(place, message, help="count the rounds, and end after so many")
