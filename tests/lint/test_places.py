"""Bytes as lines and columns, and back, whatever the bytes are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from redislua.lint.places import Places

TEXTS = st.text(st.sampled_from("ab\nä€😀-"), max_size=40).map(str.encode)
BYTES = st.lists(
    st.sampled_from([b"a", b"\n", b"\xc3", b"\xa4", b"\xff", b"\x80", "ä".encode()])
).map(b"".join)


@given(TEXTS)
def test_columns_count_characters(source: bytes) -> None:
    places = Places(source)
    line, column = 1, 1
    offset = 0
    for character in source.decode():
        assert places.of(offset) == (line, column)
        assert places.offset(line, column) == offset
        line, column = (line + 1, 1) if character == "\n" else (line, column + 1)
        offset += len(character.encode())


@given(BYTES, st.data())
def test_a_column_does_not_depend_on_what_was_asked_before(
    source: bytes, data: st.DataObject
) -> None:
    places = Places(source)
    offsets = st.integers(min_value=0, max_value=len(source))
    for offset in data.draw(st.lists(offsets, max_size=10)):
        line, column = places.of(offset)
        assert (line, column) == Places(source).of(offset)
        assert column >= 1


@given(BYTES)
def test_a_byte_is_found_on_its_own_line(source: bytes) -> None:
    places = Places(source)
    for offset in range(len(source) + 1):
        line, column = places.of(offset)
        assert places.start_of(line) <= places.offset(line, column) <= places.end_of(line)
