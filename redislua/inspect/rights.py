"""Which commands, keys and channels scripts need, and whether a user has the right to them.

What is needed comes from the scripts themselves: their keys and channels from the headers,
their commands from the Lua. Whether it is granted the server says: ACL DRYRUN judges a
command of another user without running it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from redislua.inspect.facts import Facts
from redislua.inspect.finding import Finding
from redislua.spec.model import Script
from redislua.spec.pattern import Pattern
from redislua.syntax.chunk import parse

__all__ = ["Wants", "acl_rule", "lacking", "wants_of"]

_EXAMPLE = "redislua-doctor"
"""Stands in a key for whatever an application puts there."""

_SHA1 = "0" * 40

_CONNECTING = ("+ping",)
_CLUSTER = ("+cluster|slots", "+cluster|nodes", "+readonly", "+asking", "+command")


@dataclass(frozen=True, slots=True)
class Wants:
    """What one script needs.

    Attributes:
        script: The script.
        commands: Commands that it calls, in upper case, sorted.
        keys: An example of each key.
        channels: An example of each channel.
    """

    script: Script
    commands: tuple[str, ...]
    keys: tuple[str, ...]
    channels: tuple[str, ...]


def wants_of(script: Script, namespace: str = "") -> Wants:
    """Read what a script needs, with its keys in a namespace."""
    chunk = parse(script.source, path=script.file, script=script)
    commands = sorted({call.name for call in chunk.commands if call.name is not None})
    prefix = f"{namespace}:" if namespace else ""
    return Wants(
        script,
        tuple(commands),
        tuple(prefix + _filled(key.pattern) for key in script.keys),
        tuple(prefix + _filled(channel.pattern) for channel in script.channels),
    )


def _filled(pattern: Pattern) -> str:
    text = pattern.text
    for name in pattern.placeholders:
        text = text.replace(f"<{name}>", _EXAMPLE)
    return text


def acl_rule(wanted: Sequence[Wants], namespace: str = "", *, cluster: bool = False) -> str:
    """Return ACL rules that let an application call the scripts, and no more than that.

    With a namespace it may touch all of that; without, each of the keys' own prefixes.
    """
    commands = sorted({name.lower().replace(" ", "|") for one in wanted for name in one.commands})
    return " ".join(
        [
            "resetkeys resetchannels -@all",
            "+evalsha +evalsha_ro +script|load",
            *(f"+{name}" for name in commands),
            *_CONNECTING,
            *(_CLUSTER if cluster else ()),
            *_patterns("~", namespace, (key for one in wanted for key in _texts(one.script.keys))),
            *_patterns(
                "&", namespace, (name for one in wanted for name in _texts(one.script.channels))
            ),
        ]
    )


def _texts(parts: Iterable[Any]) -> Iterator[Pattern]:
    return (part.pattern for part in parts)


def _patterns(sign: str, namespace: str, patterns: Iterable[Pattern]) -> list[str]:
    found = [f"{pattern.prefix}*" for pattern in patterns]
    if namespace and found:
        return [f"{sign}{namespace}:*"]
    return [f"{sign}{text}" for text in dict.fromkeys(found)]


def lacking(
    facts: Facts, client: redis.Redis, wanted: Sequence[Wants], user: str, namespace: str
) -> Iterator[Finding]:
    """Find commands that a server lacks, and rights that a user lacks.

    Args:
        facts: The server.
        client: A client of it.
        wanted: What is needed.
        user: Whose rights count; ``""`` for the user of the client.
        namespace: Put before every key.
    """
    asking = _Asking(client, user or facts.user)
    node = (facts.node,)
    if not asking.can_judge():
        yield Finding(
            "rights-unknown",
            "note",
            "whether the scripts' commands and keys are permitted cannot be told: this user may "
            "not run ACL DRYRUN and COMMAND INFO",
            "run the doctor as an administrator, with --user NAME for the application's user",
            node,
        )
        return
    arity = asking.arities({name for one in wanted for name in one.commands} | {"EVALSHA"})
    absent = sorted(name for name, count in arity.items() if count is None)
    if absent:
        yield Finding(
            "missing-command",
            "error",
            f"the server has no {', '.join(absent)}, which {_callers(wanted, absent)} call",
            "give the commands their names back, or take a server that has them",
            node,
        )
        return
    refused = asking.refusals(wanted, arity)
    if refused:
        rule = acl_rule(wanted, namespace, cluster=bool(facts.cluster))
        yield Finding(
            "missing-rights",
            "error",
            f"user {asking.user!r} may not {refused}",
            f"ACL SETUSER {asking.user} {rule}",
            node,
        )


def _callers(wanted: Sequence[Wants], commands: Sequence[str]) -> str:
    names = [one.script.full_name for one in wanted if set(commands) & set(one.commands)]
    return ", ".join(names) or "all scripts"


class _Asking:
    def __init__(self, client: redis.Redis, user: str) -> None:
        self._run: Any = client.execute_command
        self.user = user

    def arities(self, names: set[str]) -> dict[str, int | None]:
        """The least number of words of each command; None for one that is not there."""
        ordered = sorted(names)
        # As one word, which redis-py's parser of "COMMAND" leaves as it is. A subcommand has
        # the row of its command.
        reply = self._run("COMMAND INFO", *(name.partition(" ")[0] for name in ordered))
        return {
            name: abs(row[1]) if row else None for name, row in zip(ordered, reply, strict=True)
        }

    def can_judge(self) -> bool:
        """Whether we may ask what the user may do, and the user exists."""
        try:
            self._run("COMMAND INFO", "PING")
            self._judge("PING")
        except redis.ResponseError:
            return False
        return True

    def _judge(self, *words: str) -> bool:
        """Whether ACL DRYRUN lets a command pass."""
        said: bytes = self._run("ACL", "DRYRUN", self.user, *words)
        return said == b"OK"

    def refusals(self, wanted: Sequence[Wants], arity: dict[str, int | None]) -> str:
        """What the user may not do, in words that follow "may not"; ``""`` for nothing."""
        if not self._judge("EVALSHA", _SHA1, "0"):
            # The server judges keys after commands, so that nothing can be told of keys.
            return "run EVALSHA"
        commands, keys = set(), set()
        if not self._judge("SCRIPT", "LOAD", "") and not self._judge("EVAL", "", "0"):
            commands |= {"SCRIPT LOAD", "EVAL"}
        for one in wanted:
            free = [key for key in one.keys if self._judge("EVALSHA", _SHA1, "1", key)]
            keys |= set(one.keys) - set(free)
            for name in one.commands:
                # Only a key that is permitted lets the command alone decide.
                if free and not self._may_call(name, arity[name] or 1, free[0], one.channels):
                    commands.add(name)
        parts = [f"run {', '.join(sorted(commands))}"] if commands else []
        if keys:
            parts.append(f"use keys such as {', '.join(sorted(keys))}")
        return "; may not ".join(parts)

    def _may_call(self, name: str, count: int, key: str, channels: Sequence[str]) -> bool:
        """Judge a command with the key for every argument: whatever is taken for a key, may be."""
        if name == "SPUBLISH":
            return all(self._judge(name, channel, "") for channel in channels)
        names = name.split(" ")
        return self._judge(*names, *[key] * (count - len(names)))
