"""RL807."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import RegistryRule
from redislua.lint.sizes import grows
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Node

_SCRIPT = re.compile(r"[^.]+\.v[1-9]\d*\.lua")


class MissingWorstCase(RegistryRule):
    """A script whose cost depends on what is stored has no worst case beside it.

    ## Why is this bad?
    `redislua budget` measures a script on the data of its examples. Without a
    `<name>.v<major>.worst.lua` that fills the server, nobody has seen it at full size.

    ## Example
    ```lua
    -- file: board/forget.v1.lua
    #!lua flags=allow-oom
    --- Forget what is older than a moment.
    --
    -- @version 1.0.0
    -- @key     board  board:{<name>} zset
    -- @arg     before int 0..1_000_000
    -- @returns int
    -- @retry   safe
    -- @budget  calls<=1 growth=linear n=before
    -- @example nothing is there
    --   forget name=a before=5 -> 0

    local board = KEYS[1]
    local before = ARGV[1]

    return redis.call('ZREMRANGEBYSCORE', board, '-inf', before)
    ```

    Use instead:
    ```lua
    -- file: board/forget.v1.lua
    #!lua flags=allow-oom
    --- Forget one member.
    --
    -- @version 1.0.0
    -- @key     board  board:{<name>} zset
    -- @arg     member str 1..64
    -- @returns int
    -- @retry   safe
    -- @budget  calls<=1 growth=1
    -- @example nothing is there
    --   forget name=a member=b -> 0

    local board = KEYS[1]
    local member = ARGV[1]

    return redis.call('ZREM', board, member)
    ```

    ## Limits
    Looks at files called `name.v1.lua`. Loops of a constant number of rounds need no worst
    case, and reads of a fixed number of elements neither. What a sidecar does is for the
    budget to judge.
    """

    code = "RL807"
    name = "missing-worst-case"
    severity = Severity.WARNING

    def check_all(self, chunks: Sequence[Chunk]) -> Iterator[tuple[Chunk, Finding]]:
        """Yield scripts without a sidecar."""
        for chunk in chunks:
            if not _SCRIPT.fullmatch(Path(chunk.path).name):
                continue
            found = _growing(chunk)
            if found is None or _sidecar(chunk.path).is_file():
                continue
            node, what = found
            yield (
                chunk,
                self.at(
                    node,
                    f"{what}, and there is no {_sidecar(chunk.path).name}",
                    help="write one that puts the server into the state that costs most",
                ),
            )


def _sidecar(path: str) -> Path:
    return Path(f"{path.removesuffix('.lua')}.worst.lua")


def _growing(chunk: Chunk) -> tuple[Node | tuple[int, int], str] | None:
    """The first place whose cost depends on what is stored or passed."""
    for command in chunk.commands:
        if grows(chunk, command):
            return command.node, f"what {command.name} costs depends on what the key holds"
    for loop in chunk.loops:
        if chunk.bound(loop).by != "constant":
            end = loop.body.start if loop.body.start > loop.start else loop.end
            return (loop.start, end), "how often this loop runs is not constant"
    return None
