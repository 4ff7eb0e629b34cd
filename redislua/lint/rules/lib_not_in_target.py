"""RL012."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.libraries import REGISTER, is_library
from redislua.lint.reach import is_in_protected_call
from redislua.lint.rule import Rule
from redislua.lint.servers import targets_of
from redislua.syntax.chunk import Chunk
from redislua.syntax.environment import ELSEWHERE, GLOBALS, LIBRARIES, missing_from, since
from redislua.syntax.guards import is_asked
from redislua.syntax.nodes import Binary, Expression, Index, Name, String
from redislua.syntax.values import Kind


class LibNotInTarget(Rule):
    """A function or library is used that a server lacks.

    ## Why is this bad?
    What is missing stops the script when the line runs. `print`, `require`, `io`, `os.time`
    and `table.unpack` are on no server; `os.clock` came with Redis 7.4 and Valkey 8.0.

    ## Example
    ```lua
    return redis.call('ZADD', KEYS[1], os.time(), ARGV[1])
    ```

    Use instead:
    ```lua
    return redis.call('ZADD', KEYS[1], redis.call('TIME')[1], ARGV[1])
    ```

    ## Limits
    Says nothing of a member that the script asks for first (`table.unpack or unpack`), nor of
    what a function uses that `pcall` runs.
    """

    code = "RL012"
    name = "lib-not-in-target"
    severity = Severity.ERROR

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each use of what some target lacks."""
        targets = targets_of(chunk)
        missing = missing_from(targets)
        given = REGISTER if is_library(chunk) else ()
        for name in chunk.globals:
            if name.is_written:
                continue
            parent = name.parent
            member = parent if isinstance(parent, Index) and parent.base is name else None
            path, node = _absent(name, member, missing)
            if (
                node is None
                or path in given
                or is_in_protected_call(node)
                or _is_fallback(chunk, node)
            ):
                continue
            if isinstance(node, Index) and (is_asked(node) or chunk.is_tested(node)):
                continue
            yield self.at(node, _message(path, str(targets)), help=ELSEWHERE.get(path, ""))
        for call in chunk.calls:
            method = call.method
            if method is None or method in LIBRARIES["string"]:
                continue
            if chunk.value(call.callee).is_only(Kind.STRING):
                path = f"string.{method}"
                yield self.at(call, f"there is no `{path}`", help=ELSEWHERE.get(path, ""))


def _absent(
    name: Name, member: Index | None, missing: frozenset[str]
) -> tuple[str, Expression | None]:
    """What is absent, as a path, and the expression that reads it; None if all is there."""
    members = LIBRARIES.get(name.id)
    if member is not None and isinstance(member.key, String) and not member.is_written:
        path = f"{name.id}.{member.key.text.decode('utf-8', 'replace')}"
        if path in missing or (members is not None and path.partition(".")[2] not in members):
            return path, name if name.id in missing else member
        if name.id in missing or path in ELSEWHERE:
            return path, name
    if name.id in missing or name.id in ELSEWHERE:
        return name.id, name
    return "", None


def _is_fallback(chunk: Chunk, node: Expression) -> bool:
    """Whether ``or`` has something in its place: ``table.unpack or unpack``, either way round."""
    parent = node.parent
    if not isinstance(parent, Binary) or parent.operator != "or":
        return False
    top = (chunk.means(parent.left) or "").partition(".")[0]
    return isinstance(node, Index) if parent.left is node else top in GLOBALS


def _message(path: str, targets: str) -> str:
    versions = since(path)
    top, _, member = path.partition(".")
    if versions is None or (member and member not in LIBRARIES.get(top, ())):
        return f"there is no `{path}` in a script"
    known = " and ".join(f"{one.capitalize()} {v[0]}.{v[1]}" for one, v in versions.items())
    return f"`{path}` came with {known}; the script is to run on {targets}"
