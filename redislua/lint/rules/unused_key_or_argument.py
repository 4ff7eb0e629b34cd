"""RL206."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.declared import Declared, declared, header_span, places, wholes
from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Index, Local


class UnusedKeyOrArgument(Rule):
    """The header declares a key or an argument that the script never uses.

    ## Why is this bad?
    Every caller passes it and believes that it does something.

    ## Example
    ```lua
    #!lua flags=no-writes
    --- Return a value.
    --
    -- @version 1.0.0
    -- @key     kept   kept:{<name>} string
    -- @arg     suffix str 0..10
    -- @returns int
    -- @retry   safe
    -- @budget  calls<=1 growth=1
    -- @example nothing is kept
    --   script name=a suffix=b -> 0

    local kept = KEYS[1]
    local suffix = ARGV[1]

    return redis.call('STRLEN', kept)
    ```

    Use instead:
    ```lua
    #!lua flags=no-writes
    --- Return a value.
    --
    -- @version 1.0.0
    -- @key     kept   kept:{<name>} string
    -- @returns int
    -- @retry   safe
    -- @budget  calls<=1 growth=1
    -- @example nothing is kept
    --   script name=a -> 0

    local kept = KEYS[1]

    return redis.call('STRLEN', kept)
    ```

    ## Limits
    Silent for KEYS or ARGV when the script uses that table as a whole, or computes an index.
    """

    code = "RL206"
    name = "unused-key-or-argument"
    severity = Severity.WARNING
    needs_contract = True

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield what is declared and not read."""
        used: dict[str, set[int]] = {"KEYS": set(), "ARGV": set()}
        whole = {chunk.text(node) for node in wholes(chunk)}
        for place in places(chunk):
            if place.number is None:
                whole.add(place.table)
            elif _is_read(place.node):
                used[place.table].add(place.number)
        for table, known in declared(chunk).items():
            if table not in whole:
                yield from self._unused(chunk, known, used[table])

    def _unused(self, chunk: Chunk, known: Declared, used: set[int]) -> Iterator[Finding]:
        for number, (name, position) in enumerate(
            zip(known.names, known.positions, strict=True), 1
        ):
            if number not in used:
                yield self.at(
                    header_span(chunk, position),
                    f"the script never uses `{name}`, which is {known.table}[{number}]",
                    help="take it out of the header, in a new major version if callers pass it",
                )


def _is_read(node: Index) -> bool:
    """Whether anything is done with an element beyond binding it to a local."""
    parent = node.parent
    if not isinstance(parent, Local) or node not in parent.values:
        return True
    index = parent.values.index(node)
    return index < len(parent.variables) and bool(parent.variables[index].reads)
