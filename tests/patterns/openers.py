"""One test body for both kinds of client: an opener makes them and runs their commands."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

from redislua.patterns.connect import aconnect, connect
from redislua.runtime import Call, arun, run


class Opener:
    """Opens clients with `connect` or with `aconnect`, and closes them at the end.

    Attributes:
        is_async: Which of the two.
    """

    def __init__(self, *, is_async: bool, runner: asyncio.Runner) -> None:
        self.is_async = is_async
        self._runner = runner
        self._opened: list[Any] = []

    def open(self, url: str, **options: Any) -> Any:
        """A client."""
        client: Any = aconnect(url, **options) if self.is_async else connect(url, **options)
        self._opened.append(client)
        return client

    def do(self, client: Any, name: str, *args: Any, **options: Any) -> Any:
        """Run one of the client's own commands."""
        return self.wait(getattr(client, name), *args, **options)

    def wait(self, function: Any, *args: Any, **options: Any) -> Any:
        """Call a function in the clients' event loop, and await what it returns if it must be."""

        async def called() -> Any:
            await asyncio.sleep(0)  # as in a loop that has run since: it sees what was closed
            result = function(*args, **options)
            return await result if inspect.isawaitable(result) else result

        return self._runner.run(called()) if self.is_async else function(*args, **options)

    def run(self, client: Any, call: Call[Any]) -> Any:
        """Run a script."""
        return self._runner.run(arun(client, call)) if self.is_async else run(client, call)

    def close(self) -> None:
        """Close the clients."""
        while self._opened:
            client = self._opened.pop()
            self.wait(client.aclose if self.is_async else client.close)
