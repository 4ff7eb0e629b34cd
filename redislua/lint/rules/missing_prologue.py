"""RL801."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.declared import declared, places, wholes
from redislua.lint.diagnostic import Edit, Finding, Fix, Severity
from redislua.lint.prologue import first_statement, fix, is_right, leading, text
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk


class MissingPrologue(Rule):
    """The script does not begin by binding KEYS and ARGV to locals with the header's names.

    ## Why is this bad?
    The header names each key and argument, and `ARGV[4]` below says nothing: an argument that
    is added in the middle shifts all behind it, and no tool sees that one was forgotten.

    ## Example
    ```lua
    #!lua
    --- Keep a value for a while.
    --
    -- @version 1.0.0
    -- @key     kept  kept:{<name>} string
    -- @arg     value bytes 0..100
    -- @arg     ttl   ms 1..60_000
    -- @returns int
    -- @retry   safe
    -- @budget  calls<=1 growth=1
    -- @example one value
    --   script name=a value=b ttl=5ms -> 1

    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
    return 1
    ```

    Use instead:
    ```lua
    #!lua
    --- Keep a value for a while.
    --
    -- @version 1.0.0
    -- @key     kept  kept:{<name>} string
    -- @arg     value bytes 0..100
    -- @arg     ttl   ms 1..60_000
    -- @returns int
    -- @retry   safe
    -- @budget  calls<=1 growth=1
    -- @example one value
    --   script name=a value=b ttl=5ms -> 1

    local kept = KEYS[1]
    local value, ttl_ms = ARGV[1], ARGV[2]

    redis.call('SET', kept, value, 'PX', ttl_ms)
    return 1
    ```

    ## Limits
    A variadic key and groups are indexed where they are used, from their first place on.

    ## Fix
    The prologue is written, and what indexed KEYS and ARGV below uses its locals. No fix is
    offered where another local or global has one of the names.
    """

    code = "RL801"
    name = "missing-prologue"
    severity = Severity.WARNING
    needs_contract = True
    fixable = True

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield the first statement, or what indexes KEYS and ARGV below the prologue."""
        first = first_statement(chunk)
        if first is None:
            return
        if not is_right(chunk):
            yield self.at(
                first,
                "the script is to begin by binding KEYS and ARGV in the header's order",
                help=f"write `{' '.join(text(chunk).split())}`",
                fix=fix(chunk),
            )
            return
        yield from self._below(chunk)

    def _below(self, chunk: Chunk) -> Iterator[Finding]:
        end = max((one.end for one in leading(chunk)), default=0)
        for place in places(chunk):
            known = declared(chunk)[place.table]
            if place.node.start < end or (place.number is None and known.is_open):
                continue
            number = place.number or 0
            if number > len(known.names):
                continue  # behind the fixed places, or `key-index-out-of-contract`
            name = known.names[number - 1] if number > 0 else "the prologue's locals"
            taken = any(one.name == name and one.start > end for one in chunk.variables)
            edit = Edit(place.node.start, place.node.end, name.encode())
            is_safe = number > 0 and not taken and not place.node.is_written
            is_safe = is_safe and not _changes(chunk, name)
            yield self.at(
                place.node,
                f"{chunk.text(place.node)} is indexed again below the prologue",
                help=f"use {name}",
                fix=Fix(f"Use {name}", (edit,)) if is_safe else None,
            )
        for node in wholes(chunk):
            table = chunk.text(node)
            if table in declared(chunk) and not declared(chunk)[table].is_open:
                yield self.at(
                    node,
                    f"{table} is used again below the prologue",
                    help="use the prologue's locals",
                )


def _changes(chunk: Chunk, name: str) -> bool:
    """Whether a local of the prologue is given another value later."""
    return any(one.name == name and len(one.definitions) > 1 for one in chunk.variables)
