"""RL003."""

from __future__ import annotations

import re
from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.rule import Rule
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Call, String
from redislua.syntax.placeholders import placeholders

_IN_STRINGS = re.compile(
    rb"%(?:[0-9]+\$)?[sd](?![A-Za-z0-9_*+?-])|%\([A-Za-z_]\w*\)[sd]|\$\{|<%|\{\{"
)

FORMATTING = ("format", "gsub", "match", "gmatch", "find")


class TemplatePlaceholder(Rule):
    """Another program fills values into the text of the script.

    ## Why is this bad?
    Every value makes another script: another sha1, another place in the server's script
    cache, another compilation. And whatever a value contains is run as Lua: `'); …` in it is
    an injection.

    ## Example
    ```lua
    return redis.call('INCRBY', KEYS[1], '%s')
    ```

    Use instead:
    ```lua
    return redis.call('INCRBY', KEYS[1], ARGV[1])
    ```

    ## Limits
    In code that Lua refuses the forms of printf, `str.format`, shells, Jinja, ERB and
    StackExchange.Redis are known. In strings only those that nothing in the script itself
    could fill in. Comments that include other files are not reported.
    """

    code = "RL003"
    name = "template-placeholder"
    severity = Severity.WARNING
    needs_syntax = False

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each placeholder."""
        compiles = not chunk.problems
        if compiles and not (
            _IN_STRINGS.search(chunk.source)
            and any(_may_be_one(chunk, one) for one in chunk.strings)
        ):
            return  # nothing but its strings can hold any
        for found in placeholders(chunk.source, compiles=compiles):
            if found.where != "include":
                yield self.at(
                    (found.start, found.end), found.message, help="pass the value in KEYS or ARGV"
                )


def _may_be_one(chunk: Chunk, string: String) -> bool:
    """Whether a string is worth a closer look: most that hold a ``%`` are formats."""
    if not _IN_STRINGS.search(string.text):
        return False
    call = string.parent
    if not isinstance(call, Call):
        return True
    return (call.method or (chunk.means(call.callee) or "").rpartition(".")[2]) not in FORMATTING
