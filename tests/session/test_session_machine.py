"""The sessions of one user against their model, in any order that hypothesis can think of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import redis
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from redislua.bindings import session
from tests.cache.clock import Clocked
from tests.session.model import Sessions
from tests.session.test_session_family import (
    INDEX,
    SWEEP,
    create,
    destroy,
    listed,
    name,
    patch,
    revoke_all,
    rotate,
    touch,
)

MINUTE = 60_000
SIDS = ("a", "b", "c", "d")
sids = st.sampled_from(SIDS)
values = st.dictionaries(st.sampled_from("xy"), st.sampled_from([b"", b"1", b"\xff"]))
times = st.integers(1, 2)


def word(reply: Any) -> str:
    """The variant's name without the script's."""
    found = type(reply).__name__
    return next(found.removeprefix(one) for one in VERBS if found.startswith(one))


VERBS = ("Create", "Touch", "Patch", "Rotate", "Destroy", "RevokeAll")


class Machine(RuleBasedStateMachine):
    """One user, under a clock that also goes back."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__()
        client.delete(INDEX, *map(name, SIDS))
        self.client = client
        self.clocked = Clocked(client)
        self.model = Sessions()

    @property
    def now(self) -> int:
        return self.clocked.now_ms

    @rule(
        sid=sids,
        idle=st.sampled_from([MINUTE, 60 * MINUTE]),
        absolute=st.sampled_from([30 * MINUTE, 600 * MINUTE]),
        most=st.integers(1, 3),
        policy=st.sampled_from(["evict_oldest", "reject"]),
        data=values,
    )
    def create(
        self, sid: str, idle: int, absolute: int, most: int, policy: Any, data: dict[str, bytes]
    ) -> None:
        expected = self.model.create(self.now, sid, idle, absolute, most, policy, data)
        span = timedelta(milliseconds=idle)
        call = create(sid, span, absolute=absolute, max_sessions=most, policy=policy, fields=data)
        assert self.clocked.run(call) == expected

    @rule(sid=sids, times=times)
    def touch(self, sid: str, times: int) -> None:
        for _ in range(times):
            expected = self.model.touch(self.now, sid)
            reply = self.clocked.run(touch(sid))
            if isinstance(expected, str):
                assert word(reply) == expected
            else:
                assert isinstance(reply, session.TouchLive)
                ms = timedelta(milliseconds=1)
                data = {row.name: row.value for row in reply.fields}
                times_left = reply.idle_left / ms, reply.absolute_left / ms
                assert (*times_left, reply.wrote, reply.rev, data) == expected

    @rule(
        sid=sids,
        rev=st.sampled_from([None, 1, 2]),
        token=st.sampled_from(["s", "t"]),
        sets=values,
        unsets=st.sets(st.sampled_from("xy")),
        times=times,
    )
    def patch(
        self, sid: str, rev: int | None, token: str, sets: Any, unsets: Any, times: int
    ) -> None:
        for _ in range(times):
            expected = self.model.patch(self.now, sid, rev, token, sets, unsets)
            reply = self.clocked.run(patch(sid, sets, sorted(unsets), rev, token))
            assert expected in (reply, word(reply))

    @rule(sid=sids, new_sid=sids, times=times)
    def rotate(self, sid: str, new_sid: str, times: int) -> None:
        if sid == new_sid:
            return
        for _ in range(times):
            expected = self.model.rotate(self.now, sid, new_sid)
            try:
                found = word(self.clocked.run(rotate(sid, new_sid)))
            except redis.ResponseError as error:
                assert "RLUA_BAD_ARGUMENT" in str(error)  # noqa: PT017 - others go on
                found = "BadArgument"
            assert found == expected

    @rule(sid=sids)
    def destroy(self, sid: str) -> None:
        assert word(self.clocked.run(destroy(sid))) == self.model.destroy(sid)

    @rule(keep=st.none() | sids)
    def revoke_all(self, keep: str | None) -> None:
        expected = self.model.revoke_all(self.now, keep)
        assert self.clocked.run(revoke_all(keep)).sessions == expected

    @rule()
    def sweep(self) -> None:
        assert self.clocked.run(SWEEP).sessions == self.model.sweep(self.now)

    @rule(step=st.sampled_from([1, 5_000, MINUTE - 1, MINUTE, 31 * MINUTE, -1, -MINUTE, -(10**8)]))
    def the_clock_moves(self, step: int) -> None:
        self.clocked.advance(step)

    @rule(sid=sids)
    def a_session_expires(self, sid: str) -> None:
        self.client.delete(name(sid))
        self.model.kept.pop(sid, None)

    @invariant()
    def those_that_are_valid_are_listed(self) -> None:
        reply = self.clocked.run(listed())
        assert [row.sid for row in reply.rows] == self.model.live(self.now)[::-1]

    @invariant()
    def every_key_expires(self) -> None:
        assert {sid for sid in SIDS if self.client.pttl(name(sid)) > 0} == set(self.model.kept)
        assert (self.client.pttl(INDEX) > 0) == bool(self.model.ends)


def test_the_family_behaves_as_its_model(client: redis.Redis) -> None:
    run_state_machine_as_test(
        lambda: Machine(client),  # type: ignore[arg-type]  # a factory will do, its page says
        settings=settings(max_examples=60, stateful_step_count=30, deadline=None),
    )
