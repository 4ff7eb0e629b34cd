"""`SessionStore` and `AsyncSessionStore`: logins, and logout everywhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from redislua.errors import InvalidArgument
from redislua.patterns.session_store import (
    AsyncSessionStore,
    SessionConflict,
    SessionGone,
    SessionStore,
    SessionTooLarge,
    TooManySessions,
)
from tests.patterns.stage import Stage

KEY = b"sixteen bytes or"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def make(stage: Stage, client: Any) -> Callable[..., Any]:
    """``make(max_sessions=…)`` is a store of the surface's kind on an empty server."""
    return lambda key=KEY, **options: stage.make(SessionStore, AsyncSessionStore, key, **options)


def create(stage: Stage, store: Any, **data: Any) -> str:
    token: str = stage.call(lambda: store.create("ann", data))
    return token


def test_create_load_and_destroy(stage: Stage, make: Any) -> None:
    store = make(idle=10 * MINUTE, absolute=60 * MINUTE)
    token = create(stage, store, theme="dark", cart=[1, None])

    session = stage.call(lambda: store.load(token))

    assert session.data == {"theme": "dark", "cart": [1, None]}
    assert 9 * MINUTE < session.idle_left <= 10 * MINUTE < session.absolute_left <= 60 * MINUTE
    assert stage.call(lambda: store.destroy(token)) is True
    assert stage.call(lambda: store.load(token)) is None
    assert stage.call(lambda: store.destroy(token)) is False


@pytest.mark.parametrize("token", ["", "x", "a.b", "é" * 66, "a" * 22 + "." + "b" * 43])
def test_what_no_store_has_given_out_is_no_session(stage: Stage, make: Any, token: str) -> None:
    store = make()

    assert stage.call(lambda: store.load(token)) is None
    assert stage.call(lambda: store.destroy(token)) is False
    for method in (partial(store.patch, token, {"a": 1}), partial(store.rotate, token)):
        with pytest.raises(SessionGone):
            stage.call(method)


def test_neither_token_nor_user_is_on_the_server(stage: Stage, make: Any, client: Any) -> None:
    token = create(stage, make(), name="somebody")
    secret = token.partition(".")[2].encode()

    nodes = client.primaries() if hasattr(client, "primaries") else [client]
    seen = b"".join(key + (node.dump(key) or b"") for node in nodes for key in node.keys("*"))

    assert b"somebody" in seen
    assert secret not in seen
    assert b"ann" not in seen


def test_requests_at_once_do_not_undo_each_others_work(stage: Stage, make: Any) -> None:
    store = make()
    token = create(stage, store)

    stage.together(*[partial(store.patch, token, {f"f{at}": at}) for at in range(20)])

    session = stage.call(lambda: store.load(token))
    assert session.data == {f"f{at}": at for at in range(20)}
    assert session.rev == 21


def test_of_two_who_change_what_they_read_one_is_told(stage: Stage, make: Any) -> None:
    store = make()
    token = create(stage, store, n=0)

    found = stage.together(*[partial(store.patch, token, {"n": at}, rev=1) for at in range(5)])

    assert found.count(2) == 1
    assert sum(isinstance(one, SessionConflict) and one.rev == 2 for one in found) == 4


def test_fields_are_removed(stage: Stage, make: Any) -> None:
    store = make()
    token = create(stage, store, a=1, b=2)

    stage.call(lambda: store.patch(token, unset=["a", "nothing"]))

    assert stage.call(lambda: store.load(token)).data == {"b": 2}


def test_a_rotated_token_is_worth_nothing(stage: Stage, make: Any) -> None:
    store = make()
    old = create(stage, store, a=1)

    new = stage.call(lambda: store.rotate(old))

    assert stage.call(lambda: store.load(old)) is None
    assert stage.call(lambda: store.load(new)).data == {"a": 1}
    with pytest.raises(SessionGone):
        stage.call(lambda: store.rotate(old))


def test_logout_everywhere_but_here(stage: Stage, make: Any) -> None:
    """While others use and change their sessions."""
    store = make()
    tokens = [create(stage, store) for _ in range(8)]
    other = stage.call(lambda: store.create("bob"))

    stage.together(
        *[partial(store.patch, token, {"a": 1}) for token in tokens[1:]],
        partial(store.destroy_all, "ann", keep=tokens[0]),
        *[partial(store.load, token) for token in tokens[1:]],
    )

    live = [token for token in tokens if stage.call(partial(store.load, token)) is not None]
    assert live == tokens[:1]
    assert stage.call(lambda: store.load(other)) is not None
    assert stage.call(lambda: store.destroy_all("ann")) == 1


def test_sessions_are_listed_and_ended_one_by_one(stage: Stage, make: Any) -> None:
    store = make(max_sessions=1_000)
    tokens = [create(stage, store) for _ in range(103)]
    session = stage.call(lambda: store.load(tokens[50]))

    found = stage.call(lambda: store.sessions("ann"))

    assert len(found) == 103
    assert session.id in {one.id for one in found}
    assert all(29 * MINUTE < one.left <= 30 * MINUTE for one in found)
    assert stage.call(lambda: store.destroy_id("ann", session.id)) is True
    assert stage.call(lambda: store.load(tokens[50])) is None
    assert stage.call(lambda: store.sessions("nobody")) == []


def test_there_are_no_more_than_there_may_be(stage: Stage, make: Any) -> None:
    store = make(max_sessions=2)
    first = create(stage, store)
    for _ in range(2):
        stage.call(lambda: stage.pause(0.005))
        create(stage, store)
    assert stage.call(lambda: store.load(first)) is None

    with pytest.raises(TooManySessions) as caught:
        create(stage, make(max_sessions=2, policy="reject"))
    assert caught.value.sessions == 2


def test_what_is_too_large_is_refused(stage: Stage, make: Any) -> None:
    store = make()
    token = create(stage, store, a=1)

    with pytest.raises(SessionTooLarge):
        stage.call(lambda: store.patch(token, {"b": "x" * 16_380}))
    with pytest.raises(SessionTooLarge):
        create(stage, store, b="x" * 16_382)
    assert stage.call(lambda: store.load(token)).data == {"a": 1}


def test_another_key_finds_nothing_of_a_user(stage: Stage, make: Any) -> None:
    token = create(stage, make())
    other = make(b"another key of sixteen bytes")

    assert stage.call(lambda: other.destroy_all("ann")) == 0
    assert stage.call(lambda: other.load(token)) is not None  # the token says where it lies


@pytest.mark.parametrize(
    ("key", "options", "named"),
    [
        (b"short", {}, "key"),
        ("a string of sixteen", {}, "key"),
        (KEY, {"idle": timedelta(0)}, "idle"),
        (KEY, {"absolute": 3}, "absolute"),
        (KEY, {"max_sessions": 0}, "max_sessions"),
        (KEY, {"policy": "nobody"}, "policy"),
        (KEY, {"namespace": "a b"}, "namespace"),
    ],
)
def test_terms_that_cannot_be_kept_are_refused_when_it_is_made(
    make: Any, key: Any, options: Any, named: str
) -> None:
    with pytest.raises(InvalidArgument, match=named):
        make(key, **options)
