"""What an observer is told of a call, and how it is told without harm to the call."""

from __future__ import annotations

import logging
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

from redislua.errors import NotExecuted, OutcomeUnknown, ScriptError
from redislua.runtime.call import Call, unchanging

__all__ = ["Ended", "Gate", "Observer", "Observers", "Outcome", "outcome_of", "tell"]

_log = logging.getLogger("redislua")

Outcome: TypeAlias = Literal["replied", "not_executed", "failed", "unknown", "cancelled"]
"""What became of a call.

================  =========================================================================
``replied``       the script ran and gave a declared reply
``not_executed``  `NotExecuted`: it did not run
``failed``        `ScriptError`: it ran and gave an error, or a reply that is not declared
``unknown``       `OutcomeUnknown`: it may have run, the reply was lost
``cancelled``     the caller stopped waiting (a cancelled task, Ctrl-C): it may have run
================  =========================================================================
"""


@unchanging
class Ended:
    """A call that is over.

    Attributes:
        call: The call; ``call.script.name``, ``call.script.version`` and ``call.keys``
            are what most observers want of it.
        seconds: From the moment the call was handed over until its reply was decoded or
            its error made: connecting, healing and waiting for other calls included.
        outcome: What became of it.
        error: What the caller gets instead of a reply, or None.
    """

    call: Call[Any]
    seconds: float
    outcome: Outcome
    error: BaseException | None


class Observer(Protocol):
    """Something that is told of every call.

    >>> class Slowest:
    ...     seconds = 0.0
    ...
    ...     def on_call(self, ended: Ended, /) -> None:
    ...         self.seconds = max(self.seconds, ended.seconds)
    >>> slowest = Slowest()
    >>> configure(client, observer=slowest)
    >>> decision = run(client, gcra)
    >>> slowest.seconds > 0
    True
    """

    def on_call(self, ended: Ended, /) -> None:
        """Take note of a call that is over.

        Called once for each call, those that a gate turned away included, in the thread
        or the task that made the call and before it has its reply: be quick, and do not
        block. May be called by several threads at once. What it raises is logged and goes
        no further.
        """


@runtime_checkable
class Gate(Protocol):
    """What an observer has besides if it may turn calls away."""

    def admit(self, call: Call[Any], /) -> None:
        """Let a call pass, or raise. Called before anything is sent.

        Raises:
            NotExecuted: The call is turned away. Whatever else it raises reaches the
                caller just as well.
        """


class Observers:
    """Several observers as one. Each is told, whatever the others raise.

    >>> from datetime import timedelta
    >>> observers = Observers(LatencyGuard(limit=timedelta(milliseconds=5)), LatencyGuard())
    >>> configure(client, observer=observers)
    >>> decision = run(client, gcra)

    Args:
        observers: Told in this order, and asked in this order where they are gates.
    """

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers
        self._gates = tuple(one for one in observers if isinstance(one, Gate))

    def on_call(self, ended: Ended, /) -> None:
        """Tell every observer."""
        for observer in self._observers:
            tell(observer, ended)

    def admit(self, call: Call[Any], /) -> None:
        """Ask every observer that is a gate; the first that raises turns the call away."""
        for gate in self._gates:
            gate.admit(call)


def outcome_of(error: BaseException | None) -> Outcome:
    """Name the outcome of a call that ended in this error, None being a reply."""
    if error is None:
        return "replied"
    if isinstance(error, NotExecuted):
        return "not_executed"
    if isinstance(error, ScriptError):
        return "failed"
    if isinstance(error, OutcomeUnknown):
        return "unknown"
    return "cancelled"


def tell(observer: Observer, ended: Ended) -> None:
    """Tell an observer of a call; what it raises is logged and costs the caller nothing.

    Only a KeyboardInterrupt or a SystemExit passes: it is not the observer's.
    """
    try:
        observer.on_call(ended)
    except Exception:
        _log.exception("%r failed on a call of %s", observer, ended.call.script)
