"""Syntax that is not Lua 5.1's, by its name: Lua 5.2 and newer, and habits of other languages.

A server says only where it stopped ("'=' expected near 'done'"). Here the tokens around
that place are looked at, so a name is given only to what Lua did refuse. Escapes, which Lua 5.1
does not refuse but reads otherwise, are found by `redislua.syntax.escapes`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from redislua.syntax.escapes import SKIP
from redislua.syntax.foreign import Foreign
from redislua.syntax.tokens import KEYWORDS, NAME, NUMBER, OTHER, STRING, Token

__all__ = ["Foreign", "Spot", "foreign"]


@dataclass(frozen=True, slots=True)
class Spot:
    """Where Lua stopped reading.

    Attributes:
        source: The text.
        tokens: Its tokens.
        index: The token at which Lua stopped; their number means the end.
        words: What Lua said, as bytes.
    """

    source: bytes
    tokens: list[Token]
    index: int
    words: bytes

    def token(self, by: int = 0) -> Token:
        """The token so far from the one at which Lua stopped; an empty one beyond the ends."""
        at = self.index + by
        if 0 <= at < len(self.tokens):
            return self.tokens[at]
        return Token("", len(self.source), len(self.source)) if at >= 0 else Token("", 0, 0)

    def text(self, by: int = 0) -> bytes:
        """The text of that token."""
        token = self.token(by)
        return self.source[token.start : token.end]

    def is_name(self, by: int = 0) -> bool:
        """Whether that token is a name, and no keyword."""
        return self.token(by).kind == NAME and self.text(by) not in KEYWORDS

    def ends_operand(self, by: int) -> bool:
        """Whether an operator can follow that token."""
        return (
            self.is_name(by)
            or self.token(by).kind in (NUMBER, STRING, "long")
            or self.text(by) in (b")", b"]", b"}", b"...", b"nil", b"true", b"false", b"end")
        )

    @property
    def begins_line(self) -> bool:
        """Whether nothing but blanks stands before the token in its line."""
        start = self.token().start
        return not self.source[self.source.rfind(b"\n", 0, start) + 1 : start].strip()

    @property
    def line_end(self) -> int:
        """Offset of the end of the token's line."""
        end = self.source.find(b"\n", self.token().start)
        return len(self.source) if end < 0 else end


def foreign(spot: Spot) -> Foreign | None:
    """Name the syntax at which Lua stopped, if it is another language's."""
    for recognise in _RECOGNISERS:
        found = recognise(spot)
        if found is not None:
            return found
    return None


# --- operators -------------------------------------------------------------------------------

_BITS = "the server's bit library works on 32 bits, signed"
_OPERATORS: dict[bytes, tuple[str, bytes]] = {
    b"//": ("`//` divides and rounds down since Lua 5.3: write math.floor(a / b)", b"/ "),
    b"&&": ("`&&` is another language's: write `and`", b"+ "),
    b"||": ("`||` is another language's: write `or`", b"+ "),
    b"!=": ("`!=` is another language's: write `~=`", b"=="),
    b"<>": ("`<>` is another language's: write `~=`", b"=="),
    b"===": ("`===` is another language's: write `==`", b"== "),
    b"**": ("`**` is another language's: write `^`", b"^ "),
    b":=": ("`:=` is another language's: write `=`", b"= "),
    b"<<": (f"`<<` is Lua 5.3: write bit.lshift(a, n); {_BITS}", b"+ "),
    b">>": (f"`>>` is Lua 5.3: write bit.rshift(a, n); {_BITS}", b"+ "),
    b"&": (f"`&` is Lua 5.3: write bit.band(a, b); {_BITS}", b"+"),
    b"|": (f"`|` is Lua 5.3: write bit.bor(a, b); {_BITS}", b"+"),
    b"~": (f"binary `~` is Lua 5.3: write bit.bxor(a, b); {_BITS}", b"+"),
    b"!": ("`!` is another language's: write `not`", b"-"),
    b"++": ("`++` is another language's: write `x = x + 1`", b"()"),
}
_COMPOUND = re.compile(rb"(?:\.\.|//|<<|>>|\*\*|&&|\|\||[-+*/%^&|])=(?!=)")
_OPERATOR = re.compile(
    b"|".join(re.escape(one) for one in sorted(_OPERATORS, key=len, reverse=True))
)


def _compound(spot: Spot) -> Foreign | None:
    token = spot.token()
    for by in (-1, 0):
        start = spot.token(by).start
        found = _COMPOUND.match(spot.source, start)
        if found is not None and found.end() > token.start and spot.ends_operand(by - 1):
            operator = found[0].decode()
            message = f"`{operator}` is another language's: write `x = x {operator[:-1]} …`"
            return Foreign(start, found.end(), message, b"=".ljust(len(operator)))
    return None


def _operator(spot: Spot) -> Foreign | None:
    """Lua stops at the first byte of some operators and at the second of others."""
    token = spot.token()
    for start in (spot.token(-1).start, token.start):
        found = _OPERATOR.match(spot.source, start)
        if found is None or found.end() <= token.start:
            continue
        operator = found[0]
        message, instead = _OPERATORS[operator]
        before = -1 if start == token.start else -2
        if operator == b"~" and not spot.ends_operand(before):
            return Foreign(
                start, start + 1, f"unary `~` is Lua 5.3: write bit.bnot(a); {_BITS}", b"-"
            )
        return Foreign(found.start(), found.end(), message, instead)
    return None


def _ternary(spot: Spot) -> Foreign | None:
    if spot.text() != b"?" or b":" not in spot.source[spot.token().end : spot.line_end]:
        return None
    return _at(spot.token(), "`? :` is another language's: write `a and b or c`, where b is true")


# --- comments --------------------------------------------------------------------------------


def _comment(spot: Spot) -> Foreign | None:
    """Comments of other languages; ``//`` behind code could as well be a division."""
    token, marker = spot.token(), spot.source[spot.token().start :][:2]
    if spot.text() == b"/" and spot.text(-1) == b"/" and spot.token(-1).end == token.start:
        line = spot.source[: token.start - 1].rpartition(b"\n")[2]
        if not line.strip() or _is_prose(spot):
            return _blank(
                spot, token.start - 1, spot.line_end, "`//` begins no comment in Lua: write `--`"
            )
    elif marker == b"//" and spot.begins_line:
        return _blank(spot, token.start, spot.line_end, "`//` begins no comment in Lua: write `--`")
    elif marker == b"/*" or (spot.text() == b"*" and spot.source[token.start - 1 :][:1] == b"/"):
        start = token.start - (marker != b"/*")
        close = spot.source.find(b"*/", start + 2)
        end = len(spot.source) if close < 0 else close + 2
        return _blank(spot, start, end, "`/* */` is no comment in Lua: write `--[[ ]]`")
    elif marker[:1] == b"#" and spot.begins_line and b"unexpected symbol" in spot.words:
        return _blank(spot, token.start, spot.line_end, "`#` begins no comment in Lua: write `--`")
    return None


def _is_prose(spot: Spot) -> bool:
    """Two words in a row behind ``//``, in its line, are no operand."""
    first, second = spot.token(1), spot.token(2)
    return spot.is_name(1) and spot.is_name(2) and first.start < second.start < spot.line_end


# --- statements ------------------------------------------------------------------------------

_WORDS = {
    b"let": "`let` is another language's: write `local`",
    b"var": "`var` is another language's: write `local`",
    b"const": "`const` is another language's: write `local`",
    b"elif": "`elif` is another language's: write `elseif`",
}


def _goto(spot: Spot) -> Foreign | None:
    if spot.text(-1) != b"goto" or not spot.is_name() or b"'=' expected" not in spot.words:
        return None
    message = (
        "`goto` is Lua 5.2: put what it skips under an `if`, or leave a "
        "`repeat … until true` with `break`"
    )
    start, end = spot.token(-1).start, spot.token().end
    if b"\n" in spot.source[start:end]:
        return _blank(spot, start, end, message)
    return _statement(start, end, message)


def _label(spot: Spot) -> Foreign | None:
    for by in (0, -1):
        parts = [spot.text(by + offset) for offset in range(5)]
        if [parts[0], parts[1], parts[3], parts[4]] == [b":"] * 4 and spot.is_name(by + 2):
            first, last = spot.token(by), spot.token(by + 4)
            return _blank(
                spot, first.start, last.end, "`::label::` is Lua 5.2, and Lua 5.1 has no goto"
            )
    return None


def _continue(spot: Spot) -> Foreign | None:
    if spot.text(-1) != b"continue" or b"'=' expected" not in spot.words:
        return None
    message = "`continue` is no statement of any Lua: put the rest of the loop under an `if`"
    return _statement(spot.token(-1).start, spot.token(-1).end, message)


def _word(spot: Spot) -> Foreign | None:
    message = _WORDS.get(spot.text(-1))
    if message is None or not spot.is_name() or b"'=' expected" not in spot.words:
        return None
    if spot.text(-1) == b"elif":
        return _at(spot.token(-1), message)
    return _blank(spot, spot.token(-1).start, spot.token(-1).end, message)


def _attribute(spot: Spot) -> Foreign | None:
    close = spot.text(2)
    if spot.text() != b"<" or spot.text(1) not in (b"const", b"close") or close[:1] != b">":
        return None
    word = spot.text(1).decode()
    message = f"`<{word}>` is Lua 5.4: leave it out"
    start, end = spot.token().start, spot.token(2).start + 1
    return _blank(spot, start, end, message) if spot.is_name(-1) else None


def _semicolon(spot: Spot) -> Foreign | None:
    if spot.text() != b";" or b"near ';'" not in spot.words or b"no loop" in spot.words:
        return None
    return _at(spot.token(), "an empty statement is Lua 5.2: leave this `;` out", b" ")


def _break(spot: Spot) -> Foreign | None:
    """``break`` with statements behind it in its block."""
    by = -2 if spot.text(-1) == b";" else -1
    ends = (b"'end' expected", b"'<eof>' expected", b"'until' expected")
    if spot.text(by) != b"break" or not spot.words.startswith(ends):
        return None
    first, last = spot.token(by), spot.token(-1)
    message = "`break` before other statements is Lua 5.2: write `do break end`"
    return Foreign(first.start, first.start + 5, message, _instead(first.start, last.end, spot))


# --- literals and names ----------------------------------------------------------------------

_NUMBERS = (
    (r"(?:0x[0-9a-f]+|[0-9]+)(?:u?ll|i)", "has a suffix of LuaJIT: leave it out"),
    (r"0b[01]+", "is a binary number of LuaJIT: write it decimal or as 0x…"),
    (r"0o[0-7]+", "is an octal number of another language: write it decimal"),
    (r"0x[0-9a-f.]+p?", "is a hexadecimal float of Lua 5.2: write it decimal"),
    (r"[0-9]+(?:_[0-9]+)+", "is a number of another language: write it without `_`"),
)


def _number(spot: Spot) -> Foreign | None:
    if not spot.words.startswith(b"malformed number"):
        return None
    text, token = spot.text().decode(), spot.token()
    for form, what in _NUMBERS:
        if re.fullmatch(form, text, re.IGNORECASE):
            return _at(token, f"`{text}` {what}", b"0" * len(text))
    return None


def _wide_name(spot: Spot) -> Foreign | None:
    """A name with letters beyond ASCII, whole."""
    token = spot.token()
    if token.kind != OTHER or spot.source[token.start] < 0x80:
        return None
    start, end = token.start, token.end
    while start and (_is_name_byte(spot.source[start - 1])):
        start -= 1
    while end < len(spot.source) and _is_name_byte(spot.source[end]):
        end += 1
    try:
        text = spot.source[start:end].decode("utf-8")
    except UnicodeDecodeError:
        return None
    if not text.isidentifier():
        return None
    message = f"`{text}`: Lua 5.1 takes names of ASCII letters, digits and _ alone"
    return Foreign(start, end, message, b"_" * (end - start))


def _is_name_byte(byte: int) -> bool:
    return byte >= 0x80 or byte == 0x5F or chr(byte).isalnum()


def _backtick(spot: Spot) -> Foreign | None:
    if spot.text() != b"`":
        return None
    close = spot.source.find(b"`", spot.token().end)
    end = spot.token().end if close < 0 else close + 1
    instead = b"'" + b"_" * (end - spot.token().start - 2) + b"'" if close >= 0 else None
    message = "a string in backticks is another language's: write it in quotes"
    return Foreign(spot.token().start, end, message, instead)


def _skipping(spot: Spot) -> Foreign | None:
    """``\\z`` at the end of a line, which leaves a string unfinished for Lua 5.1."""
    token = spot.token()
    if token.kind != STRING or not spot.words.startswith(b"unfinished string"):
        return None
    if not spot.text().endswith(b"\\z"):
        return None
    return Foreign(token.end - 2, token.end, SKIP)


# --- what every recogniser needs -------------------------------------------------------------


def _at(token: Token, message: str, instead: bytes | None = None) -> Foreign:
    return Foreign(token.start, token.end, message, instead)


def _blank(spot: Spot, start: int, end: int, message: str) -> Foreign:
    return Foreign(start, end, message, _instead(start, end, spot))


def _statement(start: int, end: int, message: str) -> Foreign:
    """Something after which a semicolon may stand."""
    return Foreign(start, end, message, b"_=1".ljust(end - start))


def _instead(start: int, end: int, spot: Spot) -> bytes:
    """Blanks in place of a text, its line ends kept."""
    return re.sub(rb"[^\r\n]", b" ", spot.source[start:end])


_RECOGNISERS: tuple[Callable[[Spot], Foreign | None], ...] = (
    _comment,
    _goto,
    _label,
    _continue,
    _break,
    _word,
    _attribute,
    _semicolon,
    _number,
    _wide_name,
    _skipping,
    _backtick,
    _ternary,
    _compound,
    _operator,
)
