"""RL611."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.expiry import gives
from redislua.lint.reach import runs_before
from redislua.lint.rule import Rule
from redislua.lint.sizes import symbol_of
from redislua.lint.time_arguments import REPLIES, times
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Binary, Call, Expression, Name, Node, Parens, bare
from redislua.syntax.reaching import reaching
from redislua.syntax.sites import CommandCall

PASSING = ("tonumber", "math.floor", "math.ceil")
COMPARING = ("==", "~=", "<", "<=", ">", ">=")
DEEPEST = 8


class NegativeTtl(Rule):
    """A key gets the expiry of another, which may have none.

    ## Why is this bad?
    `TTL` and `PTTL` answer -1 for a key without an expiry and -2 for none at all. `EXPIRE` with
    a negative time deletes the key, and `SET` with one fails with `invalid expire time`.

    ## Example
    ```lua
    local left = redis.call('PTTL', KEYS[1])
    redis.call('SADD', KEYS[2], ARGV[1])
    redis.call('PEXPIRE', KEYS[2], left)
    return left
    ```

    Use instead:
    ```lua
    local left = redis.call('PTTL', KEYS[1])
    redis.call('SADD', KEYS[2], ARGV[1])
    if left > 0 then
      redis.call('PEXPIRE', KEYS[2], left)
    end
    return left
    ```

    ## Limits
    Silent where the script compares the answer with anything before, or takes the greatest of
    it and more, and where it gave the key that it asks an expiry itself.
    """

    code = "RL611"
    name = "negative-ttl"
    severity = Severity.WARNING
    needs = frozenset(REPLIES)

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield the first use of each such time."""
        seen: set[tuple[object, str]] = set()
        givers = _givers(chunk)
        for command in chunk.commands:
            for argument, _ in times(command):
                which = chunk.value(argument).symbol, chunk.text(argument)
                if which in seen:
                    continue
                seen.add(which)
                asking = _answer(chunk, argument, argument.start, 0)
                if asking is not None and not _was_given(chunk, asking, givers):
                    what = quoted(chunk, argument)
                    message = f"{what} is negative when the key of {asking.name} has no expiry"
                    yield self.at(argument, message, help="ask whether it is above 0")


def _answer(chunk: Chunk, expression: Expression, at: int, depth: int) -> CommandCall | None:
    """The command whose answer, unasked, a time is or is made from."""
    node = bare(expression)
    if depth > DEEPEST:
        return None
    match node:
        case Call():
            command = chunk.command_of(node)
            if command is not None:
                return command if command.name in REPLIES else None
            if node.path in PASSING and node.method is None and node.arguments:
                return _answer(chunk, node.arguments[0], at, depth + 1)
        case Binary(operator="*" | "/"):
            return _answer(chunk, node.left, at, depth + 1) or _answer(
                chunk, node.right, at, depth + 1
            )
        case Name() if node.variable is not None:
            if any(one.start < at and _is_compared(one) for one in node.variable.reads):
                return None
            found = reaching(node)
            if len(found) == 1 and found[0].value is not None and found[0].index == 0:
                return _answer(chunk, found[0].value, at, depth + 1)
    return None


def _is_compared(read: Node) -> bool:
    outer = read.parent
    while isinstance(outer, Parens | Call) or (
        isinstance(outer, Binary) and outer.operator not in COMPARING
    ):
        outer = outer.parent
    return isinstance(outer, Binary)


def _givers(chunk: Chunk) -> dict[object, list[CommandCall]]:
    """The commands that give an expiry, by the symbol of the key."""
    found: dict[object, list[CommandCall]] = {}
    for command in chunk.commands:
        if gives(command) and command.arguments:
            found.setdefault(symbol_of(chunk, command.arguments[0]), []).append(command)
    return found


def _was_given(chunk: Chunk, asking: CommandCall, givers: dict[object, list[CommandCall]]) -> bool:
    """Whether the script itself gave an expiry to the key that it asks, on the way there."""
    symbol = symbol_of(chunk, asking.arguments[0]) if asking.arguments else None
    return symbol is not None and any(
        runs_before(one.node, asking.node) for one in givers.get(symbol, ())
    )
