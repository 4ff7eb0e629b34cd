"""`cache.conditional_update`, `conditional_delete` and `conditional_read`."""

from __future__ import annotations

from typing import Any

import pytest

from redislua.bindings import cache

DOCUMENT = "cache:{k}:document"
BINARY = b'\x00\xff{"version": 1}\x80'


def update(call: Any, mode: Any, value: bytes = b"value", **arguments: Any) -> Any:
    return call(cache.conditional_update(key="k", mode=mode, value=value, **arguments))


def delete(call: Any, mode: Any, **arguments: Any) -> Any:
    return call(cache.conditional_delete(key="k", mode=mode, **arguments))


def read(call: Any) -> Any:
    return call(cache.conditional_read(key="k"))


def create(call: Any, value: bytes = b"value", **arguments: Any) -> str:
    stored = update(call, "create", value, **arguments)
    assert type(stored) is cache.ConditionalUpdateStored
    return str(stored.version)


# --- update ----------------------------------------------------------------------------------


def test_a_version_is_good_for_one_update(call: Any) -> None:
    version = create(call, b"one")

    stored = update(call, "match", BINARY, expected=version)
    refused = update(call, "match", b"three", expected=version)

    assert type(stored) is cache.ConditionalUpdateStored
    assert not stored.created
    assert refused == cache.ConditionalUpdateConflict(version=stored.version, value=None)
    assert read(call) == cache.ConditionalReadFound(
        value=BINARY, version=stored.version, fence=None
    )


def test_a_conflict_carries_the_value_when_asked(call: Any) -> None:
    version = create(call, BINARY)

    refused = update(call, "match", expected="0", want_value=True)

    assert refused == cache.ConditionalUpdateConflict(version=version, value=BINARY)


def test_a_missing_document_is_never_created_by_match_or_exists(call: Any, client: Any) -> None:
    for expected in ("7", "undefined", "nil", "0"):
        assert update(call, "match", expected=expected) == cache.ConditionalUpdateMissing()
    assert update(call, "exists") == cache.ConditionalUpdateMissing()
    assert client.dbsize() == 0


@pytest.mark.parametrize("expected", ["undefined", "nil", "9007199254740992", "0x10", " 7", "1e15"])
def test_what_is_no_version_never_matches(call: Any, expected: str) -> None:
    version = create(call)

    assert update(call, "match", expected=expected).version == version
    assert read(call).value == b"value"


def test_a_version_is_compared_as_text(call: Any) -> None:
    """As numbers, all of these would be equal in Lua."""
    version = create(call)

    for alike in (f"0{version}", f"{version}.0", f"{version}.00000001", f" {version}"):
        assert type(update(call, "match", expected=alike)) is cache.ConditionalUpdateConflict
    assert type(update(call, "match", expected=version)) is cache.ConditionalUpdateStored


def test_create_is_refused_when_there_is_a_document(call: Any) -> None:
    version = create(call, b"first")

    assert update(call, "create", b"second") == cache.ConditionalUpdateExists(version=version)
    assert read(call).value == b"first"


def test_exists_and_any_store_whatever_the_version(call: Any) -> None:
    created = update(call, "any", b"one")
    updated = update(call, "any", b"two")
    again = update(call, "exists", b"three")

    assert (created.created, updated.created, again.created) == (True, False, False)
    assert read(call).value == b"three"


def test_versions_grow_even_when_the_clock_stands_behind_them(call: Any, client: Any) -> None:
    version = create(call)
    ahead = int(version) + 10**12
    client.hset(DOCUMENT, "n", ahead)

    stored = update(call, "match", expected=str(ahead))

    assert stored.version == str(ahead + 1)


def test_a_version_does_not_come_back_after_a_delete(call: Any) -> None:
    version = create(call)
    delete(call, "any")

    assert int(create(call)) > int(version)
    assert type(update(call, "match", expected=version)) is cache.ConditionalUpdateConflict


@pytest.mark.parametrize(("mode", "expected"), [("create", None), ("any", None), ("fence", "12")])
def test_a_resent_creation_is_replayed(call: Any, client: Any, mode: Any, expected: Any) -> None:
    call_value = cache.conditional_update(
        key="k", mode=mode, expected=expected, value=b"v", ttl=60_000
    )
    stored = call(call_value)
    before = client.dump(DOCUMENT)

    assert call(call_value) == cache.ConditionalUpdateReplayed(version=stored.version)
    assert client.dump(DOCUMENT) == before


def test_a_resent_match_is_replayed_and_not_a_conflict(call: Any, client: Any) -> None:
    version = create(call, b"one")
    stored = update(call, "match", b"two", expected=version, token="t", ttl=60_000)
    client.pexpire(DOCUMENT, 1_000)

    again = update(call, "match", b"two", expected=version, token="t", ttl=60_000)

    assert again == cache.ConditionalUpdateReplayed(version=stored.version)
    assert client.pttl(DOCUMENT) <= 1_000


def test_a_resend_that_was_overtaken_is_not_applied_over_the_newer_value(call: Any) -> None:
    version = create(call)
    lost = cache.conditional_update(key="k", mode="match", expected=version, value=b"mine")
    stored = call(lost)
    newer = update(call, "match", b"theirs", expected=stored.version)

    assert call(lost) == cache.ConditionalUpdateConflict(version=newer.version, value=None)
    assert read(call).value == b"theirs"


def test_a_fence_admits_its_equal_and_greater_ones(call: Any) -> None:
    assert update(call, "fence", b"1", expected="34").created
    assert not update(call, "fence", b"2", expected="34").created
    assert update(call, "fence", b"3", expected="33") == cache.ConditionalUpdateStaleFence(
        fence="34"
    )
    assert not update(call, "fence", b"4", expected="035").created
    assert read(call).fence == "35"
    assert read(call).value == b"4"


@pytest.mark.parametrize(
    ("lower", "higher"),
    [
        ("9", "10"),
        ("9007199254740992", "9007199254740993"),
        ("999999999999999999", "1000000000000000000"),
        ("9223372036854775806", "9223372036854775807"),
        ("00000000000000000000000000000005", "6"),
        ("0", "1"),
    ],
)
def test_fences_are_compared_exactly(call: Any, lower: str, higher: str) -> None:
    update(call, "fence", b"first", expected=higher)

    refused = update(call, "fence", b"second", expected=lower)

    assert refused == cache.ConditionalUpdateStaleFence(fence=higher)
    assert delete(call, "fence", expected=lower) == cache.ConditionalDeleteStaleFence(fence=higher)
    assert read(call).value == b"first"


def test_other_modes_leave_the_fence_alone(call: Any) -> None:
    update(call, "fence", expected="7")
    update(call, "any", b"by any")

    assert read(call).fence == "7"
    assert type(update(call, "fence", expected="6")) is cache.ConditionalUpdateStaleFence


@pytest.mark.parametrize(
    "arguments",
    [
        {"mode": "match"},
        {"mode": "fence"},
        {"mode": "any", "expected": "1"},
        {"mode": "create", "expected": "1"},
        {"mode": "exists", "expected": "1"},
        {"mode": "fence", "expected": "abc"},
        {"mode": "fence", "expected": "-1"},
        {"mode": "fence", "expected": "1.5"},
        {"mode": "fence", "expected": "0x10"},
        {"mode": "fence", "expected": "10000000000000000000"},
    ],
    ids=str,
)
def test_expected_goes_with_match_and_fence_alone(
    call: Any, client: Any, arguments: dict[str, Any]
) -> None:
    with pytest.raises(cache.BadArgumentError, match="expected"):
        update(call, **arguments)
    if arguments["mode"] in ("match", "any", "fence"):
        with pytest.raises(cache.BadArgumentError, match="expected"):
            delete(call, **arguments)
    assert client.dbsize() == 0


def test_an_update_sets_keeps_or_removes_the_expiry(call: Any, client: Any) -> None:
    create(call)
    assert client.pttl(DOCUMENT) == -1

    update(call, "any", ttl=60_000)
    assert 0 < client.pttl(DOCUMENT) <= 60_000
    client.pexpire(DOCUMENT, 30_000)
    update(call, "any")
    assert 0 < client.pttl(DOCUMENT) <= 30_000
    update(call, "any", ttl=31_622_400_000)
    assert 31_622_000_000 < client.pttl(DOCUMENT) <= 31_622_400_000
    update(call, "any", ttl=-1)
    assert client.pttl(DOCUMENT) == -1


@pytest.mark.parametrize("value", [b"", b"hello", b"5", b"null", b"[" * 1001, BINARY])
def test_no_value_is_ever_parsed(call: Any, value: bytes) -> None:
    version = create(call, value)

    assert read(call).value == value
    assert type(update(call, "match", value, expected=version)) is cache.ConditionalUpdateStored


# --- delete ----------------------------------------------------------------------------------


def test_only_the_version_that_was_read_is_deleted(call: Any, client: Any) -> None:
    old = create(call)
    new = update(call, "any").version

    assert delete(call, "match", expected=old) == cache.ConditionalDeleteConflict(version=new)
    assert client.exists(DOCUMENT) == 1
    assert delete(call, "match", expected=new) == cache.ConditionalDeleteDeleted()
    assert client.dbsize() == 0


@pytest.mark.parametrize(("mode", "expected"), [("match", "1"), ("any", None), ("fence", "1")])
def test_deleting_nothing_is_missing(call: Any, mode: str, expected: Any) -> None:
    assert delete(call, mode, expected=expected) == cache.ConditionalDeleteMissing()


def test_a_resent_delete_spares_what_was_created_since(call: Any) -> None:
    version = create(call, b"old")
    assert delete(call, "match", expected=version) == cache.ConditionalDeleteDeleted()
    assert delete(call, "match", expected=version) == cache.ConditionalDeleteMissing()

    newer = create(call, b"new")

    assert delete(call, "match", expected=version) == cache.ConditionalDeleteConflict(version=newer)


def test_a_fence_deletes_up_to_its_own(call: Any) -> None:
    update(call, "fence", expected="34")
    assert delete(call, "fence", expected="34") == cache.ConditionalDeleteDeleted()

    create(call)
    assert delete(call, "fence", expected="1") == cache.ConditionalDeleteDeleted()


def test_a_document_that_is_not_there_is_missing(call: Any) -> None:
    assert read(call) == cache.ConditionalReadMissing()
