"""RL802."""

from __future__ import annotations

from collections.abc import Iterator

from redislua.lint.declared import header_span
from redislua.lint.diagnostic import Finding, Severity
from redislua.lint.fields import misfit
from redislua.lint.rule import Rule
from redislua.lint.shapes import Shape, names_of, shapes
from redislua.spec.model import Variant
from redislua.syntax.chunk import Chunk


class UndeclaredReply(Rule):
    """A `return` does not give what the header declares, or nothing gives what it does.

    ## Why is this bad?
    The decoder knows the declared replies and refuses any other: the caller gets an
    `UnexpectedReplyError` after the script has done its work.

    ## Example
    ```lua
    #!lua flags=no-writes
    --- Return a value.
    --
    -- @version 1.0.0
    -- @key     kept  kept:{<name>} string
    -- @returns Found value:bytes left:ms
    -- @returns Missing
    -- @retry   safe
    -- @budget  calls<=1 growth=1
    -- @example nothing is kept
    --   script name=a -> Missing

    local kept = KEYS[1]

    local value = redis.call('GET', kept)
    if not value then
      return {'Absent'}
    end
    return {'Found', value}
    ```

    Use instead:
    ```lua
    #!lua flags=no-writes
    --- Return a value.
    --
    -- @version 1.0.0
    -- @key     kept  kept:{<name>} string
    -- @returns Found value:bytes
    -- @returns Missing
    -- @retry   safe
    -- @budget  calls<=1 growth=1
    -- @example nothing is kept
    --   script name=a -> Missing

    local kept = KEYS[1]

    local value = redis.call('GET', kept)
    if not value then
      return {'Missing'}
    end
    return {'Found', value}
    ```

    ## Limits
    Tables are followed through locals and functions where they are written out; what is put
    into them later counts as a group. A type is compared where the text tells it for certain;
    fractions are `reply-truncation`, and nil is `nil-hole`. Where one reply cannot be read,
    no variant is said to be missing.
    """

    code = "RL802"
    name = "undeclared-reply"
    severity = Severity.ERROR
    needs_contract = True

    def check(self, chunk: Chunk) -> Iterator[Finding]:
        """Yield replies that do not fit, and variants that are never given."""
        script = chunk.script
        if script is None:
            return
        given: set[str] = set()
        is_complete = True
        for shape in shapes(chunk):
            if shape is None:
                is_complete = False
            elif script.bare is not None:
                problem = _bare(chunk, shape)
                if problem:
                    yield self.at(
                        shape.node, problem, help=f"the header says @returns {script.bare}"
                    )
            else:
                names = names_of(chunk, shape)
                is_complete = is_complete and names is not None
                given.update(names or ())
                yield from self._variant(chunk, shape, names)
        for variant in script.variants:
            if is_complete and variant.name not in given:
                yield self.at(
                    header_span(chunk, variant.position),
                    f"no return gives {variant.name}",
                    help="take it out of the header, or return it",
                    severity=Severity.WARNING,
                )

    def _variant(
        self, chunk: Chunk, shape: Shape, names: tuple[str, ...] | None
    ) -> Iterator[Finding]:
        if names is None or chunk.script is None:
            return
        variants = [chunk.script.variant(name) for name in names]
        known = ", ".join(variant.name for variant in chunk.script.variants)
        if not names:
            message = "the reply is no table that begins with the name of a variant"
            yield self.at(shape.node, message, help=f"return one of {known}")
        for name, variant in zip(names, variants, strict=True):
            if variant is None:
                message = f"the header declares no reply {name!r}"
                yield self.at(shape.node, message, help=f"return one of {known}, or declare it")
            else:
                yield from self._fields(chunk, shape, variant)

    def _fields(self, chunk: Chunk, shape: Shape, variant: Variant) -> Iterator[Finding]:
        items = (shape.items or ())[1:]
        wanted = len(variant.fields)
        has_too_few = len(items) < wanted and not shape.grows
        if has_too_few or (variant.group is None and len(items) > wanted):
            fields = ", ".join(str(field.name) for field in variant.fields) or "none"
            yield self.at(
                shape.node,
                f"{variant.name} has {wanted} fields in the header, and {len(items)} here",
                help=f"its fields are {fields}",
            )
            return
        for field, item in zip(variant.fields, items, strict=False):
            problem = misfit(chunk, field.type, item)
            if problem:
                message = f"{field.name} of {variant.name} {problem}"
                yield self.at(item, message, help=f"the header says {field.name}:{field.type}")


def _bare(chunk: Chunk, shape: Shape) -> str:
    script = chunk.script
    if script is None or script.bare is None:
        return ""
    if shape.items is not None:
        return f"the reply is a table, and the header declares one {script.bare}"
    problem = misfit(chunk, script.bare, shape.node)
    return f"the reply {problem}" if problem else ""
