"""RL805."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.lint.servers import every_row
from redislua.lint.versions import options
from redislua.syntax.chunk import Chunk

NEWER = frozenset({"os.clock", "redis.acl_check_cmd"})
"""What a script may use that not all servers of the floor have, beside commands."""


class UnneededRequires(Rule):
    """`@requires` asks for a newer server than the script's commands need.

    ## Why is this bad?
    The binding refuses servers that would run the script as well.

    ## Example
    ```lua
    #!lua flags=no-writes
    --- Return the length of a value.
    --
    -- @version 1.0.0
    -- @key      kept kept:{<name>} string
    -- @returns  int
    -- @retry    safe
    -- @budget   calls<=1 growth=1
    -- @requires redis>=7.4
    -- @example nothing is kept
    --   script name=a -> 0

    local kept = KEYS[1]

    return redis.call('STRLEN', kept)
    ```

    Use instead:
    ```lua
    #!lua flags=no-writes
    --- Return the length of a value.
    --
    -- @version 1.0.0
    -- @key      kept kept:{<name>} string
    -- @returns  int
    -- @retry    safe
    -- @budget   calls<=1 growth=1
    -- @example nothing is kept
    --   script name=a -> 0

    local kept = KEYS[1]

    return redis.call('STRLEN', kept)
    ```

    ## Limits
    The other way round is `needs-newer-server`. Silent where a command's name is no literal,
    and for the lowest version that a command or an option of the script appeared in. A reason
    that is no command, such as a clock that stands still, cannot be seen: suppress it then.
    """

    code = "RL805"
    name = "unneeded-requires"
    severity = Severity.INFO
    needs_contract = True

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield bounds that nothing in the script has."""
        script = chunk.script
        if script is None or not script.requires:
            return
        if any(one.row is None or one.is_open for one in chunk.commands):
            return
        if any(True for _ in chunk.calls_to(*NEWER)):
            return
        at = chunk.source.find(b"\n-- @requires") + 1
        end = chunk.source.find(b"\n", at)
        for requirement in script.requires:
            needed = _needed(chunk, requirement.product)
            if requirement.version > needed:
                version = ".".join(map(str, requirement.version))
                yield self.at(
                    (at, end),
                    f"nothing in the script needs {requirement.product} {version}",
                    help="take it out of the header, or lower it",
                )


def _needed(chunk: Chunk, product: str) -> tuple[int, ...]:
    """The version of a product that brought the newest command or option of the script."""
    newest: tuple[int, ...] = FLOOR[product]
    for command in chunk.commands:
        words = {word for _, word in options(command)}
        dates = []
        for line, row in every_row(command.name or ""):
            if row is not None and line.startswith(product):
                dates.append(row.since)
                dates += [row.options[word].since for word in words if word in row.options]
        known = [_version(date) for date in dates]
        newest = max([newest, *known])
    return newest


FLOOR = {"redis": (7, 0), "valkey": (7, 2)}


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2] if part.isdigit())
