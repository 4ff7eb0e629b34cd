"""Key patterns: the slot proof, and the proof that two patterns never name one key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from redislua.spec.cursor import Cursor, Meter
from redislua.spec.pattern import Pattern, scan_pattern


def pattern(text: str) -> Pattern:
    return scan_pattern(Cursor("f", 1, text, 0, Meter()))


def fill(found: Pattern, tag: str, tail: str) -> str:
    if found.bare:
        return tail
    inside = f"{found.before}{tag}{found.after}" if found.tag else found.before
    return f"{found.prefix}{{{inside}}}{found.middle}{tail if found.tail else ''}"


@pytest.mark.parametrize(
    ("one", "two", "meet"),
    [
        ("a:{<x>}:b", "a:{<x>}:b", True),
        ("a:{<x>}:b", "a:{<y>}:b", True),
        ("a:{<x>}:b", "a:{<x>}:c", False),
        ("a:{<x>}:b", "b:{<x>}:b", False),
        ("a:{<x>}:<y>", "a:{<x>}:b", True),
        ("a:{<x>}:s:<y>", "a:{<x>}:b", False),
        ("a:{<x>}<y>", "a:{<x>}:s:<z>", True),
        ("a:{<x>}:s:<y>", "a:{<x>}:s:", False),  # a placeholder is never empty
        ("a:{u<x>}", "a:{<x>}", True),
        ("a:{u<x>}", "a:{v<x>}", False),
        ("a:{<x>u}", "a:{<x>v}", False),
        ("a:{u<x>u}", "a:{u}", False),
        ("a:{u<x>u}", "a:{uu}", False),
        ("a:{u<x>u}", "a:{uxu}", True),
        ("a:{one}", "a:{one}", True),
        ("a:{one}", "a:{two}", False),
        ("<key>", "a:{one}", False),  # the caller's own key is the caller's promise
    ],
)
def test_two_patterns_meet_exactly_when_one_key_can_match_both(one, two, meet):
    assert pattern(one).overlaps(pattern(two)) is meet
    assert pattern(two).overlaps(pattern(one)) is meet


PARTS = st.sampled_from(["", "a", "b", "ab", ":"])
VALUES = st.text(alphabet="ab:{}", min_size=1, max_size=3)
TAGS = st.text(alphabet="ab:", min_size=1, max_size=3)


@st.composite
def patterns(draw: st.DrawFn) -> Pattern:
    tag = draw(st.sampled_from(["", "x"]))
    before = draw(PARTS if tag else PARTS.filter(bool))
    return Pattern(
        "",
        prefix=draw(PARTS),
        before=before,
        tag=tag,
        after=draw(PARTS) if tag else "",
        middle=draw(PARTS),
        tail=draw(st.sampled_from(["", "y"])),
    )


@given(patterns(), patterns(), TAGS, TAGS, VALUES, VALUES)
def test_patterns_that_do_not_meet_never_name_one_key(one, two, tag, other, tail, another):
    if fill(one, tag, tail) == fill(two, other, another):
        assert one.overlaps(two)


@given(patterns(), PARTS, TAGS, VALUES, VALUES)
def test_patterns_of_one_tag_text_fall_into_one_slot(one, middle, tag, tail, other):
    two = Pattern("", one.prefix + "z", one.before, one.tag, one.after, middle, "y")

    assert one.tag_text == two.tag_text
    assert key_slot(fill(one, tag, tail).encode()) == key_slot(fill(two, tag, other).encode())
