"""RL011."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.reach import is_in_protected_call, runs_before
from redislua.lint.rule import Rule
from redislua.lint.wording import also
from redislua.syntax.chunk import Chunk
from redislua.syntax.environment import ELSEWHERE, GLOBALS, LIBRARIES
from redislua.syntax.nodes import Function, Name

_INCLUDE = re.compile(rb"--+\s*[@$#]include\b")
KNOWN = GLOBALS | LIBRARIES.keys() | ELSEWHERE.keys()


class UndefinedGlobal(Rule):
    """A name is read that nothing declares.

    ## Why is this bad?
    Reading it stops the script with `Script attempted to access nonexistent global variable`,
    when that line runs: often only on a path that no test takes.

    ## Example
    ```lua
    return redis.call('INCRBY', KEYS[1], ARG[1])
    ```

    Use instead:
    ```lua
    return redis.call('INCRBY', KEYS[1], ARGV[1])
    ```

    ## Limits
    Says nothing of a name that was assigned before, which is `global-write`, of what
    a function reads that `pcall` runs, nor of a file whose comments include others.
    """

    code = "RL011"
    name = "undefined-global"
    severity = Severity.ERROR

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield the first use of each name that means nothing."""
        unknown = [name for name in chunk.globals if name.id not in KNOWN and not name.is_written]
        if not unknown or _is_a_part(chunk):
            return
        written = [name for name in chunk.globals if name.is_written]
        found: dict[str, list[Name]] = {}
        for name in unknown:
            if name.id == "arg" and _has_arg(name):
                continue
            if any(one.id == name.id and runs_before(one, name) for one in written):
                continue
            if not is_in_protected_call(name):
                found.setdefault(name.id, []).append(name)
        for first, *others in found.values():
            message = f"`{first.id}` is not declared anywhere{also(chunk, first, others)}"
            yield self.at(first, message, help=_meant(chunk, first))


def _is_a_part(chunk: Chunk) -> bool:
    """Whether comments bring in other files, which may declare anything."""
    return any(_INCLUDE.match(one.text) for one in chunk.comments)


def _has_arg(name: Name) -> bool:
    """Whether a function around it has the implicit table of its ``...``."""
    return any(isinstance(one, Function) and one.is_vararg and one.parent for one in name.parents())


def _meant(chunk: Chunk, name: Name) -> str:
    visible = {one.name for one in chunk.variables if one.start < name.start}
    near = difflib.get_close_matches(name.id, [*sorted(visible), *sorted(GLOBALS)], n=1, cutoff=0.7)
    return f"did you mean `{near[0]}`?" if near else "declare it with `local`, or pass it in ARGV"
