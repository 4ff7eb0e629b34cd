"""A script with a header for tests of the rules that compare the two."""

from __future__ import annotations

HEADER = """\
#!lua{flags}
--- Do something with a key.
--
-- @version 1.0.0
{tags}
-- @retry   {retry}
-- @budget  {budget}
-- @example one call
--   script {call}

"""


def script(
    *tags: str,
    body: str,
    flags: str = "",
    retry: str = "never",
    budget: str = "calls<=9 growth=1",
    call: str = "name=a -> 1",
) -> str:
    """A whole script.

    Args:
        tags: Lines of the header without dashes: ``@key state state:{<name>} string``.
        body: What follows the header.
        flags: Of the shebang.
        retry: The class of ``@retry``.
        budget: What ``@budget`` says.
        call: The example's arguments and what is expected.
    """
    header = HEADER.format(
        flags=f" flags={flags}" if flags else "",
        tags="\n".join(f"-- {tag}" for tag in tags),
        retry=retry,
        budget=budget,
        call=call,
    )
    return f"{header}{body}\n"


def first_line(lua: str) -> int:
    """The line on which the body of a script begins, from 1."""
    return lua.index("\n\n") and lua[: lua.index("\n\n")].count("\n") + 3


STATE = "@key state state:{<name>} string"
INT = "@returns int"
