"""RL406."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.reach import is_in_protected_call
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk
from redislua.syntax.values import Origin


class UnguardedDecode(Rule):
    """Stored elements are decoded one after another, and a bad one is not caught.

    ## Why is this bad?
    One element that is no JSON stops the script, this time and every time: nothing behind it
    is ever reached, and nothing takes it away.

    ## Example
    ```lua
    local names = {}
    for i, job in ipairs(redis.call('LRANGE', KEYS[1], 0, 9)) do
      names[i] = tostring(cjson.decode(job).name)
    end
    return names
    ```

    Use instead:
    ```lua
    local names = {}
    for i, job in ipairs(redis.call('LRANGE', KEYS[1], 0, 9)) do
      local ok, read = pcall(cjson.decode, job)
      names[i] = ok and tostring(read.name) or ''
    end
    return names
    ```

    ## Limits
    Outside a loop nothing is said: what may be missing is `nil-arithmetic`, what was written
    before `write-before-failure`.
    """

    code = "RL406"
    name = "unguarded-decode"
    severity = Severity.INFO
    needs = frozenset({"cjson.decode", "cmsgpack.unpack"})

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each decoder of stored data in a loop."""
        for call in chunk.calls_to("cjson.decode", "cmsgpack.unpack"):
            if not call.arguments or chunk.value(call.arguments[0]).origin != Origin.STORED:
                continue
            if chunk.loops_around(call) and not is_in_protected_call(call):
                path = call.path or ""
                message = "one element that cannot be decoded stops the script every time"
                yield self.at(call, message, help=f"`pcall({path}, …)`, and pass it over")
