"""RL010."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Edit, Finding, Fix, Severity
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk
from redislua.syntax.environment import GLOBALS, LIBRARIES
from redislua.syntax.nodes import Assign, FunctionStatement, Index, Name

READ_ONLY = LIBRARIES.keys() | {"_G"}


class GlobalWrite(Rule):
    """A global is assigned.

    ## Why is this bad?
    All globals of a script are read-only, libraries included. The assignment stops the script
    with `Attempt to modify a readonly table`, after whatever it wrote before.

    ## Example
    ```lua
    count = redis.call('INCR', KEYS[1])
    return count
    ```

    Use instead:
    ```lua
    local count = redis.call('INCR', KEYS[1])
    return count
    ```

    ## Fix
    `local` is put before the first assignment, if it then holds for all others.

    ## Limits
    Assignments through `rawset`, or to a field of a global that no server has, are not seen.
    """

    code = "RL010"
    name = "global-write"
    severity = Severity.ERROR
    fixable = True

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each assignment to a global, or to a member of one."""
        seen: set[str] = set()
        for name in chunk.globals:
            parent = name.parent or name
            if name.is_written:
                fix = self._fix(chunk, name) if name.id not in seen else None
                seen.add(name.id)
                help_ = "declare it with `local`"
                yield self.at(
                    name, f"`{name.id}` is a global: scripts cannot set one", help=help_, fix=fix
                )
            elif name.id in READ_ONLY and _is_base_of_target(name):
                message = f"`{chunk.text(parent)}` cannot be set: `{name.id}` is read-only"
                yield self.at(parent, message, help="use a local")

    def _fix(self, chunk: Chunk, name: Name) -> Fix | None:
        statement = name.parent
        whole = isinstance(statement, Assign) and len(statement.targets) == 1
        is_function = isinstance(statement, FunctionStatement) and statement.target is name
        if statement is None or name.id in GLOBALS or not (whole or is_function):
            return None
        block = statement.parent
        first = statement.end if whole else statement.start
        others = (one for one in chunk.globals if one.id == name.id and one is not name)
        if block is None or not all(first <= one.start < block.end for one in others):
            return None
        return Fix(
            f"Declare `{name.id}` local", (Edit(statement.start, statement.start, b"local "),)
        )


def _is_base_of_target(name: Name) -> bool:
    """Whether a field of it is assigned, also by ``function lib.name()`` and ``lib:name()``."""
    index = name.parent
    return (
        isinstance(index, Index)
        and index.base is name
        and (
            index.is_written
            or (isinstance(index.parent, FunctionStatement) and index.parent.target is index)
        )
    )
