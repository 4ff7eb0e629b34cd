"""What the scripts of `queue` may answer: one state after the other, at times that are given."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Literal, NamedTuple

from redislua.bindings import queue

LONGEST_LEASE = 86_400_000
MOST_BYTES = 98_304
MOST_DROPPED = 128

Status = Literal["due", "in_flight", "dead"]


class Job(NamedTuple):
    """One job.

    Attributes:
        id: Its name.
        payload: What it carries.
        token: That of the call that scheduled it.
        status: Where it is.
        at: When it is due, when its lease ends or when it died, in milliseconds.
        attempt: How often it was claimed.
        receipt: That of the last claim.
        place: Its place among what was claimed with it, from 1 on.
    """

    id: str
    payload: bytes
    token: str
    status: Status
    at: int
    attempt: int = 0
    receipt: str = ""
    place: int = 0


State = tuple[Job, ...]
"""The jobs in order of their ids."""

EMPTY: State = ()


def find(state: State, id_: str) -> Job | None:
    """The job of this id."""
    return next((job for job in state if job.id == id_), None)


def put(state: State, *jobs: Job) -> State:
    """The state with these jobs in place of those that had their ids."""
    found = {job.id: job for job in (*state, *jobs)}
    return tuple(found[id_] for id_ in sorted(found))


def without(state: State, ids: Iterable[str]) -> State:
    """The state without these jobs."""
    gone = set(ids)
    return tuple(job for job in state if job.id not in gone)


def of(state: State, status: Status) -> list[Job]:
    """The jobs that are there, in order of time."""
    found = [job for job in state if job.status == status]
    return sorted(found, key=lambda job: (job.at, job.id.encode()))


def schedule(
    state: State, id_: str, payload: bytes, token: str, run_at: int, *, replace: bool
) -> tuple[State, Any]:
    """The next state and the answer."""
    job = find(state, id_)
    if job is not None and job.token == token:
        return state, queue.ScheduleReplayed()
    if job is not None and not replace:
        return state, queue.ScheduleExists(job.status, job.at if job.status == "due" else None)
    kind = queue.ScheduleScheduled if job is None else queue.ScheduleRescheduled
    return put(state, Job(id_, payload, token, "due", run_at)), kind(run_at)


def claim(
    state: State,
    receipt: str,
    now: int,
    lease: int,
    count: int = 1,
    max_attempts: int = 25,
    keep_dead: int = 1_000,
) -> tuple[State, Any]:
    """The next state and the answer."""
    held = [job for job in state if job.status == "in_flight" and job.receipt == receipt]
    if held:
        held.sort(key=lambda job: job.place)
        state = put(state, *(_prolonged(job, now, lease) for job in held))
        return state, queue.ClaimClaimed(0, _rows(held))

    leased = of(state, "in_flight")
    overdue = [job for job in leased if job.at <= now]
    overdue += [job for job in leased if job.at > now + LONGEST_LEASE]
    ready = [job for job in of(state, "due") if job.at <= now]
    given_up: list[Job] = []
    taken: list[Job] = []
    size = 0
    for job in (overdue + ready)[:count]:
        if job.status == "in_flight" and job.attempt >= max_attempts:
            given_up.append(job._replace(status="dead", at=now))
            continue
        size += len(job.payload)
        if size > MOST_BYTES:
            break
        attempt, place = job.attempt + 1, len(taken) + 1
        taken.append(
            job._replace(
                status="in_flight", at=now + lease, attempt=attempt, receipt=receipt, place=place
            )
        )
    state = _trimmed(put(state, *given_up, *taken), keep_dead)
    if taken:
        return state, queue.ClaimClaimed(len(given_up), _rows(taken))
    waiting = [job.at for job in state if job.status != "dead"]
    after = timedelta(milliseconds=max(min(waiting) - now, 0)) if waiting else None
    return state, queue.ClaimEmpty(len(given_up), after)


def _prolonged(job: Job, now: int, lease: int) -> Job:
    earlier = job.at if job.at <= now + LONGEST_LEASE else 0
    return job._replace(at=max(earlier, now + lease))


def _rows(jobs: Iterable[Job]) -> tuple[queue.ClaimClaimedRow, ...]:
    return tuple(queue.ClaimClaimedRow(job.id, job.attempt, job.payload) for job in jobs)


def _trimmed(state: State, keep_dead: int) -> State:
    dead = of(state, "dead")
    excess = min(len(dead) - keep_dead, MOST_DROPPED)
    return without(state, (job.id for job in dead[: max(excess, 0)]))


def ack(state: State, id_: str, receipt: str) -> tuple[State, Any]:
    """The next state and the answer."""
    job = find(state, id_)
    if job is None:
        return state, queue.AckGone()
    if job.receipt != receipt:
        return state, queue.AckLost()
    return without(state, [id_]), queue.AckAcked()


def nack(
    state: State,
    id_: str,
    receipt: str,
    now: int,
    delay: int = 0,
    max_attempts: int = 25,
    keep_dead: int = 1_000,
) -> tuple[State, Any]:
    """The next state and the answer."""
    job = find(state, id_)
    if job is None:
        return state, queue.NackGone()
    if job.receipt != receipt:
        return state, queue.NackLost()
    if job.status == "due":
        return state, queue.NackRetried(job.at)
    if job.status == "dead":
        return state, queue.NackDead(job.attempt)
    if job.attempt >= max_attempts:
        died = job._replace(status="dead", at=now)
        return _trimmed(put(state, died), keep_dead), queue.NackDead(job.attempt)
    due = job._replace(status="due", at=now + delay)
    return put(state, due), queue.NackRetried(now + delay)


def renew(
    state: State, receipt: str, now: int, lease: int, id_: str | None = None
) -> tuple[State, Any]:
    """The next state and the answer."""
    held = [
        job
        for job in state
        if job.status == "in_flight" and job.receipt == receipt and id_ in (None, job.id)
    ]
    if held:
        rows = tuple(queue.RenewRenewedRow(job.id) for job in held)
        return put(state, *(_prolonged(job, now, lease) for job in held)), queue.RenewRenewed(rows)
    return state, queue.RenewGone() if id_ and find(state, id_) is None else queue.RenewLost()


def remove(state: State, id_: str) -> tuple[State, Any]:
    """The next state and the answer."""
    job = find(state, id_)
    if job is None:
        return state, queue.RemoveMissing()
    return without(state, [id_]), queue.RemoveRemoved(job.status)


def inspect(state: State, now: int) -> queue.InspectCounts:
    """The answer."""
    due = of(state, "due")
    ready = sum(job.at <= now for job in due)
    after = timedelta(milliseconds=max(due[0].at - now, 0)) if due else None
    in_flight, dead = len(of(state, "in_flight")), len(of(state, "dead"))
    return queue.InspectCounts(len(due), ready, in_flight, dead, after)


def list_dead(state: State, start: int = 0, count: int = 100) -> queue.ListDeadListed:
    """The answer, where payloads are small."""
    dead = of(state, "dead")[::-1]
    rows = tuple(
        queue.ListDeadListedRow(job.id, job.attempt, job.at, job.payload)
        for job in dead[start : start + count]
    )
    return queue.ListDeadListed(len(dead), rows)
