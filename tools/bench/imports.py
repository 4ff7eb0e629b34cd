"""How long importing generated bindings takes, beside what redis-py itself takes.

    python tools/bench/imports.py [ROUNDS]

Every import runs in a fresh interpreter, rounds are shuffled, and the time of an
empty interpreter is taken off. Printed are medians and the ratio to ``import redis``.
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import time

STATEMENTS = {
    "(empty)": "pass",
    "redis": "import redis",
    "redis.asyncio": "import redis, redis.asyncio",
    "redislua.runtime": "import redislua.runtime",
    "redislua.bindings.limit": "import redislua.bindings.limit",
    "all bindings": "import redislua.bindings.limit, redislua.bindings.cache",
}


def main() -> None:
    """Measure and print one table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    samples: dict[str, list[float]] = {name: [] for name in STATEMENTS}
    for _ in range(rounds):
        for name in random.sample(list(STATEMENTS), len(STATEMENTS)):
            samples[name].append(_seconds(STATEMENTS[name]))
    empty = statistics.median(samples["(empty)"])
    base = statistics.median(samples["redis"]) - empty
    print(
        f"import, medians of {rounds} fresh interpreters, less {empty * 1000:.0f} ms to start one"
    )
    for name in list(STATEMENTS)[1:]:
        took = statistics.median(samples[name]) - empty
        print(f"  {name:<26} {took * 1000:7.1f} ms   {took / base:5.2f} x redis")


def _seconds(statement: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
