"""Numbers that only grow, without a database: ids that can be sorted by time.

::

    orders = Sequence(client, "orders", block=50)

    orders.next()      # of this process's block: one round trip for fifty numbers
    orders.take(500)   # a range, whole

* No number is given out twice, also when the key is lost: a number is the server's time in
  microseconds, or one more than the last.
* Numbers grow over the whole sequence when each is taken with a call (``block=1``), and within
  each process with blocks. They have gaps.
* They are below 2^53, so JSON and JavaScript keep them exact, until the year 2255.
"""

from __future__ import annotations

from datetime import timedelta

from redislua.patterns._aio import AsyncDriver
from redislua.patterns._blocking import Driver
from redislua.patterns._sequence import SequencePlans
from redislua.runtime import DEFAULT_DEADLINE, AsyncClient, BlockingClient

__all__ = ["AsyncSequence", "Sequence"]

DAY = timedelta(days=1)


class Sequence:
    """A sequence, with a blocking client. Threads may share it.

    >>> orders = Sequence(client, "orders", block=10)
    >>> first, second = orders.next(), orders.next()
    >>> second - first
    1
    >>> len(orders.take(500)), orders.take(1)[0] > second
    (500, True)
    """

    def __init__(
        self,
        client: BlockingClient,
        name: str,
        *,
        block: int = 1,
        keep: timedelta = DAY,
        namespace: str = "",
        deadline: timedelta | float = DEFAULT_DEADLINE,
    ) -> None:
        """Send nothing yet.

        Args:
            client: A blocking client of redis-py or valkey-py.
            name: The sequence, without braces.
            block: How many numbers `next` takes at once, 1 to 1 000.
            keep: How far the server's clock may be set back with numbers still growing.
            namespace: Put before every key, with a colon.
            deadline: How long each call may take, a timedelta or seconds.
        """
        self._plans = SequencePlans(name, block=block, keep=keep, namespace=namespace)
        self._driver = Driver(client, deadline=deadline)

    def next(self) -> int:
        """The next number."""
        return self._driver.run(self._plans.next())

    def take(self, count: int) -> range:
        """The next ``count`` numbers, 1 to 1 000."""
        return self._driver.run(self._plans.take(count))


class AsyncSequence:
    """`Sequence` with an asyncio client, in one event loop."""

    def __init__(
        self,
        client: AsyncClient,
        name: str,
        *,
        block: int = 1,
        keep: timedelta = DAY,
        namespace: str = "",
        deadline: timedelta | float = DEFAULT_DEADLINE,
    ) -> None:
        """Send nothing yet: see `Sequence`."""
        self._plans = SequencePlans(name, block=block, keep=keep, namespace=namespace)
        self._driver = AsyncDriver(client, deadline=deadline)

    async def next(self) -> int:
        """`Sequence.next`."""
        return await self._driver.run(self._plans.next())

    async def take(self, count: int) -> range:
        """`Sequence.take`."""
        return await self._driver.run(self._plans.take(count))
