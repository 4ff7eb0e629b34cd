"""The scripts of `session`: what is logged out stays logged out."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import redis

from redislua.bindings import session
from redislua.errors import OutOfMemory
from redislua.runtime import Call, run, run_many

HOUR = timedelta(hours=1)
INDEX = "session:{u}:index"


def name(sid: str) -> str:
    return f"session:{{u}}:s:{sid}"


def create(sid: str, idle: timedelta = HOUR, **given: Any) -> Call[session.CreateReply]:
    terms: dict[str, Any] = {"absolute": 24 * HOUR, "fields": {}} | given
    return session.create(user="u", sid=sid, idle=idle, **terms)


def touch(sid: str) -> Call[session.TouchReply]:
    return session.touch(user="u", sid=sid)


def patch(
    sid: str, sets: Any = (), unsets: Any = (), rev: int | None = None, token: str | None = None
) -> Call[session.PatchReply]:
    rows = [session.PatchUnsetsRow(one) for one in unsets]
    return session.patch(user="u", sid=sid, rev=rev, token=token, sets=dict(sets), unsets=rows)


def rotate(sid: str, new_sid: str) -> Call[session.RotateReply]:
    return session.rotate(user="u", sid=sid, new_sid=new_sid)


def destroy(sid: str) -> Call[session.DestroyReply]:
    return session.destroy(user="u", sid=sid)


def revoke_all(keep: str | None = None) -> Call[session.RevokeAllRevoked]:
    return session.revoke_all(user="u", keep=keep)


def listed(offset: int = 0, count: int = 100) -> Call[session.ListListed]:
    return session.list(user="u", offset=offset, count=count)


SWEEP = session.sweep(user="u")


def data(reply: Any) -> dict[str, bytes]:
    assert isinstance(reply, session.TouchLive)
    return {row.name: row.value for row in reply.fields}


# --- a session ------------------------------------------------------------------------------


def test_it_holds_what_was_put_into_it(call: Any) -> None:
    fields = {"name": b"Ann", "blob": b"\x00\xff"}

    assert call(create("a", fields=fields)) == session.CreateCreated(0)
    reply = call(touch("a"))

    assert data(reply) == fields
    assert HOUR - timedelta(minutes=1) < reply.idle_left <= HOUR
    assert 23 * HOUR < reply.absolute_left <= 24 * HOUR
    assert (reply.rev, reply.wrote) == (1, False)


def test_it_lives_on_while_it_is_used_and_its_index_with_it(call: Any, client: Any) -> None:
    """P16: the index outlives every session that it holds."""
    short = timedelta(milliseconds=400)
    call(create("a", short))
    for _ in range(4):
        time.sleep(0.2)
        assert isinstance(call(touch("a")), session.TouchLive)
        assert client.pexpiretime(INDEX) >= client.pexpiretime(name("a"))

    time.sleep(0.5)
    assert call(touch("a")) == session.TouchMissing()
    assert not client.exists(name("a"), INDEX)


def test_it_ends_at_the_latest_however_it_is_used(call: Any, client: Any) -> None:
    call(create("a", HOUR, absolute=timedelta(milliseconds=300)))
    time.sleep(0.15)
    assert isinstance(call(touch("a")), session.TouchLive)
    assert client.pttl(name("a")) <= 150
    time.sleep(0.2)

    assert call(touch("a")) == session.TouchMissing()


def test_looking_at_it_writes_only_when_a_tenth_of_idle_was_used(call: Any, dataset: Any) -> None:
    call(create("a"))
    before = dataset()

    assert not call(touch("a")).wrote
    assert dataset() == before


# --- logout ---------------------------------------------------------------------------------


def test_no_call_brings_back_what_was_logged_out(call: Any, dataset: Any) -> None:
    """P15: neither use nor change nor a late login revives it."""
    mine = create("a")
    call(mine)
    call(revoke_all())
    before = dataset()

    assert call(touch("a")) == session.TouchRevoked()
    assert call(patch("a", {"x": b"1"})) == session.PatchRevoked()
    assert call(rotate("a", "b")) == session.RotateRevoked()
    assert call(mine) == session.CreateRevoked()
    assert dataset() == before


def test_logout_everywhere_misses_nobody(client: redis.Redis) -> None:
    """P16, P24: of ten thousand sessions none is valid afterwards."""
    sids = [f"s{number}" for number in range(10_000)]
    for at in range(0, len(sids), 1_000):
        run_many(client, *[create(sid, max_sessions=10_000) for sid in sids[at : at + 1_000]])
    assert run(client, listed()).sessions == 10_000

    assert run(client, revoke_all(keep="s77")) == session.RevokeAllRevoked(9_999)

    found = [
        one
        for at in range(0, len(sids), 1_000)
        for one in run_many(client, *[touch(sid) for sid in sids[at : at + 1_000]])
    ]
    live = [sid for sid, one in zip(sids, found, strict=True) if isinstance(one, session.TouchLive)]
    assert live == ["s77"]
    assert client.pttl(INDEX) > 0


def test_logout_ends_one_session(call: Any, client: Any) -> None:
    call(create("a"))
    call(create("b"))

    assert call(destroy("a")) == session.DestroyDestroyed()
    assert call(destroy("a")) == session.DestroyMissing()
    assert isinstance(call(touch("b")), session.TouchLive)
    assert not client.exists(name("a"))


def test_a_lost_index_logs_everybody_out(call: Any, client: Any) -> None:
    """Closed rather than open: an index that was evicted revives nobody."""
    call(create("a"))
    client.delete(INDEX)
    call(create("b"))

    assert call(touch("a")) == session.TouchRevoked()
    assert isinstance(call(touch("b")), session.TouchLive)


# --- changes --------------------------------------------------------------------------------


def test_two_changes_of_different_fields_both_stay(call: Any) -> None:
    """P17: nobody writes back a whole that was read before."""
    call(create("a", fields={"cart": b"1", "lang": b"en"}))

    call(patch("a", {"cart": b"2"}))
    call(patch("a", {"lang": b"de"}, ["nothing"]))

    assert data(call(touch("a"))) == {"cart": b"2", "lang": b"de"}


def test_a_change_does_not_put_off_the_end(call: Any, client: Any) -> None:
    """P17."""
    call(create("a"))
    before = client.pexpiretime(name("a"))

    call(patch("a", {"x": b"1"}))

    assert client.pexpiretime(name("a")) == before


def test_a_change_of_what_was_read_conflicts_with_another(call: Any) -> None:
    call(create("a"))
    mine = patch("a", {"x": b"1"}, rev=1)

    assert call(mine) == session.PatchPatched(2)
    assert call(mine) == session.PatchPatched(2)  # sent again
    assert call(patch("a", {"x": b"2"}, rev=1)) == session.PatchConflict(2)
    assert data(call(touch("a"))) == {"x": b"1"}


@pytest.mark.parametrize(
    "sets", [{f"f{at}": b"" for at in range(60)}, {"x": b"x" * 16_380}], ids=["fields", "bytes"]
)
def test_a_session_does_not_grow_without_end(call: Any, dataset: Any, sets: Any) -> None:
    call(create("a", fields={f"g{at}": b"" for at in range(10)}))
    before = dataset()

    with pytest.raises(session.TooLargeError):
        call(patch("a", sets))
    with pytest.raises(session.TooLargeError):
        call(create("b", fields={"x": b"x" * 16_384}))
    assert dataset() == before


# --- ids and limits -------------------------------------------------------------------------


def test_a_new_id_takes_everything_with_it(call: Any, client: Any) -> None:
    call(create("a", fields={"name": b"Ann"}))
    before = client.pexpiretime(name("a"))

    assert call(rotate("a", "b")) == session.RotateRotated()
    assert call(rotate("a", "b")) == session.RotateReplayed()

    assert call(touch("a")) == session.TouchMissing()
    assert data(call(touch("b"))) == {"name": b"Ann"}
    assert client.pexpiretime(name("b")) == before
    assert call(listed()).sessions == 1


def test_the_least_recently_used_sessions_are_ended(call: Any) -> None:
    for sid, hours in (("a", 3), ("b", 1), ("c", 2)):
        call(create(sid, hours * HOUR, max_sessions=3))

    assert call(create("d", 4 * HOUR, max_sessions=2)) == session.CreateCreated(2)

    assert [row.sid for row in call(listed()).rows] == ["d", "a"]
    assert call(touch("b")) == session.TouchRevoked()


def test_or_the_new_one_is_refused(call: Any, dataset: Any) -> None:
    call(create("a", max_sessions=1))
    before = dataset()

    assert call(create("b", max_sessions=1, policy="reject")) == session.CreateTooMany(1)
    assert dataset() == before


def test_they_are_listed_page_by_page(call: Any) -> None:
    for at in range(5):
        call(create(f"s{at}", (at + 1) * HOUR))

    first, second = call(listed(count=3)), call(listed(3, 3))

    assert [row.sid for row in first.rows + second.rows] == ["s4", "s3", "s2", "s1", "s0"]
    assert (first.next, second.next, first.sessions) == (3, None, 5)
    assert 4 * HOUR < first.rows[0].left <= 5 * HOUR


# --- a full server --------------------------------------------------------------------------


def test_a_full_server_logs_out_and_lets_nobody_in(
    client: redis.Redis, make_full: Callable[[], None], dataset: Callable[[], Any]
) -> None:
    for sid in ("a", "b", "c"):
        run(client, create(sid))
    make_full()
    before = dataset()

    for refused in (create("d"), patch("a", {"x": b"1"}), rotate("a", "e"), touch("a")):
        with pytest.raises(OutOfMemory):
            run(client, refused)
    assert dataset() == before
    assert run(client, listed()).sessions == 3
    assert run(client, destroy("a")) == session.DestroyDestroyed()
    assert run(client, SWEEP) == session.SweepSwept(0)
    assert run(client, revoke_all(keep="b")) == session.RevokeAllRevoked(1)
