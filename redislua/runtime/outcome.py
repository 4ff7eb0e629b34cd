"""A server's error into the exception that says what became of the call.

Servers word their errors differently and change the wording, so the code decides. The
few errors that come under the code ERR alone are told by how their text begins.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from redislua.errors import (
    AccessDenied,
    CallError,
    CrossSlot,
    NotExecuted,
    NotPrimary,
    OutOfMemory,
    ScriptAccessDenied,
    ScriptBusy,
    ScriptFault,
    ScriptKilled,
    ServerLoading,
    ServerRefused,
    ServerUnreachable,
    WrongType,
)
from redislua.runtime.call import Call

__all__ = ["answered", "code_of", "made_up", "not_sent", "sentence"]

REFUSED: Mapping[str, type[NotExecuted]] = {
    "ASK": NotExecuted,
    "BUSY": ScriptBusy,
    "CLUSTERDOWN": ServerLoading,
    "CROSSSLOT": CrossSlot,
    "LOADING": ServerLoading,
    "MASTERDOWN": ServerLoading,
    "MISCONF": ServerRefused,
    "MOVED": NotExecuted,
    "NOAUTH": AccessDenied,
    "NOPERM": AccessDenied,
    "NOREPLICAS": ServerRefused,
    "OOM": OutOfMemory,
    "READONLY": NotPrimary,
    "TRYAGAIN": ServerLoading,
    "WRONGPASS": AccessDenied,
}
"""Codes with which a server turns a script away before its first line."""

REFUSED_SENTENCES: Mapping[str, type[NotExecuted]] = {
    "Script killed by user": ScriptKilled,
    "max number of clients": ServerUnreachable,  # "reached", "+ cluster connections reached"
    "Protocol error": ServerRefused,  # an argument larger than proto-max-bulk-len
    "unknown command": AccessDenied,  # EVALSHA renamed or switched off by a provider
}
"""The same under ERR, by how the text begins. SCRIPT KILL works before a first write only."""

FAULTS: Mapping[str, type[ScriptFault]] = {"WRONGTYPE": WrongType}

FAULT_SENTENCES: Mapping[str, type[ScriptFault]] = {
    "ACL failure in script": ScriptAccessDenied,
    "The user executing the script can't": ScriptAccessDenied,  # Redis 7.0
}

CODE_BY_CLASS: Mapping[str, str] = {
    "AskError": "ASK",
    "AuthenticationError": "WRONGPASS",
    "BusyLoadingError": "LOADING",
    "ClusterCrossSlotError": "CROSSSLOT",
    "ClusterDownError": "CLUSTERDOWN",
    "MasterDownError": "MASTERDOWN",
    "MovedError": "MOVED",
    "NoPermissionError": "NOPERM",
    "NoScriptError": "NOSCRIPT",
    "OutOfMemoryError": "OOM",
    "ReadOnlyError": "READONLY",
    "TryAgainError": "TRYAGAIN",
}
"""Both client libraries cut the codes they know off the text; valkey-py keeps the class alone."""

_CODE = re.compile(r"([A-Z][A-Z0-9_]+)(?: |$)")
_TAIL = re.compile(r" script: (?:[0-9a-f]{40}, )?on @user_script:(\d+)\.?$")
_LINE = re.compile(r"user_script:(\d+)")


def code_of(error: Exception, declared: Collection[str] = ()) -> str | None:
    """Return a server error's code, ``"ERR"`` or None where it has no better one.

    Args:
        error: What the client library made of the error reply.
        declared: Codes that the script's own header declares.
    """
    status: str | None = getattr(error, "status_code", None)
    if status not in (None, "ERR"):
        return status
    for base in type(error).__mro__:
        if base.__name__ in CODE_BY_CLASS:
            return CODE_BY_CLASS[base.__name__]
    text = str(error)
    under_err = status == "ERR" or text.startswith(("ERR ", *REFUSED_SENTENCES, *FAULT_SENTENCES))
    match = _CODE.match(text.removeprefix("ERR "))
    word = match[1] if match else None
    # Behind ERR only a code that means something here is believed: some providers wrap
    # NOSCRIPT in it, and a sentence may begin with any word in capitals.
    if under_err and not (word == "NOSCRIPT" or word in REFUSED or word in declared):
        return "ERR"
    return word


def answered(call: Call[Any], error: Exception) -> CallError:
    """Say what a server's error, in answer to a call, means for it."""
    code = code_of(error, call.script.errors)
    text = _without(code, sentence(error))
    tail = _TAIL.search(text)
    reason = text[: tail.start()] if tail else text
    about: dict[str, Any] = {"script": str(call.script), "keys": call.keys, "code": code}
    declared = call.script.errors.get(code or "")
    if declared is not None:
        return declared(reason, **about)
    refused = _refused(code, text)
    # The tail is the place in the script: it had begun. Only SCRIPT KILL undoes nothing.
    if refused is not None and (tail is None or refused is ScriptKilled):
        return refused(reason, **about)
    place = tail or _LINE.search(text)
    line = int(place[1]) if place else None
    fault = FAULTS.get(code or "") or _begins(FAULT_SENTENCES, text) or ScriptFault
    if fault is ScriptFault and code not in (None, "ERR") and code not in REFUSED:
        reason = f"{code} {reason} (a code that the header does not declare)"
    return fault(reason, **about, file=call.script.file, line=line)


def made_up(call: Call[Any], problem: CallError) -> ScriptFault:
    """Say of a code that only a server may use that the script itself answered with it."""
    return ScriptFault(
        f"{_with(problem.code, problem.reason)} (the script's own answer: no node gives it)",
        script=problem.script,
        keys=problem.keys,
        code=problem.code,
        file=call.script.file,
        line=None,
    )


def not_sent(call: Call[Any], error: Exception) -> CallError:
    """Say what a failure to connect means for a call that was not sent."""
    code = code_of(error)
    refused = _refused(code, sentence(error))
    if refused is None:
        refused = ServerRefused if code == "ERR" else ServerUnreachable
    return refused(sentence(error), script=str(call.script), keys=call.keys, code=code)


def sentence(error: Exception) -> str:
    """Return an exception's text, or its class where it has none."""
    return str(error) or type(error).__name__


def _refused(code: str | None, text: str) -> type[NotExecuted] | None:
    if code is None or code == "ERR":
        refused: type[NotExecuted] | None = _begins(REFUSED_SENTENCES, text)
        return refused
    return REFUSED.get(code)


def _begins(table: Mapping[str, type[Any]], text: str) -> Any:
    return next((kind for start, kind in table.items() if text.startswith(start)), None)


def _with(code: str | None, text: str) -> str:
    return text if text == code else f"{code} {text}"


def _without(code: str | None, text: str) -> str:
    """Cut a leading ``ERR`` and the code off a text that still carries them."""
    text = text.removeprefix("ERR ")
    return text.removeprefix(f"{code} ") if code else text
