"""P15, P16: sessions that outlive a logout."""

from __future__ import annotations

import time

import redis

from redislua.bindings import session
from redislua.runtime import run

HOUR_MS = 3_600_000


def test_p15_a_session_that_is_read_while_its_user_logs_out_stays_gone(
    client: redis.Redis,
) -> None:
    """A refresh that writes what it has read brings back what was deleted meanwhile."""
    client.set("naive", "session", px=HOUR_MS)
    read = client.get("naive")
    client.delete("naive")  # the logout, between the two
    client.set("naive", read or b"", px=HOUR_MS)
    assert client.exists("naive")

    run(client, session.create(user="u", sid="a", idle=HOUR_MS, absolute=HOUR_MS, fields=[]))
    assert isinstance(run(client, session.touch(user="u", sid="a")), session.TouchLive)
    run(client, session.destroy(user="u", sid="a"))
    late = run(client, session.touch(user="u", sid="a"))

    assert not isinstance(late, session.TouchLive)
    assert not isinstance(run(client, session.touch(user="u", sid="a")), session.TouchLive)


def test_p16_a_session_that_is_in_use_is_found_by_logout_everywhere(client: redis.Redis) -> None:
    """The index of a user expires, unless every use of a session keeps it."""
    client.sadd("naive:index", "a")
    client.pexpire("naive:index", 200)
    client.set("naive:a", "session", px=1_000)
    call = session.create(user="u", sid="a", idle=1_000, absolute=HOUR_MS, fields=[])
    run(client, call)

    for _ in range(8):
        time.sleep(0.05)
        client.pexpire("naive:a", 1_000)
        touched = run(client, session.touch(user="u", sid="a"))
    assert client.exists("naive:a")
    assert client.smembers("naive:index") == set()  # nobody can end it

    assert isinstance(touched, session.TouchLive)
    ended = run(client, session.revoke_all(user="u"))
    assert ended == session.RevokeAllRevoked(sessions=1)
    assert not isinstance(run(client, session.touch(user="u", sid="a")), session.TouchLive)
