"""What a decision costs the server, and what a subject takes there: ours beside each peer.

Compared are limiters that promise the same. Each makes the same decisions about the same
subjects through its own client; counted are the instructions of the server's process, by
callgrind, which are the same whatever else the machine does. Memory is what all keys of a
subject take, as MEMORY USAGE says it: of a window counter once there is a window before.

Ours decide by the server's clock. A limiter that is told the time by its callers lets through
what their clocks differ by; one that counts what it refuses refuses more than the limit says.
Such are shown, but are no peers that promise the same.
"""

from __future__ import annotations

import importlib
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Self, TypeAlias

import redis

from redislua import server as servers
from redislua.bindings import limit
from redislua.runtime import Call, run
from redislua.server import Server
from redislua.server.embedded import binary

from .measured import Figure

LIMIT = 400
"""Of each subject in a minute: every decision is a yes."""

MINUTE = timedelta(minutes=1)
WINDOW = timedelta(seconds=2)
"""Of a window counter whose memory is measured: short enough to wait for the next."""

SUBJECTS = tuple(f"subject-{number:04}" for number in range(10))
DECISIONS = 100
"""Of each subject: as many as an exact log then holds."""

WARM = 3
STARTS_WITHIN = 60.0

Decide: TypeAlias = Callable[[str], object]
Make: TypeAlias = Callable[[redis.Redis, str, timedelta], Decide]

CALLERS_CLOCK = "by its callers' clocks"
REFUSALS_COUNT = "what it refuses counts"
"""It adds first and asks then: a cost that does not fit uses up what was left."""


@dataclass(frozen=True, slots=True)
class Contender:
    """One limiter.

    Attributes:
        name: As printed.
        make: Given a client, the server's URL and the period, what decides about a subject.
        less: What it does not promise and ours does.
    """

    name: str
    make: Make
    less: str = ""


# --- ours -----------------------------------------------------------------------------------


def _ours(call: Callable[[str, timedelta], Call[Any]]) -> Make:
    return lambda client, _, period: lambda subject: run(client, call(subject, period))


def _gcra(subject: str, period: timedelta) -> Call[Any]:
    return limit.gcra(subject=subject, limit=LIMIT, period=period, burst=LIMIT)


def _token_bucket(subject: str, period: timedelta) -> Call[Any]:
    return limit.token_bucket(subject=subject, capacity=LIMIT, refill=LIMIT, period=period)


def _counter(subject: str, period: timedelta) -> Call[Any]:
    return limit.sliding_window_counter(subject=subject, limit=LIMIT, period=period)


def _log(subject: str, period: timedelta) -> Call[Any]:
    return limit.sliding_window(subject=subject, limit=LIMIT, period=period)


def _fixed(subject: str, period: timedelta) -> Call[Any]:
    return limit.increment_with_limit(subject=subject, limit=LIMIT, window=period)


# --- the peers ------------------------------------------------------------------------------


def _throttled(using: str) -> Make:
    def make(_: redis.Redis, url: str, period: timedelta) -> Decide:
        throttled = importlib.import_module("throttled")
        quota = throttled.rate_limiter.per_duration(period, LIMIT, burst=LIMIT)
        store = throttled.store.RedisStore(server=url)
        found: Decide = throttled.Throttled(using=using, quota=quota, store=store).limit
        return found

    return make


def _limits(strategy: str) -> Make:
    def make(_: redis.Redis, url: str, period: timedelta) -> Decide:
        limits = importlib.import_module("limits")
        storage = importlib.import_module("limits.storage").RedisStorage(url)
        limiter = getattr(importlib.import_module("limits.strategies"), strategy)(storage)
        rate = limits.RateLimitItemPerSecond(LIMIT, int(period.total_seconds()))
        return lambda subject: limiter.hit(rate, subject)

    return make


def _pyrate(*, state: bool) -> Make:
    def make(client: redis.Redis, _: str, period: timedelta) -> Decide:
        pyrate = importlib.import_module("pyrate_limiter")
        limiters: dict[str, Any] = {}

        def bucket(subject: str) -> Any:
            if state:
                rates = [pyrate.Rate(LIMIT, 1000 * int(period.total_seconds()), burst=LIMIT)]
                store = pyrate.RedisStateStore(client, f"pyrate:{subject}")
                return pyrate.StateBucket(rates, pyrate.GCRA(), store)
            rates = [pyrate.Rate(LIMIT, 1000 * int(period.total_seconds()))]
            return pyrate.RedisBucket.init(rates, client, f"pyrate:{subject}")

        def decide(subject: str) -> object:
            if subject not in limiters:
                limiters[subject] = pyrate.Limiter(bucket(subject))
            found: object = limiters[subject].try_acquire(subject, blocking=False)
            return found

        return decide

    return make


GUARANTEES: dict[str, tuple[Contender, ...]] = {
    "gcra": (
        Contender("redislua limit.gcra", _ours(_gcra)),
        Contender("throttled-py gcra", _throttled("gcra")),
        Contender("pyrate-limiter GCRA", _pyrate(state=True), CALLERS_CLOCK),
    ),
    "token bucket": (
        Contender("redislua limit.token_bucket", _ours(_token_bucket)),
        Contender("throttled-py token_bucket", _throttled("token_bucket")),
    ),
    "window counter": (
        Contender("redislua limit.sliding_window_counter", _ours(_counter)),
        Contender("limits SlidingWindowCounter", _limits("SlidingWindowCounterRateLimiter")),
        Contender("throttled-py sliding_window", _throttled("sliding_window"), CALLERS_CLOCK),
    ),
    "exact log": (
        Contender("redislua limit.sliding_window", _ours(_log)),
        Contender("limits MovingWindow", _limits("MovingWindowRateLimiter"), CALLERS_CLOCK),
        Contender("pyrate-limiter RedisBucket", _pyrate(state=False), CALLERS_CLOCK),
    ),
    "fixed window": (
        Contender("redislua limit.increment_with_limit", _ours(_fixed)),
        Contender("limits FixedWindow", _limits("FixedWindowRateLimiter"), REFUSALS_COUNT),
        Contender("throttled-py fixed_window", _throttled("fixed_window"), CALLERS_CLOCK),
    ),
}
"""By what they promise: ours first, then its peers."""


# --- counting -------------------------------------------------------------------------------


class Callgrind:
    """A server whose instructions are counted. A context manager.

    Attributes:
        url: Where it listens.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        # Where valgrind and what controls it meet; by itself it leaves files behind.
        self._pipes = f"--vgdb-prefix={self._folder}/vgdb"
        program = self._folder / "valkey-server"
        server = binary()
        program.write_text(
            "#!/bin/sh\n"
            f'case "$1" in --version|-v) exec "{server}" "$@";; esac\n'
            f"exec valgrind -q --tool=callgrind {self._pipes} "
            f'--callgrind-out-file="{self._folder}/count.%p" "{server}" "$@"\n',
            encoding="utf-8",
        )
        program.chmod(0o755)
        self._server: Server = self._stack.enter_context(servers.start(f"binary:{program}"))
        self.url = self._server.url
        with redis.Redis.from_url(self.url) as client:
            self._pid = int(client.info("server")["process_id"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def count(self, work: Callable[[], object]) -> int:
        """Return how many instructions the server needs for some work."""
        self._control("--zero")
        work()
        for old in self._folder.glob("count.*"):
            old.unlink()
        self._control("--dump")
        (dump,) = [one for one in self._folder.glob("count.*") if one.suffix != f".{self._pid}"]
        found = re.findall(r"^(?:summary|totals): (\d+)", dump.read_text(), re.MULTILINE)
        return int(found[-1])

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Count nothing for a block, which is several times as fast."""
        self._control("--instr=off")
        try:
            yield
        finally:
            self._control("--instr=on")

    def _control(self, what: str) -> None:
        subprocess.run(
            ["callgrind_control", self._pipes, what, str(self._pid)],  # noqa: S607
            check=True,
            capture_output=True,
            timeout=STARTS_WITHIN,
        )


@contextmanager
def _empty(url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(url) as client:
        client.flushall()
        yield client


def instructions(counted: Callgrind, contender: Contender) -> float:
    """The server's instructions for one decision."""
    with _empty(counted.url) as client:
        decide = contender.make(client, counted.url, MINUTE)
        for subject in SUBJECTS * WARM:
            decide(subject)
        return counted.count(lambda: [decide(one) for one in SUBJECTS * DECISIONS]) / (
            len(SUBJECTS) * DECISIONS
        )


def memory(url: str, contender: Contender, *, is_windowed: bool = False) -> float:
    """The bytes of all keys of a subject, after one decision.

    Args:
        url: The server's.
        contender: Who decides.
        is_windowed: A window counts and the one before it: decide in both.
    """
    period = WINDOW if is_windowed else MINUTE
    with _empty(url) as client:
        decide = contender.make(client, url, period)
        for subject in SUBJECTS:
            decide(subject)
        if is_windowed:
            time.sleep(period.total_seconds())
            for subject in SUBJECTS:
                decide(subject)
        keys: Any = client.keys("*")
        sizes = [int(client.memory_usage(key) or 0) for key in keys]
        return sum(sizes) / len(SUBJECTS)


def guarantees(rounds: int = 1) -> list[Figure]:
    """Compare limiters by what they promise.

    Without valgrind only memory is measured.

    Args:
        rounds: How often instructions are counted; the median counts.
    """
    found: list[Figure] = []
    with ExitStack() as stack:
        counted = stack.enter_context(Callgrind()) if shutil.which("valgrind") else None
        url = counted.url if counted else stack.enter_context(servers.start()).url
        for promise, contenders in GUARANTEES.items():
            costs: dict[str, float] = {}
            sizes: dict[str, float] = {}
            for contender in contenders:
                try:
                    sizes[contender.name] = memory(
                        url, contender, is_windowed=promise == "window counter"
                    )
                    if counted is not None:
                        costs[contender.name] = statistics.median(
                            instructions(counted, contender) for _ in range(rounds)
                        )
                except ImportError as error:
                    found.append(
                        Figure(f"{contender.name} missing", f"{contender.name}: {error}", None, "")
                    )
            found += beside(promise, "instructions", costs, "")
            found += beside(promise, "memory", sizes, "B")
    return found


def beside(promise: str, what: str, values: dict[str, float], unit: str) -> list[Figure]:
    """Each value, and ours as a share of the best peer's that promises the same."""
    titles = {
        "instructions": "server instructions for a decision",
        "memory": "memory of a subject",
    }
    less = {one.name: one.less for one in GUARANTEES[promise]}
    found = [
        Figure(
            f"{promise} {what}: {name}",
            f"{promise}: {titles[what]}, {name}" + (f" ({less[name]})" if less[name] else ""),
            value,
            unit,
        )
        for name, value in values.items()
    ]
    if not values:
        return found
    ours, *_ = values.values()
    peers = [value for name, value in list(values.items())[1:] if not less[name]]
    title = f"{promise}: {titles[what]}, of the best peer's"
    found.append(
        Figure(f"{promise} {what}", title, ours / min(peers), "x")
        if peers
        else Figure(f"{promise} {what}", title, None, "", "no peer promises it")
    )
    return found
