"""What a storm of SCRIPT FLUSH does to callers: redis-py's ``register_script`` and redislua.

    python tools/bench/noscript.py [CALLS]

Eight threads call the same script on one embedded server while a ninth flushes the
script cache without pause. Counted are the calls that failed with NOSCRIPT, and the
effects of each side: a counter must come out at exactly the calls that were answered.
"""

from __future__ import annotations

import hashlib
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import redis

from redislua.runtime import Call, Script, run
from redislua.server import start

THREADS = 8
SOURCE = b"#!lua\nreturn redis.call('INCR', KEYS[1])\n"
COUNT = Script(
    name="bench.count",
    version="1.0.0",
    file="bench/count.v1.lua",
    sha1=hashlib.sha1(SOURCE, usedforsecurity=False).hexdigest(),
    source=SOURCE,
    read_only=False,
    retry="never",
    errors={},
)


def main() -> None:
    """Run both sides and print one line each."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with start() as server:
        client = redis.Redis.from_url(server.url, max_connections=THREADS + 2)
        registered = client.register_script(SOURCE)
        call = Call(COUNT, (b"{redislua}",), (), decode=int)
        sides: dict[str, Callable[[], object]] = {
            "register_script": lambda: registered(keys=["{redis-py}"]),
            "redislua": lambda: run(client, call),
        }
        print(f"{calls} calls by {THREADS} threads under a storm of SCRIPT FLUSH, {server.version}")
        for name, once in sides.items():
            failed, flushes = storm(client, once, calls)
            counted = int(client.get(f"{{{name if name == 'redislua' else 'redis-py'}}}") or 0)
            print(
                f"  {name:<16} {failed:6d} failed with NOSCRIPT ({100 * failed / calls:4.1f} %), "
                f"{calls - failed} answered, counter {counted}, {flushes} flushes"
            )
        client.close()


def storm(client: redis.Redis, once: Callable[[], object], calls: int) -> tuple[int, int]:
    """Call from several threads while flushing; return failures and flushes."""
    done = threading.Event()
    flushes = 0

    def flush() -> None:
        nonlocal flushes
        while not done.is_set():
            client.script_flush()
            flushes += 1

    def work(_: int) -> int:
        failed = 0
        for _ in range(calls // THREADS):
            try:
                once()
            except redis.exceptions.NoScriptError:
                failed += 1
        return failed

    flusher = threading.Thread(target=flush)
    flusher.start()
    try:
        with ThreadPoolExecutor(THREADS) as pool:
            failed = sum(pool.map(work, range(THREADS)))
    finally:
        done.set()
        flusher.join()
    return failed, flushes


if __name__ == "__main__":
    main()
