"""The only way for text of a header to reach Python source.

Values become literals in pure ASCII. Docstrings stay readable where that is safe;
everything else is escaped, so that no text can end its string, its line or its comment.
"""

from __future__ import annotations


def literal(value: object) -> str:
    """Write a value as a Python literal in ASCII.

    Args:
        value: None, bool, int, finite float, str, bytes, or a tuple of these.

    Raises:
        TypeError: For anything else; nothing is written by accident.
    """
    if value is None or isinstance(value, bool | str | bytes):
        return ascii(value)
    if isinstance(value, int):
        return f"{value:_}" if abs(value) >= 100_000 else str(value)
    if isinstance(value, float):
        return f'float("{value}")' if value in (float("inf"), float("-inf")) else repr(value)
    if isinstance(value, tuple):
        inner = ", ".join(literal(item) for item in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    raise TypeError(f"no literal for {type(value).__name__}")


def docstring(text: str, indent: int = 4) -> str:
    """Write a docstring: printable ASCII as it is, the rest as escapes.

    Args:
        text: The text; its lines are indented by ``indent`` blanks but for the first.
        indent: Blanks before the docstring's statement.
    """
    # Readers of docstrings expand tabs after the indent, which would move what follows them.
    lines = [_escape(line) for line in text.expandtabs().split("\n")]
    if len(lines) == 1:
        return f'"""{lines[0]}"""'
    pad = " " * indent
    body = "\n".join(f"{pad}{line}" if line else "" for line in lines[1:])
    return f'"""{lines[0]}\n{body}\n{pad}"""'


def _escape(line: str) -> str:
    return "".join(_ESCAPED.get(char) or ascii(char)[1:-1] for char in line)


_ESCAPED = {"'": "'", '"': '\\"'}
"""What ``ascii`` would quote by its own choice of quotes."""


def source_lines(source: bytes) -> list[str]:
    """Write a script's bytes as one bytes literal per line."""
    lines = source.split(b"\n")
    whole = [line + b"\n" for line in lines[:-1]]
    return [ascii(line) for line in (*whole, *filter(None, lines[-1:]))]
