"""Conditional updates and deletes against a model, resends among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import redis
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from redislua.bindings import cache
from redislua.runtime import Call

from .clock import Clocked

DOCUMENT = "cache:{k}:document"
TTL = 60_000

MODES = ("create", "match", "exists", "any", "fence")
fences = st.sampled_from([0, 1, 9, 10, 2**53, 2**53 + 1, 10**19 - 1])
values = st.sampled_from([b"", b"v", b"\x00\xff{}"])


@dataclass(frozen=True)
class Document:
    """What is stored."""

    value: bytes
    version: int
    token: str
    fence: int | None = None
    expires: bool = False


class Conditional(RuleBasedStateMachine):
    """One document."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__()
        client.delete(DOCUMENT)
        self.client = client
        self.clocked = Clocked(client)
        self.document: Document | None = None
        self.seen = ["7"]
        self.tokens = 0
        self.sent: list[tuple[Call[Any], dict[str, Any]]] = []

    # --- the model ---------------------------------------------------------------------------

    def refused(self, mode: str, expected: str | None) -> tuple[str, Any] | None:
        """The variant that refuses, and its field; None when the condition holds."""
        document = self.document
        if document is None:
            return ("Missing", None) if mode in ("match", "exists", "delete") else None
        if mode == "create":
            return "Exists", str(document.version)
        if mode == "match" and expected != str(document.version):
            return "Conflict", str(document.version)
        if mode == "fence" and document.fence is not None:
            assert expected is not None
            if int(expected) < document.fence:
                return "StaleFence", str(document.fence)
        return None

    def apply(self, mode: str, expected: str | None, value: bytes, ttl: int, token: str) -> Any:
        """Update the model and return what `conditional_update` must answer."""
        document = self.document
        if document is not None and document.token == token:
            return cache.ConditionalUpdateReplayed(str(document.version))
        match self.refused(mode, expected):
            case ("Missing", _):
                return cache.ConditionalUpdateMissing()
            case ("Exists", version):
                return cache.ConditionalUpdateExists(version)
            case ("Conflict", version):
                assert document is not None
                return cache.ConditionalUpdateConflict(version, document.value)
            case ("StaleFence", fence):
                return cache.ConditionalUpdateStaleFence(fence)
        old = document or Document(b"", 0, "")
        version = max(old.version + 1, self.clocked.now_us)
        fence = int(expected) if mode == "fence" and expected else old.fence
        expires = {0: old.expires, -1: False}.get(ttl, True)
        self.document = Document(value, version, token, fence, expires)
        self.seen.append(str(version))
        return cache.ConditionalUpdateStored(str(version), document is None)

    # --- what callers do -----------------------------------------------------------------------

    @rule(
        mode=st.sampled_from(MODES),
        pick=st.integers(0, 3),
        fence=fences,
        value=values,
        ttl=st.sampled_from([0, -1, TTL]),
    )
    def update(self, mode: Any, pick: int, fence: int, value: bytes, ttl: int) -> None:
        self.tokens += 1
        expected = {"match": self.seen[-1 - pick % len(self.seen)], "fence": str(fence)}.get(mode)
        arguments = {
            "mode": mode,
            "expected": expected,
            "value": value,
            "ttl": ttl,
            "token": f"t{self.tokens}",
        }
        call = cache.conditional_update(key="k", want_value=True, **arguments)
        self.sent.append((call, arguments))

        assert self.clocked.run(call) == self.apply(**arguments)

    @rule(back=st.integers(0, 2))
    def resend(self, back: int) -> None:
        if back < len(self.sent):
            call, arguments = self.sent[-1 - back]
            assert self.clocked.run(call) == self.apply(**arguments)

    @rule(mode=st.sampled_from(["match", "any", "fence"]), pick=st.integers(0, 1), fence=fences)
    def delete(self, mode: Any, pick: int, fence: int) -> None:
        expected = {"match": self.seen[-1 - pick % len(self.seen)], "fence": str(fence)}.get(mode)
        refused = ("Missing", None) if self.document is None else self.refused(mode, expected)
        answers: dict[str, Any] = {
            "Missing": lambda _: cache.ConditionalDeleteMissing(),
            "Conflict": cache.ConditionalDeleteConflict,
            "StaleFence": cache.ConditionalDeleteStaleFence,
        }

        reply = self.clocked.run(cache.conditional_delete(key="k", mode=mode, expected=expected))

        if refused is None:
            assert reply == cache.ConditionalDeleteDeleted()
            self.document = None
        else:
            assert reply == answers[refused[0]](refused[1])

    @rule(us=st.sampled_from([0, 1, 1_000_000]))
    def the_clock_moves(self, us: int) -> None:
        self.clocked.now_us += us

    @rule()
    def the_document_expires(self) -> None:
        if self.document is not None and self.document.expires:
            self.client.delete(DOCUMENT)
            self.document = None

    # --- what always holds ---------------------------------------------------------------------

    @invariant()
    def the_document_is_what_it_should_be(self) -> None:
        expected: Any = cache.ConditionalReadMissing()
        document = self.document
        if document is not None:
            fence = None if document.fence is None else str(document.fence)
            expected = cache.ConditionalReadFound(document.value, str(document.version), fence)
            assert (self.client.pttl(DOCUMENT) > 0) == document.expires
        assert self.clocked.run(cache.conditional_read(key="k")) == expected


def test_conditional_operations_behave_as_their_model(client: redis.Redis) -> None:
    run_state_machine_as_test(
        lambda: Conditional(client),  # type: ignore[arg-type]  # a factory will do, its page says
        settings=settings(max_examples=60, stateful_step_count=40, deadline=None),
    )


def test_versions_never_repeat(client: redis.Redis) -> None:
    """Also across deletes, at one microsecond after the other."""
    clocked = Clocked(client)
    seen = set()
    for turn in range(50):
        stored: Any = clocked.run(cache.conditional_update(key="k", mode="any", value=b""))
        seen.add(stored.version)
        if turn % 5 == 4:
            clocked.now_us += 5
            clocked.run(cache.conditional_delete(key="k", mode="any"))

    assert len(seen) == 50
