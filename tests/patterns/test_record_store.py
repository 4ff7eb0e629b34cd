"""`RecordStore` and `AsyncRecordStore`: typed objects whose fields are changed one by one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, make_dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from redislua.errors import (
    InvalidArgument,
    InvalidArgumentType,
    InvalidArgumentValue,
    NotExecuted,
    WrongType,
)
from redislua.patterns.record_store import (
    AsyncRecordStore,
    BadRecord,
    Counted,
    Failed,
    RecordStore,
)
from tests.patterns.stage import Stage

HOUR = timedelta(hours=1)
BRIEF = timedelta(milliseconds=1)
KEY = "record:{u}:fields"


@dataclass(frozen=True)
class User:
    """One field of each kind."""

    name: str
    logins: int = 0
    score: float = 0.0
    is_admin: bool = False
    picture: bytes = b""
    mail: str | None = None
    tags: list[str] = field(default_factory=list)


ADA = User("ada", 7, 0.1, is_admin=True, picture=b"\x00\xff", mail="", tags=["a", "ü"])


@dataclass(frozen=True)
class Later:
    """What a later version of the application makes of it."""

    name: str
    logins: int
    country: str = "?"
    phone: str | None = "none given"


@pytest.fixture
def make(stage: Stage, client: Any) -> Callable[..., Any]:
    """``make()`` is a store of users of the surface's kind on an empty server."""

    def made(kind: type = User, **options: Any) -> Any:
        return stage.make(RecordStore, AsyncRecordStore, kind, **options)

    return made


# --- whole ----------------------------------------------------------------------------------


@pytest.mark.parametrize("user", [ADA, User("bob"), User("", -(2**60), float("inf"))])
def test_what_is_stored_is_read(stage: Stage, make: Any, user: User) -> None:
    users = make()

    assert stage.call(lambda: users.get("u")) is None
    assert stage.call(lambda: users.put("u", user)) is True
    assert stage.call(lambda: users.get("u")) == user


def test_fields_are_plain_text_for_others(stage: Stage, make: Any, client: Any) -> None:
    stage.call(lambda: make().put("u", ADA))

    assert client.hgetall(KEY) == {
        b"name": b"ada",
        b"logins": b"7",
        b"score": b"0.1",
        b"is_admin": b"1",
        b"picture": b"\x00\xff",
        b"mail": b"",
        b"tags": '["a","ü"]'.encode(),
    }


def test_a_record_leaves_nothing_of_the_one_before(stage: Stage, make: Any, client: Any) -> None:
    """P23."""
    users = make(ttl=HOUR)
    stage.call(lambda: users.put("u", ADA))

    stage.call(lambda: users.put("u", User("bob")))

    assert stage.call(lambda: users.get("u")) == User("bob")
    assert not client.hexists(KEY, "mail")
    assert 3_500_000 < client.pttl(KEY) <= 3_600_000


def test_only_where_one_is_or_none_is(stage: Stage, make: Any) -> None:
    users, bob = make(), User("bob")

    stored = [
        stage.call(partial(users.put, "u", user, mode=mode))
        for user, mode in ((ADA, "present"), (ADA, "absent"), (ADA, "absent"), (bob, "absent"))
    ]

    assert stored == [False, True, True, False]
    assert stage.call(lambda: users.get("u")) == ADA


def test_a_record_is_removed_once(stage: Stage, make: Any) -> None:
    users = make()
    stage.call(lambda: users.put("u", ADA))

    assert [stage.call(lambda: users.remove("u")) for _ in range(2)] == [True, False]
    assert stage.call(lambda: users.get("u")) is None


# --- in part --------------------------------------------------------------------------------


def test_patches_of_different_fields_are_all_kept(stage: Stage, make: Any) -> None:
    """P17."""
    users = make()
    stage.call(lambda: users.put("u", ADA))

    done = stage.together(
        lambda: users.patch("u", name="Ada", mail=None),
        lambda: users.patch("u", tags=["b"]),
        lambda: users.increment("u", "logins", 3),
    )

    assert done == [True, True, Counted(added=True, value=10)]
    expected = User("Ada", 10, 0.1, is_admin=True, picture=b"\x00\xff", tags=["b"])
    assert stage.call(lambda: users.get("u")) == expected


def test_what_has_expired_does_not_come_back_in_part(stage: Stage, make: Any, client: Any) -> None:
    """P23."""
    users = make(ttl=BRIEF)
    stage.call(lambda: users.put("u", ADA))
    time.sleep(0.01)

    assert stage.call(lambda: users.patch("u", name="ghost")) is False
    assert stage.call(lambda: users.increment("u", "logins")) is None
    assert stage.call(lambda: users.get("u")) is None
    assert not client.exists(KEY)


def test_a_patch_renews_the_expiry_where_that_is_wanted(
    stage: Stage, make: Any, client: Any
) -> None:
    stage.call(lambda: make(ttl=HOUR).put("u", ADA))

    stage.call(lambda: make(ttl=3 * HOUR).patch("u", name="a"))
    kept = client.pttl(KEY)
    stage.call(lambda: make(ttl=3 * HOUR, renew=True).patch("u", name="b"))

    assert kept <= 3_600_000
    assert 10_000_000 < client.pttl(KEY) <= 10_800_000


def test_a_count_stays_in_its_bounds(stage: Stage, make: Any) -> None:
    users = make()
    stage.call(lambda: users.put("u", User("bob", logins=2)))

    counts = [
        stage.call(partial(users.increment, "u", "logins", amount, floor=0, cap=3))
        for amount in (-2, -1, 3, 1)
    ]

    assert counts == [Counted(True, 0), Counted(False, 0), Counted(True, 3), Counted(False, 3)]
    assert [bool(one) for one in counts] == [True, False, True, False]


@dataclass(frozen=True)
class Visits:
    """All of it may be absent."""

    seen: int = 0
    last: str | None = None


def test_a_count_may_begin_a_record(stage: Stage, make: Any, client: Any) -> None:
    visits = make(Visits, ttl=HOUR)

    assert stage.call(lambda: visits.increment("u", "seen")) is None
    assert stage.call(lambda: visits.increment("u", "seen", create=True)) == Counted(True, 1)

    assert stage.call(lambda: visits.get("u")) == Visits(seen=1)
    assert 0 < client.pttl(KEY) <= 3_600_000
    with pytest.raises(InvalidArgumentValue, match="needs name"):
        stage.call(lambda: make().increment("u", "logins", create=True))


# --- many -----------------------------------------------------------------------------------


def test_many_are_read_and_one_that_is_bad_hides_no_other(
    stage: Stage, make: Any, client: Any
) -> None:
    """P21, P24: on all nodes of a cluster, each with an outcome of its own."""
    users = make()
    for key in ("a", "c", "d"):
        stage.call(partial(users.put, key, User(key)))
    client.rpush("record:{list}:fields", "x")
    client.hset("record:{d}:fields", "logins", "many")

    found = stage.call(lambda: users.many(["a", "b", "list", "c", "a", "d"]))

    assert list(found) == ["a", "b", "list", "c", "d"]
    assert (found["a"], found["b"], found["c"]) == (User("a"), None, User("c"))
    assert isinstance(found["list"], Failed)
    assert isinstance(found["list"].error, WrongType)
    assert isinstance(found["d"], Failed)
    assert isinstance(found["d"].error, BadRecord)


def test_more_than_fit_one_write_are_read(stage: Stage, make: Any) -> None:
    users = make()
    stage.call(lambda: users.put("299", ADA))

    found = stage.call(lambda: users.many(map(str, range(600))))

    assert {key for key, user in found.items() if user is not None} == {"299"}
    assert len(found) == 600
    assert stage.call(lambda: users.many([])) == {}


# --- another version, other writers ---------------------------------------------------------


def test_two_versions_of_the_class_read_what_the_other_wrote(stage: Stage, make: Any) -> None:
    old, new = make(), make(Later)
    stage.call(lambda: old.put("u", ADA))

    assert stage.call(lambda: new.get("u")) == Later("ada", 7, "?", None)
    stage.call(lambda: new.patch("u", country="uk"))
    assert stage.call(lambda: old.get("u")) == ADA
    stage.call(lambda: new.put("u", Later("bob", 1)))
    assert stage.call(lambda: old.get("u")) == User("bob", 1)


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"logins": "1"}, "no field 'name'"),
        ({"name": "a", "logins": "1.5"}, "'logins'"),
        ({"name": "a", "logins": "١"}, "'logins'"),  # noqa: RUF001 - a digit, and none of ours
        ({"name": "a", "score": "x"}, "'score'"),
        ({"name": "a", "is_admin": "yes"}, "'is_admin'"),
        ({"name": b"\xff"}, "'name'"),
        ({"name": "a", "tags": "{"}, "'tags'"),
    ],
)
def test_what_is_no_such_record_is_said_so(
    stage: Stage, make: Any, client: Any, fields: Any, what: str
) -> None:
    client.hset(KEY, mapping=fields)

    with pytest.raises(BadRecord, match=what) as caught:
        stage.call(lambda: make().get("u"))

    assert caught.value.key == "u"


def test_a_record_that_others_filled_takes_no_more(stage: Stage, make: Any, client: Any) -> None:
    client.hset(KEY, mapping={f"f{number}": "x" for number in range(64)})
    users = make()

    with pytest.raises(BadRecord, match="65 fields"):
        stage.call(lambda: users.patch("u", name="a"))
    with pytest.raises(BadRecord, match="64"):
        stage.call(lambda: users.increment("u", "logins"))
    client.hset(KEY, "logins", "many")
    with pytest.raises(BadRecord, match="integer"):
        stage.call(lambda: users.increment("u", "logins"))


# --- what may not be ------------------------------------------------------------------------

BAD: dict[str, Callable[[Any], Any]] = {
    "another class": lambda users: users.put("u", Visits()),
    "a str for bytes": lambda users: users.patch("u", picture="x"),
    "a bool for an int": lambda users: users.patch("u", logins=True),
    "an int for a bool": lambda users: users.patch("u", is_admin=1),
    "None where it is no value": lambda users: users.patch("u", name=None),
    "no such field": lambda users: users.patch("u", nobody=1),
    "too long": lambda users: users.patch("u", name="x" * 4_097),
    "not a counter": lambda users: users.increment("u", "name"),
    "not even a field": lambda users: users.increment("u", "nobody"),
    "bounds": lambda users: users.increment("u", "logins", 2**53),
    "mode": lambda users: users.put("u", ADA, mode="other"),
    "key": lambda users: users.get("{u}"),
}


@pytest.mark.parametrize("wrong", BAD.values(), ids=BAD)
def test_what_is_wrong_is_said_before_anything_is_sent(
    stage: Stage, make: Any, dataset: Any, wrong: Callable[[Any], Any]
) -> None:
    users = make()
    stage.call(lambda: users.put("u", ADA))
    before = dataset()

    with pytest.raises(InvalidArgument):
        stage.call(lambda: wrong(users))

    assert dataset() == before


def test_a_record_of_nothing_is_refused(stage: Stage, make: Any) -> None:
    kind = make_dataclass("Nothing", [("a", int | None, None)])

    with pytest.raises(InvalidArgumentValue, match="without fields"):
        stage.call(lambda: make(kind).put("u", kind()))


@pytest.mark.parametrize(
    "kind",
    [
        dict,
        ADA,
        make_dataclass("Empty", []),
        make_dataclass("Wide", [(f"f{number}", int) for number in range(65)]),
        make_dataclass("Derived", [("a", int), ("b", int, field(init=False))]),
    ],
)
def test_a_class_that_cannot_be_kept_is_refused(stage: Stage, make: Any, kind: Any) -> None:
    with pytest.raises(InvalidArgument):
        make(kind)


def test_a_default_that_is_not_0_is_nothing_to_count_from(stage: Stage, make: Any) -> None:
    kind = make_dataclass("Lives", [("left", int, 3)])

    with pytest.raises(InvalidArgumentValue, match="default"):
        stage.call(lambda: make(kind).increment("u", "left"))


def test_options_are_checked(stage: Stage, make: Any) -> None:
    for options in ({"ttl": timedelta(0)}, {"ttl": timedelta(days=367)}, {"namespace": "a b"}):
        with pytest.raises(InvalidArgument):
            make(**options)
    with pytest.raises(InvalidArgumentType):
        make(ttl=5)


def test_a_namespace_is_before_every_key(stage: Stage, make: Any, client: Any) -> None:
    stage.call(lambda: make(namespace="shop").put("u", ADA))

    assert client.keys("*") == [b"shop:" + KEY.encode()]


@pytest.mark.single_server("the memory of one server is limited")
def test_a_server_that_takes_nothing_more_is_told(
    stage: Stage, make: Any, make_full: Callable[[], None]
) -> None:
    users = make()
    stage.call(lambda: users.put("u", ADA))
    make_full()

    with pytest.raises(NotExecuted):
        stage.call(lambda: users.put("v", ADA))
    assert stage.call(lambda: users.get("u")) == ADA
    assert stage.call(lambda: users.remove("u")) is True
