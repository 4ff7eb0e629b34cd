"""What a plan asks of its driver, and what the driver answers.

A plan is a generator. It yields a step; a driver does what the step says and

* sends back the replies of a `Send`, one for each command, a server's error as an
  exception value; or throws `NotSent` when no byte of the write left, `Lost` when the
  bytes may have arrived;
* sends back one of these for each write of a `SendAll`, thrown ones as values;
* sends back ``()`` after a `Pause`.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

__all__ = [
    "MOST_BYTES",
    "MOST_CALLS",
    "Address",
    "Command",
    "Lost",
    "NotSent",
    "Outcome",
    "Pause",
    "Plan",
    "Requires",
    "Send",
    "SendAll",
    "TooOld",
    "Unrouted",
]

T = TypeVar("T")

MOST_CALLS = 256
"""Calls of one write."""

MOST_BYTES = 1024 * 1024
"""Bytes of keys and arguments of one write, scripts aside."""

Command: TypeAlias = tuple[bytes | str | int, ...]
"""One command, part by part."""

Requires: TypeAlias = Mapping[str, tuple[int, ...]]
"""Least version by product; empty for any server."""

Address: TypeAlias = tuple[str, int]
"""Host and port of a node."""


@dataclass(slots=True, init=False)
class Send:
    """One write: its commands travel together and one reply comes back for each.

    Attributes:
        commands: What to write.
        requires: Least version by product that the server must have; empty for any.
        to: The node of a cluster, or None: the one server of the client.
        within: Seconds that the replies may take, where less than the deadline allows.
    """

    commands: tuple[Command, ...]
    requires: Requires
    to: Address | None
    within: float | None

    def __init__(
        self,
        *commands: Command,
        requires: Requires | None = None,
        to: Address | None = None,
        within: float | None = None,
    ) -> None:
        self.commands = commands
        self.requires = requires or {}
        self.to = to
        self.within = within


@dataclass(slots=True)
class SendAll:
    """Several writes, each to a node of its own, of which none waits for another's replies.

    Attributes:
        sends: The writes.
    """

    sends: Sequence[Send]


@dataclass(slots=True)
class Pause:
    """Wait before the next step.

    Attributes:
        seconds: How long.
        afresh: Whether the connections in use lead to a server that is of no use any more:
            what follows is sent on new ones, which look the server up again.
    """

    seconds: float
    afresh: bool = False


class NotSent(Exception):
    """No byte of the write left: refused, timed out while connecting, no free connection.

    Attributes:
        cause: The client library's exception.
    """

    def __init__(self, cause: Exception) -> None:
        super().__init__(cause)
        self.cause = cause


class Unrouted(Exception):
    """Nothing was tried: which node of the cluster serves the call is still to be asked."""


class TooOld(Exception):
    """The server's product and version exclude what the write needs: a cause of `NotSent`."""


class Lost(Exception):
    """The write may have been delivered, and not all of its replies came.

    Attributes:
        cause: The client library's exception.
        replies: Those that came before, for the first commands of the write.
    """

    def __init__(self, cause: Exception, replies: Sequence[Any] = ()) -> None:
        super().__init__(cause)
        self.cause = cause
        self.replies = replies


Outcome: TypeAlias = Sequence[Any] | NotSent | Lost
"""What became of one write of a `SendAll`."""

Plan: TypeAlias = Generator[Send | SendAll | Pause, Any, T]
