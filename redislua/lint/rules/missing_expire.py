"""RL601."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.expiry import (
    created_key,
    creating,
    drops,
    expiring,
    follows,
    is_guarded,
    stored_parts,
)
from redislua.lint.reach import runs_before
from redislua.lint.rule import Rule
from redislua.lint.sizes import symbol_of
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.sites import CommandCall

ENDLESS = "XADD"


class MissingExpire(Rule):
    """A key that is to expire is written without an expiry, or a stream without a bound.

    ## Why is this bad?
    The header says `expires`, and whoever plans memory believes it. A key that lost its
    expiry once stays for ever, and a limiter or a lock with it refuses for ever.

    ## Example
    ```lua
    #!lua
    --- Count a visit of today.
    --
    -- @version 1.0.0
    -- @key     visits visits:{<page>} string expires
    -- @returns int
    -- @retry   never
    -- @budget  calls<=1 growth=1
    -- @example two visits
    --   script page=home -> 1

    local visits = KEYS[1]

    return redis.call('INCR', visits)
    ```

    Use instead:
    ```lua
    #!lua
    --- Count a visit of today.
    --
    -- @version 1.0.0
    -- @key     visits visits:{<page>} string expires
    -- @returns int
    -- @retry   never
    -- @budget  calls<=2 growth=1
    -- @example two visits
    --   script page=home -> 1

    local visits = KEYS[1]

    local count = redis.call('INCR', visits)
    if count == 1 then
      redis.call('EXPIRE', visits, 86400)
    end
    return count
    ```

    ## Limits
    Keys are followed where the header declares them; without a header, or without `expires`,
    only an XADD is an info that has no MAXLEN, no MINID and no XTRIM beside it. Silent where
    the expiry depends on what the server replied, where the script wrote or found the key
    with its expiry before, and where a function gets the key from several places. Files with
    hundreds of writes are followed for the first hundred.
    """

    code = "RL601"
    name = "missing-expire"
    severity = Severity.ERROR

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield writes that nothing gives an expiry."""
        expires = _expiring_keys(chunk)
        for command in creating(chunk):
            key = created_key(command)
            if key is None:
                continue
            symbol = symbol_of(chunk, key)
            if symbol is not None and symbol in expires:
                yield from self._declared(chunk, command, symbol, expires[symbol])
            elif command.name == ENDLESS and _is_endless(chunk, command, symbol):
                yield self.at(
                    command.node,
                    f"nothing bounds the stream {quoted(chunk, key)}",
                    help="add MAXLEN ~ 1000, or trim it with XTRIM",
                    severity=Severity.INFO,
                )

    def _declared(
        self, chunk: Chunk, command: CommandCall, symbol: object, name: str
    ) -> Iterator[Finding]:
        gives = expiring(chunk, symbol)
        if not drops(command):
            if is_guarded(chunk, command, symbol):
                return  # it keeps the expiry that the key has
            if any(gives(one) and runs_before(one.node, command.node) for one in chunk.commands):
                return
        after = follows(chunk, command.node, gives)
        if after.is_certain or after.is_elsewhere:
            return
        if any(list(stored_parts(chunk, one)) for one, _ in after.conditions):
            return  # it may follow from the reply that the key has one
        when = ""
        if after.conditions:
            when = f" unless `{' '.join(chunk.text(after.conditions[0][0]).split())}` decides so"
        yield self.at(
            command.node,
            f"the header says that {name} expires, but {command.name} leaves it without "
            f"an expiry{when}",
            help="give the expiry in the same command, or call PEXPIRE on every path behind it",
        )


def _expiring_keys(chunk: Chunk) -> dict[object, str]:
    if chunk.script is None:
        return {}
    return {
        ("KEYS", float(position)): key.name
        for position, key in enumerate(chunk.script.keys, 1)
        if key.expires and not key.variadic
    }


def _is_endless(chunk: Chunk, command: CommandCall, symbol: object) -> bool:
    option = command.words()[1] if len(command.arguments) > 1 else None
    if option is None or option.upper() in (b"MAXLEN", b"MINID", b"NOMKSTREAM"):
        return False  # a bound, or a place where one may be
    expires = expiring(chunk, symbol)
    return symbol is None or not any(
        expires(one) or (one.name == "XTRIM" and symbol_of(chunk, one.arguments[0]) == symbol)
        for one in chunk.commands
        if one.arguments
    )
