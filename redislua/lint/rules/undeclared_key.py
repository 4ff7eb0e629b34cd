"""RL201."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.keys import (
    DECLARED,
    allows_undeclared,
    compared_with_keys,
    head_of,
    identity,
    is_made_up,
    is_of_a_global,
    key_uses,
)
from redislua.lint.rule import Rule
from redislua.lint.wording import also, quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Expression, bare
from redislua.syntax.values import Origin, Value


class UndeclaredKey(Rule):
    """A command uses a key that was not passed in `KEYS`.

    ## Why is this bad?
    A cluster routes a script by its `KEYS`. Any other key may live on another node: the
    script then fails, half done. The ACL rules of a user, Dragonfly and kvrocks refuse such
    keys as well, and no signature shows them to the caller.

    ## Example
    ```lua
    return redis.call('GET', 'user:' .. ARGV[1])
    ```

    Use instead:
    ```lua
    return redis.call('GET', KEYS[1])
    ```

    ## Limits
    An error where the key is written in the script or made from an argument; a warning where
    it was read from the server, or comes from `KEYS` on some paths; information where its
    origin is not known. Commands whose name is not a literal are passed over, and so are keys
    that the script compares with those it was given. A key that several commands use is
    reported where it is used first. Silent in a script that says
    `--!df flags=allow-undeclared-keys`.
    """

    code = "RL201"
    name = "undeclared-key"
    severity = Severity.ERROR

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each such key where it is used first, or the argument that passes it."""
        found: dict[object, list[tuple[Expression, Value]]] = {}
        seen: set[int] = set()
        compared: frozenset[str] | None = None
        for command in chunk.commands:
            for key, value in key_uses(chunk, command):
                if is_made_up(value) and key.start not in seen:
                    if allows_undeclared(chunk):
                        return
                    if compared is None:
                        compared = compared_with_keys(chunk)
                    if is_of_a_global(key) or chunk.text(bare(key)) in compared:
                        continue
                    seen.add(key.start)
                    same = found.setdefault(identity(chunk, key), [])
                    same.append((key, value))
                    if len(same) == 1:
                        break  # one of a command's keys is enough
        for (key, value), *others in found.values():
            yield self._finding(chunk, key, value, also(chunk, key, [one for one, _ in others]))

    def _finding(self, chunk: Chunk, key: Expression, value: Value, elsewhere: str) -> Finding:
        severity = _severity(chunk, key, value)
        what = quoted(chunk, key)
        if value.origin & DECLARED:
            message = f"the key {what} is not in KEYS on every path"
        elif severity is Severity.INFO:
            message = f"it cannot be told whether the key {what} is in KEYS"
        elif severity is Severity.WARNING:
            message = f"the key {what} was read by the script: it is not in KEYS"
        else:
            message = f"the key {what} is not in KEYS"
        help_ = "let the caller pass it in KEYS"
        return self.at(key, message + elsewhere, help=help_, severity=severity)


def _severity(chunk: Chunk, key: Expression, value: Value) -> Severity:
    if value.origin & DECLARED:
        return Severity.WARNING
    head = head_of(key)
    begins = Origin.NONE if head is None else chunk.value(head).origin
    is_prefixed = bool(begins) and not begins & ~(Origin.LITERAL | Origin.ARGV)
    if Origin.UNKNOWN in value.origin:
        return Severity.WARNING if is_prefixed else Severity.INFO
    if (
        is_prefixed
        or not value.origin & (Origin.STORED | Origin.TIME)
        or Origin.ARGV in value.origin
    ):
        return Severity.ERROR
    return Severity.WARNING
