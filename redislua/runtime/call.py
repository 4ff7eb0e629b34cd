"""What is called, and with what: values without behaviour."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeAlias, TypeVar, dataclass_transform

from redislua.errors import ScriptError

Reply = TypeVar("Reply", covariant=True)
Class = TypeVar("Class")

RetryClass: TypeAlias = Literal["safe", "conservative", "never"]
"""What a second execution of the same call does: an equivalent answer, at worst an
over-charge, or harm."""

SCRIPTS_BY_SHA1: dict[str, Script] = {}
"""Every script that this process has made, for `redislua.runtime.watching.whois`; of several
that are the same the first: the one of the module that the application imported."""


@dataclass(frozen=True, slots=True)
class Script:
    """One script as a generated module carries it.

    Attributes:
        name: Full name, ``limit.gcra``.
        version: Its ``@version``.
        file: Path below the scripts folder, ``limit/gcra.v1.lua``.
        sha1: Hex digest of ``source``: what EVALSHA uses and ``sha1sum`` prints.
        source: The file's exact bytes.
        read_only: The shebang says ``no-writes``.
        retry: Its ``@retry``.
        errors: Exception class by the error code that the script replies with.
        requires: Least version by product (``redis``, ``valkey``) that can run the script;
            empty for every supported server. A product that is not named cannot.
    """

    name: str
    version: str
    file: str
    sha1: str
    source: bytes = field(repr=False)
    read_only: bool
    retry: RetryClass
    errors: Mapping[str, type[ScriptError]] = field(hash=False, repr=False)
    requires: Mapping[str, tuple[int, ...]] = field(default_factory=dict, hash=False, repr=False)

    def __post_init__(self) -> None:
        SCRIPTS_BY_SHA1.setdefault(self.sha1, self)

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


@dataclass_transform(frozen_default=True)
def unchanging(cls: type[Class]) -> type[Class]:
    """Decorate a value that is made for every call: frozen for type checkers alone.

    Refusing an assignment when the program runs would make it four times as dear.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)


@unchanging
class Call(Generic[Reply]):
    """One call, validated and encoded: what to send and how to read the answer.

    A call is a value. Running it twice sends the same bytes twice, tokens
    included, so the second run is a resend and not a new operation. Nothing is to be
    assigned to its attributes: type checkers refuse it.

    Attributes:
        script: The script to run.
        keys: KEYS, in header order.
        args: ARGV, in header order.
        decode: Turns the raw reply into the declared one; raises ValueError, OverflowError
            or `UnexpectedReplyError` on anything else.
        channels: The channels that the script may publish to.
    """

    script: Script
    keys: tuple[bytes, ...]
    args: tuple[bytes, ...]
    decode: Callable[[Any], Reply] = field(repr=False)
    channels: tuple[bytes, ...] = ()
