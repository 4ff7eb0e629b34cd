"""RL203."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.key_use import Use, is_given_away, use_of
from redislua.lint.keys import is_element_of
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Index


class NonKeyInKeys(Rule):
    """An element of `KEYS` is never used as a key.

    ## Why is this bad?
    A cluster hashes every element of `KEYS`: a number or an id among them lands on another
    slot, and the call is refused with `CROSSSLOT`. ACL rules are asked about it as well.

    ## Example
    ```lua
    local most = tonumber(KEYS[2])
    if redis.call('LLEN', KEYS[1]) >= most then
      return 0
    end
    return redis.call('RPUSH', KEYS[1], ARGV[1])
    ```

    Use instead:
    ```lua
    local most = tonumber(ARGV[1])
    if redis.call('LLEN', KEYS[1]) >= most then
      return 0
    end
    return redis.call('RPUSH', KEYS[1], ARGV[2])
    ```

    ## Limits
    Elements that are named by a number, and whose every use is seen: not those that are put
    into tables or texts, given to unknown functions, or to commands whose name is not a
    literal. Channels may stand in `KEYS`.
    """

    code = "RL203"
    name = "non-key-in-keys"
    severity = Severity.WARNING

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield the first use of each such element."""
        found: dict[float, list[Index]] = {}
        for index in chunk.of(Index):
            if is_element_of("KEYS", index):
                number = chunk.value(index.key).constant
                if not isinstance(number, float) or index.is_written:
                    return
                found.setdefault(number, []).append(index)
        if not found or is_given_away(chunk, "KEYS"):
            return
        for uses in found.values():
            kinds = {use_of(chunk, index) for index in uses}
            if Use.OTHER in kinds and Use.KEY not in kinds:
                text = quoted(chunk, uses[0])
                message = f"{text} is never used as a key"
                yield self.at(uses[0], message, help="let the caller pass it in ARGV")
