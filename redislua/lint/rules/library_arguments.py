"""RL324."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.literals import number_of
from redislua.syntax.nodes import Call, Expression, Vararg
from redislua.syntax.sites import is_single
from redislua.syntax.values import Kind

TAKES: dict[str, tuple[int, int | None, str]] = {
    "log": (2, None, "a level and a text"),
    "error_reply": (1, 1, "one text"),
    "status_reply": (1, 1, "one text"),
    "sha1hex": (1, 1, "one text"),
    "setresp": (1, 1, "one number, 2 or 3"),
    "acl_check_cmd": (1, None, "a command and its arguments"),
}
"""The least and the most arguments that functions of ``redis`` take, and what they are."""
REPLIES = ("error_reply", "status_reply")
FUNCTIONS = {f"{base}.{name}": name for base in ("redis", "server") for name in TAKES}


class LibraryArguments(Rule):
    """A function of `redis` gets too few or too many arguments, or one of a wrong type.

    ## Why is this bad?
    `redis.log('text')` stops the script: the level comes first. `redis.error_reply('CODE',
    'text')` replies with `wrong number or type of arguments` instead of the error that was
    meant, and so does a number given to it.

    ## Example
    ```lua
    if redis.call('EXISTS', KEYS[1]) == 0 then
      return redis.error_reply('MISSING', ARGV[1])
    end
    return redis.call('INCR', KEYS[1])
    ```

    Use instead:
    ```lua
    if redis.call('EXISTS', KEYS[1]) == 0 then
      return redis.error_reply('MISSING ' .. ARGV[1])
    end
    return redis.call('INCR', KEYS[1])
    ```

    ## Limits
    Where the last argument may stand for any number (`unpack(t)`, `...`), only what is too much
    without it is reported; a type only where it is the same on every path.
    """

    code = "RL324"
    name = "library-arguments"
    severity = Severity.ERROR
    needs = frozenset(FUNCTIONS)

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each call that such a function refuses."""
        for call in chunk.calls_to(*FUNCTIONS):
            path = call.path or ""
            name = FUNCTIONS[path]
            least, most, what = TAKES[name]
            given = call.arguments
            is_open = bool(given) and _is_open(given[-1])
            known = len(given) - is_open
            if (most is not None and known > most) or (known < least and not is_open):
                message = f"`{path}` takes {what}: here {_are(known)} given"
                yield self.at(call, message, help=_help(name, given))
            elif known and not self._fits(chunk, name, given[0]):
                wanted = "a level, which is a number" if name == "log" else "a text"
                message = f"{quoted(chunk, given[0])} is not what `{path}` takes: {wanted}"
                yield self.at(given[0], message, help=_help(name, given))

    @staticmethod
    def _fits(chunk: Chunk, name: str, first: Expression) -> bool:
        value = chunk.value(first)
        if name in REPLIES:
            return not value.kind or value.can_be(Kind.STRING)
        if name == "log":
            constant = value.constant
            return not isinstance(constant, bytes) or number_of(constant.strip()) is not None
        return True


def _is_open(last: Expression) -> bool:
    return isinstance(last, Vararg) or (isinstance(last, Call) and not is_single(last))


def _are(given: int) -> str:
    return f"{given or 'none'} {'is' if given < 2 else 'are'}"


def _help(name: str, given: list[Expression]) -> str:
    if name == "log":
        return "write `redis.log(redis.LOG_NOTICE, …)`"
    return "join the texts with `..`" if len(given) > 1 else ""
