"""Key patterns: ``cache:{<key>}:entry``, and the proof that keys fall into one slot.

Redis Cluster takes the slot from the text between the first ``{`` and the next
``}``. A pattern is built so that nothing before that brace can vary and no
placeholder inside it can hold a brace: two patterns with the same tag text give
keys of one slot for all arguments.
"""

from __future__ import annotations

from dataclasses import dataclass

from redislua.spec.cursor import DIGITS, LOWER, NAME_LENGTH, NAME_TAIL, UPPER, Cursor

LITERAL = LOWER | UPPER | DIGITS | frozenset("_.:-/@#|=+~,!")
SHAPE = (
    "a pattern such as cache:{<key>}:entry, cache:{<user>}:s:<sid>, or <key> alone; "
    "literals are letters, digits and _ . : - / @ # | = + ~ , !"
)


@dataclass(frozen=True, slots=True)
class Pattern:
    """How a key's name is built: ``prefix{before<tag>after}middle<tail>``.

    Attributes:
        text: As written.
        prefix: Literal before the hash tag.
        before: Literal inside the tag, before its placeholder (or all of it).
        tag: Placeholder inside the tag, or ``""``.
        after: Literal inside the tag, after its placeholder.
        middle: Literal after the tag.
        tail: Last placeholder, or ``""``.
        bare: True for a key that the caller owns: the pattern is ``tail`` alone.
    """

    text: str
    prefix: str = ""
    before: str = ""
    tag: str = ""
    after: str = ""
    middle: str = ""
    tail: str = ""
    bare: bool = False

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Placeholder names, in order."""
        return tuple(name for name in (self.tag, self.tail) if name)

    @property
    def tag_text(self) -> str:
        """What stands between the braces, as written: equal text, equal slot."""
        return f"{self.before}<{self.tag}>{self.after}" if self.tag else self.before

    @property
    def shape(self) -> tuple[object, ...]:
        """The pattern without the names of its placeholders."""
        return (
            self.bare,
            self.prefix,
            self.before,
            bool(self.tag),
            self.after,
            self.middle,
            bool(self.tail),
        )

    def overlaps(self, other: Pattern) -> bool:
        """Tell whether one key can match both patterns.

        A key that its caller owns is left out: what it names is the caller's promise.
        """
        if self.bare or other.bare:
            return False
        return self.prefix == other.prefix and _tags_meet(self, other) and _ends_meet(self, other)


def _tags_meet(one: Pattern, two: Pattern) -> bool:
    """Tell whether the texts between the braces can be equal (placeholders: not empty)."""
    if one.tag and two.tag:
        return _either_starts(one.before, two.before) and _either_ends(one.after, two.after)
    if one.tag or two.tag:
        open_, fixed = (one, two) if one.tag else (two, one)
        return (
            fixed.before.startswith(open_.before)
            and fixed.before.endswith(open_.after)
            and len(fixed.before) > len(open_.before) + len(open_.after)
        )
    return one.before == two.before


def _ends_meet(one: Pattern, two: Pattern) -> bool:
    """Tell whether what follows the tag can be equal (placeholders: not empty)."""
    if one.tail and two.tail:
        return _either_starts(one.middle, two.middle)
    if one.tail or two.tail:
        open_, fixed = (one, two) if one.tail else (two, one)
        return fixed.middle.startswith(open_.middle) and len(fixed.middle) > len(open_.middle)
    return one.middle == two.middle


def _either_starts(one: str, two: str) -> bool:
    return one.startswith(two) or two.startswith(one)


def _either_ends(one: str, two: str) -> bool:
    return one.endswith(two) or two.endswith(one)


def scan_pattern(cursor: Cursor) -> Pattern:
    """Read one pattern at the cursor, up to the next blank."""
    start = cursor.at
    if cursor.peek() == "<":
        tail = _placeholder(cursor)
        if not _at_blank(cursor):
            cursor.fail(
                "a placeholder stands before the hash tag",
                f"the placeholder inside the braces, or <{tail}> alone for a key the caller owns",
                start=start,
            )
        return Pattern(cursor.text[start : cursor.at], tail=tail, bare=True)
    prefix = cursor.take_while(LITERAL)
    if cursor.peek() == "<":
        _placeholder(cursor)
        cursor.fail(
            "a placeholder stands before the hash tag",
            "the hash tag first: its text alone decides the slot",
            start=start,
        )
    if not cursor.accept("{"):
        if _at_blank(cursor):
            cursor.fail("the pattern has no hash tag", "braces, as in cache:{<key>}", start=start)
        cursor.expect("{", SHAPE)
    before, tag, after = _tag(cursor)
    middle, tail = _rest(cursor)
    return Pattern(
        cursor.text[start : cursor.at], prefix, before, tag, after, middle, tail, bare=False
    )


def _tag(cursor: Cursor) -> tuple[str, str, str]:
    start = cursor.at
    before, tag, after = cursor.take_while(LITERAL), "", ""
    if cursor.peek() == "<":
        tag = _placeholder(cursor)
        after = cursor.take_while(LITERAL)
    if cursor.peek() == "<":
        cursor.fail(
            "a second placeholder inside the hash tag",
            "at most one: with two, different arguments could name one key",
        )
    cursor.expect("}", "'}' at the end of the hash tag")
    if not before and not tag:
        cursor.fail(
            "the hash tag is empty",
            "text between the braces: Redis ignores an empty tag",
            start=start - 1,
        )
    return before, tag, after


def _rest(cursor: Cursor) -> tuple[str, str]:
    middle, tail = cursor.take_while(LITERAL), ""
    if cursor.peek() == "<":
        tail = _placeholder(cursor)
        if not _at_blank(cursor):
            cursor.fail(
                "the pattern goes on after its last placeholder",
                "at most one placeholder after the hash tag, and nothing behind it",
            )
    if not _at_blank(cursor):
        cursor.fail("a character that a pattern cannot hold", SHAPE)
    return middle, tail


def _placeholder(cursor: Cursor) -> str:
    start = cursor.at
    cursor.expect("<", "a placeholder such as <key>")
    if cursor.peek() not in LOWER or not cursor.peek():
        cursor.fail("a placeholder needs a name", "a name such as <key> or <new_sid>")
    name = cursor.take_while(NAME_TAIL)
    if len(name) > NAME_LENGTH:
        cursor.fail("the placeholder's name is too long", f"at most {NAME_LENGTH}", start=start)
    cursor.expect(">", "'>' after the placeholder's name")
    return name


def _at_blank(cursor: Cursor) -> bool:
    return cursor.peek() in ("", " ", "\t")
