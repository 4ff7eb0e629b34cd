"""Every exception of redislua. Who is wrong is visible in the class.

* the caller: `InvalidArgument`
* the outcome of a call: `NotExecuted`, `ScriptError`, `OutcomeUnknown`
* the author of a script: `HeaderError`, `ScriptsRefused`
* the project's set-up: `ConfigError`, `GenerateError`, `ServerUnavailable`

The three outcomes are complete and exclude one another:

========================  ==========================================  ===============
class                     what is known                               send it again?
========================  ==========================================  ===============
`NotExecuted`             the script did not run                      yes
`ScriptError`             the script ran and failed                   pointless
`OutcomeUnknown`          it may have run; the reply was lost         the caller's call
========================  ==========================================  ===============
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

__all__ = [
    "AccessDenied",
    "BudgetExceeded",
    "CallError",
    "ConfigError",
    "CrossSlot",
    "ExampleError",
    "GenerateError",
    "HeaderError",
    "InvalidArgument",
    "InvalidArgumentType",
    "InvalidArgumentValue",
    "NoProject",
    "NotExecuted",
    "NotPrimary",
    "OutOfMemory",
    "OutcomeUnknown",
    "RedisLuaError",
    "ScriptAccessDenied",
    "ScriptBusy",
    "ScriptError",
    "ScriptFault",
    "ScriptKilled",
    "ScriptNotDeployed",
    "ScriptsRefused",
    "ServerLoading",
    "ServerRefused",
    "ServerTooOld",
    "ServerUnavailable",
    "ServerUnreachable",
    "UnexpectedReplyError",
    "UnsupportedClient",
    "WrongType",
]


class RedisLuaError(Exception):
    """Base of every exception that redislua raises on purpose."""


# --- the caller is wrong: nothing was sent ---------------------------------------------------


class InvalidArgument(RedisLuaError):
    """An argument of a call does not fit the script's header. Nothing was sent.

    Attributes:
        script: Full name of the script, ``family.name``.
        parameter: Name of the offending parameter.
        value: What was passed.
        expected: What the header asks for, in words.
    """

    def __init__(self, script: str, parameter: str, value: object, expected: str) -> None:
        super().__init__(script, parameter, value, expected)
        self.script = script
        self.parameter = parameter
        self.value = value
        self.expected = expected

    def __str__(self) -> str:
        shown = repr(self.value)
        if len(shown) > 80:
            shown = f"{shown[:77]}..."
        return f"{self.script}: {self.parameter}={shown}: expected {self.expected}"


class InvalidArgumentType(InvalidArgument, TypeError):
    """An argument has the wrong Python type (``True`` for an int, an int for a str)."""


class InvalidArgumentValue(InvalidArgument, ValueError):
    """An argument has the right type and a value that the header excludes."""


class UnsupportedClient(RedisLuaError, TypeError):
    """The client is of a kind that this call cannot use."""


# --- what became of a call -------------------------------------------------------------------


class CallError(RedisLuaError):
    """A call that was to be sent did not end in a declared reply.

    Attributes:
        script: Full name and version, ``limit.gcra@1.0.0``.
        keys: The KEYS of the call.
        reason: What happened, in words; a server's own sentence where it gave one.
        code: The server's error code (``BUSY``, ``WRONGTYPE``, …), or None.
    """

    def __init__(
        self, reason: str, *, script: str, keys: Sequence[bytes] = (), code: str | None = None
    ) -> None:
        super().__init__(reason)
        self.script = script
        self.keys = tuple(keys)
        self.reason = reason
        self.code = code

    def __str__(self) -> str:
        shown = ", ".join(repr(key)[1:] for key in self.keys[:4])
        if len(self.keys) > 4:
            shown += f", … {len(self.keys) - 4} more"
        return f"{self.script} on [{shown}]: {self.reason}"


class NotExecuted(CallError):
    """The script provably did not run: sending the call again is safe.

    Attributes:
        transient: True when waiting can help. The runtime tries such calls again
            until the deadline before it raises.
    """

    transient: ClassVar[bool] = False


class ServerUnreachable(NotExecuted):
    """No connection could be made, or none was free: no byte of the call left."""

    transient = True


class ServerLoading(NotExecuted):
    """The server is not ready for commands (LOADING, CLUSTERDOWN, MASTERDOWN, TRYAGAIN)."""

    transient = True


class ScriptBusy(NotExecuted):
    """Another script has held the server longer than its busy threshold (BUSY)."""

    transient = True


class NotPrimary(NotExecuted):
    """The server is a replica and does not take writes (READONLY)."""

    transient = True


class ServerRefused(NotExecuted):
    """The server refuses writes for now (MISCONF, NOREPLICAS, …), or the connection's settings."""


class ServerTooOld(NotExecuted):
    """The server is of a product or a version that the script's ``@requires`` excludes."""


class OutOfMemory(ServerRefused):
    """The server is over its ``maxmemory`` and refused the script before its first write."""


class AccessDenied(NotExecuted):
    """The user may not run the command or touch a declared key (NOPERM, NOAUTH, WRONGPASS)."""


class ScriptKilled(NotExecuted):
    """SCRIPT KILL ended the script before it had written anything."""


class ScriptNotDeployed(NotExecuted):
    """The server lacks the script, and this user may neither load nor EVAL it.

    Attributes:
        sha1: The digest that the server did not know.
    """

    def __init__(self, reason: str, *, script: str, keys: Sequence[bytes], sha1: str) -> None:
        super().__init__(reason, script=script, keys=keys, code="NOSCRIPT")
        self.sha1 = sha1


class CrossSlot(NotExecuted):
    """The keys of a call, or of a transaction, lie in more than one slot of a cluster.

    Found before anything is sent; a server's own CROSSSLOT becomes the same class.
    """


class BudgetExceeded(NotExecuted):
    """A `LatencyGuard` turned the call away: its script has been too slow too often."""


class OutcomeUnknown(CallError):
    """The call may have run: it was sent, and its reply never came.

    The cause is in ``__cause__``. Read the state, or send again where the
    operation's own token makes that harmless.
    """


class ScriptError(CallError):
    """The script ran and answered with an error.

    Generated modules derive one class for each ``@error`` of a header. The rules
    of the catalogue (validate, read, then write) mean that nothing was written.
    """


class ScriptFault(ScriptError):
    """The script failed in a way that its header does not declare.

    Attributes:
        file: The script's file, ``limit/gcra.v1.lua``.
        line: Line in that file, or None where the server gave none.
    """

    def __init__(
        self,
        reason: str,
        *,
        script: str,
        keys: Sequence[bytes],
        code: str | None,
        file: str,
        line: int | None,
    ) -> None:
        super().__init__(reason, script=script, keys=keys, code=code)
        self.file = file
        self.line = line

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{super().__str__()} ({place})"


class WrongType(ScriptFault):
    """A key holds another Redis type than the header declares (WRONGTYPE)."""


class ScriptAccessDenied(ScriptFault):
    """A command inside the script was refused by the server's ACL."""


class UnexpectedReplyError(ScriptError):
    """The script answered with something that its header does not declare.

    Attributes:
        reply: The reply as it came.
    """

    def __init__(self, script: str, reply: Any, *, keys: Sequence[bytes] = ()) -> None:
        shown = repr(reply)
        if len(shown) > 200:
            shown = f"{shown[:197]}..."
        super().__init__(f"undeclared reply {shown}", script=script, keys=keys)
        self.reply = reply


# --- the author of a script is wrong ---------------------------------------------------------


class HeaderError(RedisLuaError):
    """One thing wrong in one script file.

    Attributes:
        file: Path as it was found, relative to the scripts folder.
        line: Line in the file, from 1; 0 when the file as a whole is meant.
        column: Column in that line, in characters, from 1.
        width: How many characters the caret marks underline, at least 1.
        text: The offending line, or ``""``.
        problem: What is wrong.
        expected: What would be right.
    """

    def __init__(
        self,
        file: str,
        problem: str,
        expected: str,
        *,
        line: int = 0,
        column: int = 1,
        width: int = 1,
        text: str = "",
    ) -> None:
        super().__init__(file, line, column, problem, expected)
        self.file = file
        self.line = line
        self.column = column
        self.width = width
        self.text = text
        self.problem = problem
        self.expected = expected

    @property
    def place(self) -> str:
        """``file:line:column``, or the file alone."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    def __str__(self) -> str:
        head = f"{self.place}: {self.problem}"
        if not self.line or not self.text:
            return f"{head}\n  expected {self.expected}"
        pad = "".join("\t" if char == "\t" else " " for char in self.text[: self.column - 1])
        return f"{head}\n  {self.text}\n  {pad}{'^' * self.width}\n  expected {self.expected}"


class ExampleError(RedisLuaError):
    """A call in example notation does not fit the script it names."""


class ScriptsRefused(RedisLuaError):
    """One or more scripts are wrong; all problems of all files are in ``problems``."""

    def __init__(self, problems: Iterable[HeaderError]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


# --- the project's set-up is wrong -----------------------------------------------------------


class ConfigError(RedisLuaError):
    """``[tool.redislua]`` is missing, malformed, or names something that is not there."""


class NoProject(ConfigError):
    """There is no ``[tool.redislua]`` table in this folder or above it."""


class GenerateError(RedisLuaError):
    """Bindings cannot be made or written: a clash of names, a file that is not ours."""


class ServerUnavailable(RedisLuaError):
    """A server to work with could not be started or reached."""
