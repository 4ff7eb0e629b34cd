"""RL310."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.json_values import fields_of_decoded
from redislua.lint.returned import returned
from redislua.lint.rule import Rule
from redislua.lint.wording import quoted
from redislua.syntax.chunk import Chunk
from redislua.syntax.nodes import Expression, Index, Local, Name, String, Table, bare
from redislua.syntax.values import Kind

MEANT = frozenset(
    {b"err", b"ok", b"map", b"set", b"double", b"big_number", b"verbatim_string", b"format"}
)
"""Fields that the server looks for."""
STATUS = frozenset({b"err", b"ok"})
OF_ERRORS = frozenset({b"source", b"line", b"ignore_error_stats_update"})
"""What the server itself puts into an error."""


class HashTableReply(Rule):
    """A table with named fields is the reply: the caller does not get them.

    ## Why is this bad?
    The server sends what stands at 1, 2, 3 and so on. `return {a = 1}` arrives as an empty
    array, and so does `counts[ARGV[1]] = 1`, whose key is text even where it holds digits. Of
    `{ok = 'OK', 5}` only the status is sent.

    ## Example
    ```lua
    return {count = redis.call('LLEN', KEYS[1])}
    ```

    Use instead:
    ```lua
    return {'count', redis.call('LLEN', KEYS[1])}
    ```

    ## Limits
    Knows tables that are written in `return`, in a local that it names, or in a function that
    it calls, and decoded objects of which the script itself uses a field; not tables that
    other functions fill. `ok` and `err` with a text, and the fields that
    replies of RESP3 have (`map`, `set`, `double`, …), are meant for the server. A table that
    holds a list, too, may have its other keys for the script alone.
    """

    code = "RL310"
    name = "hash-table-reply"
    severity = Severity.ERROR

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield each table with fields that are lost."""
        seen: set[int] = set()
        for shown, part in returned(chunk):
            if shown.start in seen:
                continue
            behind = _behind_status(chunk, part)
            if behind is not None:
                seen.add(shown.start)
                message = f"the caller does not get {quoted(chunk, behind)}: it is behind a status"
                yield self.at(shown, message, help="return a list, or the status alone")
                continue
            names = _lost(chunk, part)
            if names:
                seen.add(shown.start)
                fields = f"the field `{names[0]}`" if len(names) == 1 else "the fields "
                fields += ", ".join(f"`{name}`" for name in names[:3]) if len(names) > 1 else ""
                yield self.at(
                    shown,
                    f"the caller does not get {fields}: a reply has no names",
                    help="return a flat list, or `cjson.encode` of the table",
                )
            elif (key := _text_key(chunk, part)) is not None:
                seen.add(shown.start)
                message = (
                    f"the caller does not get what is stored under {quoted(chunk, key)}, "
                    "which is text: a reply has no names"
                )
                yield self.at(shown, message, help="return a flat list of names and values")


def _behind_status(chunk: Chunk, part: Expression) -> Expression | None:
    """An element of a table that is sent as a status or an error."""
    if not isinstance(part, Table):
        return None
    fields = [
        item.value
        for item in part.items
        if isinstance(bare(item.key), String) and bare(item.key).text in STATUS
    ]
    if not any(chunk.value(one).is_only(Kind.STRING) for one in fields):
        return None
    return next((item.value for item in part.items if item.key is None), None)


def _text_key(chunk: Chunk, part: Expression) -> Expression | None:
    """A key that is text, whatever it holds, of a table that holds nothing by number."""
    if not isinstance(part, Table) or any(item.key is None for item in part.items):
        return None
    keys = [item.key for item in part.items if item.key is not None]
    keys += [target.key for target in _stores(part)]
    if any(not chunk.value(key).is_only(Kind.STRING) for key in keys):
        return None
    return next((bare(key) for key in keys if not isinstance(bare(key), String)), None)


def _lost(chunk: Chunk, part: Expression) -> list[str]:
    """The names of fields that are not sent."""
    if isinstance(part, Name):
        return fields_of_decoded(chunk, part)
    if not isinstance(part, Table):
        return []
    keys = [item.key for item in part.items if item.key is not None]
    keys += [target.key for target in _stores(part)]
    names = [key.text for key in map(bare, keys) if isinstance(key, String)]
    if _is_meant(chunk, part, names):
        # Beside a status or an error nothing is sent; RESP3 has no such fields.
        beside = set(names) <= MEANT or not STATUS & set(names)
        names = [] if beside else [name for name in names if name not in MEANT | OF_ERRORS]
    return [name.decode("utf-8", "replace") for name in dict.fromkeys(names)]


def _is_meant(chunk: Chunk, table: Table, names: list[bytes]) -> bool:
    """Whether the server looks for one of the fields, and takes what is there."""
    if not MEANT & set(names):
        return False
    if set(names) & (MEANT - STATUS):
        return True
    # A status or an error is text: the server passes over any other value.
    return any(
        isinstance(bare(item.key), String)
        and bare(item.key).text in STATUS
        and chunk.value(item.value).can_be(Kind.STRING)
        for item in table.items
    ) or not any(isinstance(bare(item.key), String) for item in table.items)


def _stores(table: Table) -> list[Index]:
    parent = table.parent
    if isinstance(parent, Local) and table in parent.values:
        index = parent.values.index(table)
        if index < len(parent.variables):
            return [target for target, _ in parent.variables[index].stores]
    return []
