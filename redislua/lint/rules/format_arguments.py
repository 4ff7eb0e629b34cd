"""RL318."""

from __future__ import annotations

import re
from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.reach import is_in_protected_call
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Call, Expression, String, Vararg, bare
from redislua.syntax.values import Kind

_OPTION = re.compile(rb"%([-+ #0]*\d*(?:\.\d*)?)(.?)", re.DOTALL)
TEXTS = b"sq"
NUMBERS = b"cdiouxXeEfgG"


class FormatArguments(Rule):
    """The arguments of `string.format` do not fit its text.

    ## Why is this bad?
    An argument too few, one that is nil, a table or a boolean, or an option that Lua 5.1 does
    not know stops the script. An argument too many is not in the text.

    ## Example
    ```lua
    return redis.call('RPUSH', KEYS[1], string.format('%s:%d', ARGV[1]))
    ```

    Use instead:
    ```lua
    return redis.call('RPUSH', KEYS[1], string.format('%s:%d', ARGV[1], ARGV[2]))
    ```

    ## Limits
    Reads texts that are written in the call. What can be nil on some path is
    `nil-arithmetic`'s; whether an argument reads as a number is not asked.
    """

    code = "RL318"
    name = "format-arguments"
    severity = Severity.ERROR
    needs = frozenset({"string.format", ":format"})

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each call whose text and arguments differ."""
        for call in chunk.calls:
            text, given = _parts(call)
            if text is not None and not is_in_protected_call(call):
                yield from self._compare(chunk, call, text, given)

    def _compare(
        self, chunk: Chunk, call: Call, text: String, given: list[Expression]
    ) -> Iterator[Finding]:
        options = [found for found in _OPTION.finditer(text.text) if found[2] != b"%" or found[1]]
        for found in options:
            if not found[2] or found[2] not in TEXTS + NUMBERS:
                shown = found[0].decode("utf-8", "replace")
                message = f"`{shown}` is no option of `string.format`: it stops the script"
                yield self.at(text, message, help="write `%%` for a percent sign")
                return
        is_open = bool(given) and isinstance(given[-1], Call | Vararg)
        if len(given) < len(options) and not is_open:
            missing = options[len(given)][0].decode()
            message = f"there is no argument for `{missing}`: `string.format` stops the script"
            yield self.at(call, message, help=f"the text takes {len(options)} arguments")
        for extra in given[len(options) :][:1]:
            message = f"{quoted(chunk, extra)} is in no `%` of the text"
            yield self.at(extra, message, severity=Severity.WARNING)
        for option, argument in zip(options, given, strict=False):
            value = chunk.value(argument)
            if value.is_only(~(Kind.STRING | Kind.NUMBER)) and not value.can_fail:
                taken = "text" if option[2] in TEXTS else "a number"
                what = f"`{option[0].decode()}` takes {taken}, and {quoted(chunk, argument)}"
                yield self.at(argument, f"{what} is none: it stops the script")


def _parts(call: Call) -> tuple[String | None, list[Expression]]:
    """The text of a call of ``string.format`` and its arguments; no text for any other call."""
    if call.method == "format":
        text, given = bare(call.callee), call.arguments
    elif call.method is None and call.path == "string.format" and call.arguments:
        text, given = bare(call.arguments[0]), call.arguments[1:]
    else:
        return None, []
    return (text, given) if isinstance(text, String) else (None, [])
