"""RL502."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.endless import is_endless
from redislua.lint.rounds import is_recursive, surroundings, unbounded
from redislua.lint.rule import Rule
from redislua.lint.sizes import is_growth_declared
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import LOOPS, For, ForIn, Function, Repeat, While


class UnboundedLoop(Rule):
    """A loop with commands runs as often as the data says.

    ## Why is this bad?
    Each round costs a microsecond or more, and no other client is served meanwhile: 10 000
    rounds are some 10 ms. `SCRIPT KILL` does not stop a script that has written.

    ## Example
    ```lua
    while true do
      local job = redis.call('RPOP', KEYS[1])
      if not job then break end
      redis.call('HINCRBY', KEYS[2], job, 1)
    end
    return redis.status_reply('OK')
    ```

    Use instead:
    ```lua
    for _ = 1, 100 do
      local job = redis.call('RPOP', KEYS[1])
      if not job then break end
      redis.call('HINCRBY', KEYS[2], job, 1)
    end
    return redis.status_reply('OK')
    ```

    ## Limits
    Loops over KEYS and ARGV, and up to a number that the caller gives, are the caller's to
    bound: only a header without a range makes them a finding. A counter that is compared
    with a bound is believed. Silent where the header declares over what the cost grows, for
    tables that the script fills itself, and for loops without a command. A loop in such a
    loop is `nested-unbounded`, one that nothing ends `endless-loop`.
    """

    code = "RL502"
    name = "unbounded-loop"
    severity = Severity.WARNING
    needs = frozenset((*LOOPS, Function))  # one that calls itself, too

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield loops, and functions that call themselves."""
        if not chunk.loops and not chunk.functions:
            return
        declared = is_growth_declared(chunk)
        for loop in chunk.loops:
            if declared and isinstance(loop, For | ForIn):
                continue
            if isinstance(loop, While | Repeat) and is_endless(chunk, loop):
                continue
            often = unbounded(chunk, loop)
            if often is not None and surroundings(chunk, loop) != "data":
                start = loop.start, loop.body.start
                yield self.at(
                    start if loop.body.start > loop.start else loop,
                    f"the loop runs {often}, and nothing bounds that",
                    help="do a fixed number of rounds in one call, and let the caller call again",
                )
        for function in chunk.functions:
            call = is_recursive(chunk, function)
            if call is not None and any(
                function.start <= one.start < function.end for one in chunk.commands
            ):
                yield self.at(
                    call,
                    f"{function.name or 'the function'} calls itself, and nothing bounds how deep",
                    help="keep what is still to do in a table, and stop after a fixed number",
                )
