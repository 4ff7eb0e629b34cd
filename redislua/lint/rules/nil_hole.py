"""RL309."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.absent import absent_reply
from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.replies import has_resp3
from redislua.lint.returned import returned
from redislua.lint.rule import Rule
from redislua.lint.unset import gap_in, may_be_unset
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Binary, Constant, Expression, Name, Table, bare
from redislua.syntax.values import Kind

CONSTANTS = {
    "nil": "ends the reply: what follows is not sent",
    "false": "arrives as nil, and others follow it",
}


class NilHole(Rule):
    """An element of the reply, before its end, may be nil.

    ## Why is this bad?
    A `nil` ends the array: `{1, nil, 3}` arrives as one element. A `false` arrives as nil in
    the middle, and a client that reads up to the first one loses the rest.

    ## Example
    ```lua
    return {1, nil, redis.call('LLEN', KEYS[1])}
    ```

    Use instead:
    ```lua
    return {1, '', redis.call('LLEN', KEYS[1])}
    ```

    ## Limits
    Knows tables that are written out, and those that constant numbers fill. Silent for the last element and for values that the
    script tests. A reply that is false when nothing is found is information only.
    """

    code = "RL309"
    name = "nil-hole"
    severity = Severity.WARNING
    needs = frozenset({Table})

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each element that may cut a reply short."""
        seen: set[int] = set()
        for _, part in returned(chunk):
            if not isinstance(part, Table) or part.start in seen:
                continue
            seen.add(part.start)
            gap = gap_in(chunk, part)
            if gap is not None:
                behind, number = gap
                message = f"{quoted(chunk, behind)} is not sent: nothing is at {number}"
                yield self.at(behind, message, help="fill a reply without gaps")
            elements = [item.value for item in part.items if item.key is None]
            for element in elements[:-1]:
                hole = _hole(chunk, element)
                if hole is not None and not has_resp3(chunk):
                    what, severity = hole
                    message = f"{quoted(chunk, element)} {what}"
                    help_ = "give it a default: `or ''`"
                    yield self.at(element, message, help=help_, severity=severity)


def _hole(chunk: Chunk, element: Expression) -> tuple[str, Severity] | None:
    """What an element does to the reply, and how bad that is."""
    node = bare(element)
    value = chunk.value(node)
    if isinstance(node, Constant):
        what = CONSTANTS.get(node.word)
        return (what, Severity.WARNING) if what is not None else None
    if isinstance(node, Name) and value.is_only(Kind.BOOLEAN) and value.can_be(Kind.FALSE):
        return ("arrives as nil when it is false, and others follow it", Severity.WARNING)
    if isinstance(node, Name) and may_be_unset(chunk, node):
        return ("is nil on some paths: what follows is not sent", Severity.WARNING)
    if not value.can_be(Kind.FALSY) or _is_used_before(node):
        return None
    if absent_reply(chunk, element) is None:
        return None
    if value.can_be(Kind.NIL):
        return ("is nil when nothing is found: what follows is not sent", Severity.WARNING)
    return ("arrives as nil when nothing is found, and others follow it", Severity.INFO)


def _is_used_before(node: Expression) -> bool:
    """Whether a calculation would have stopped the script before."""
    variable = node.variable if isinstance(node, Name) else None
    reads = variable.reads if variable is not None else []
    return any(one.start < node.start and isinstance(one.parent, Binary) for one in reads)
