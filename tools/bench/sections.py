"""The sections of a run: which contests are held, and between whom."""

from __future__ import annotations

import os

from .contest import Arena, Entrant
from .workload import BATCH

EVALSHA = "client.evalsha"
POOL = "redis-py"
RUN = "redislua run"
LIMIT = "redislua Limit"
ARUN = "redislua arun"
ASYNC_LIMIT = "redislua AsyncLimit"
COREDIS = "coredis"
GLIDE = "valkey-glide"
RUN_MANY = "redislua run_many"
ARUN_MANY = "redislua arun_many"
PIPELINE = "redis-py pipeline"
LOCKSTEP = "redis-benchmark, 1 connection"

TASKS = (1, 10, 50, 200)
THREADS = (1, 2, 4, 16, 64)


def one(arena: Arena) -> None:
    """One caller, client and server on one processor."""
    core = max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    pinned = "client and server pinned to one processor"
    if core is None:
        pinned = "not pinned: this system cannot"
    arena.hold(
        "one",
        "One blocking caller",
        [
            Entrant(RUN, "ours:RUN"),
            Entrant(LIMIT, "ours:BOUND"),
            Entrant(EVALSHA, "redis_py:EVALSHA"),
            Entrant("register_script", "redis_py:REGISTER_SCRIPT"),
            Entrant("bare socket", "bare:BARE", note="prepared bytes, hiredis: the limit"),
        ],
        callers=1,
        baseline=EVALSHA,
        core=core,
        conditions=pinned,
    )
    arena.hold(
        "one asyncio, pinned",
        "One asyncio caller",
        [
            Entrant(ARUN, "ours:ARUN"),
            Entrant(ASYNC_LIMIT, "ours:ASYNC_BOUND"),
            Entrant(POOL, "redis_py:ASYNC_EVALSHA"),
        ],
        callers=1,
        baseline=POOL,
        core=core,
        conditions=pinned,
    )


def asyncio(arena: Arena) -> None:
    """Several asyncio callers."""
    for callers in TASKS:
        shapes = [Entrant(LOCKSTEP, shape=(1, callers), note=f"-c 1 -P {callers}")]
        if callers > 1:
            half, all_ = (2, callers // 2), (callers, 1)
            shapes += [
                Entrant("redis-benchmark, 2 connections", shape=half, note=f"-c 2 -P {half[1]}"),
                Entrant("redis-benchmark, as many", shape=all_, note=f"-c {callers} -P 1"),
            ]
        arena.hold(
            f"asyncio {callers}",
            f"{callers} asyncio caller{'s' * (callers > 1)}",
            [
                Entrant(ARUN, "ours:ARUN"),
                Entrant(ASYNC_LIMIT, "ours:ASYNC_BOUND"),
                Entrant(POOL, "redis_py:ASYNC_EVALSHA"),
                Entrant(COREDIS, "peers:COREDIS"),
                Entrant(GLIDE, "peers:GLIDE"),
                *shapes,
            ],
            callers=callers,
            baseline=POOL,
        )


def threads(arena: Arena) -> None:
    """Several threads."""
    for callers in THREADS:
        arena.hold(
            f"threads {callers}",
            f"{callers} thread{'s' * (callers > 1)}",
            [
                Entrant(RUN, "ours:RUN"),
                Entrant(LIMIT, "ours:BOUND"),
                Entrant(POOL, "redis_py:EVALSHA"),
            ],
            callers=callers,
            baseline=POOL,
        )


def limits(arena: Arena) -> None:
    """The same decision through other rate limiters."""
    sliding, moving, fixed = "sliding window counter", "moving window", "fixed window"
    arena.hold(
        "limits blocking",
        "A rate-limit decision, one blocking caller",
        [
            Entrant(LIMIT, "ours:BOUND", note="GCRA"),
            Entrant("throttled-py", "limiters:THROTTLED", note="GCRA"),
            Entrant("pyrate-limiter", "limiters:PYRATE", note="GCRA, by the client's clock"),
            Entrant("limits, sliding", "limiters:LIMITS_SLIDING", note=sliding),
            Entrant("limits, moving", "limiters:LIMITS_MOVING", note=moving),
            Entrant("limits, fixed", "limiters:LIMITS_FIXED", note=fixed),
        ],
        callers=1,
        baseline="throttled-py",
    )
    arena.hold(
        "limits asyncio",
        "A rate-limit decision, 50 asyncio callers",
        [
            Entrant(ASYNC_LIMIT, "ours:ASYNC_BOUND", note="GCRA"),
            Entrant("throttled-py", "limiters:ASYNC_THROTTLED", note="GCRA"),
            Entrant("pyrate-limiter", "limiters:ASYNC_PYRATE", note="GCRA, by the client's clock"),
            Entrant("limits, sliding", "limiters:ASYNC_LIMITS_SLIDING", note=sliding),
            Entrant("limits, moving", "limiters:ASYNC_LIMITS_MOVING", note=moving),
            Entrant("limits, fixed", "limiters:ASYNC_LIMITS_FIXED", note=fixed),
        ],
        callers=50,
        baseline="throttled-py",
    )


def cluster(arena: Arena) -> None:
    """A cluster of three, calls spread over 10 000 keys."""
    arena.hold(
        "cluster asyncio",
        "Cluster of 3, 50 asyncio callers",
        [
            Entrant(ARUN, "clusters:ARUN"),
            Entrant(POOL, "clusters:ASYNC_EVALSHA"),
        ],
        callers=50,
        baseline=POOL,
    )
    arena.hold(
        "cluster threads",
        "Cluster of 3, 16 threads",
        [Entrant(RUN, "clusters:RUN"), Entrant(POOL, "clusters:EVALSHA")],
        callers=16,
        baseline=POOL,
    )
    arena.hold(
        "cluster batch",
        f"Cluster of 3, batches of {BATCH}, blocking",
        [
            Entrant(RUN_MANY, "clusters:RUN_MANY"),
            Entrant(PIPELINE, "clusters:PIPELINE", note="execute_command in a pipeline"),
        ],
        callers=1,
        batch=BATCH,
        baseline=PIPELINE,
    )
    arena.hold(
        "cluster batch asyncio",
        f"Cluster of 3, batches of {BATCH}, asyncio",
        [
            Entrant(ARUN_MANY, "clusters:ARUN_MANY"),
            Entrant(PIPELINE, "clusters:ASYNC_PIPELINE", note="execute_command in a pipeline"),
        ],
        callers=1,
        batch=BATCH,
        baseline=PIPELINE,
    )
