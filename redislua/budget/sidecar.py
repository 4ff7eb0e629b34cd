"""Worst cases beside scripts: ``<name>.v<N>.worst.lua``.

A sidecar gets the script's KEYS, n as ``ARGV[1]`` and behind it the call's own arguments,
and puts the server into the state that makes the script work hardest at size n; n is 1
where the header names no ``n=``.

A line ``-- @call mode=fence expected=7 value=<high>`` in it says which arguments make the script work
hardest; they replace those of the script's first example. With several of these lines the
first is for all sizes, and the others are run at the largest.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import redis

from redislua.budget.values import SUBJECT, high, low
from redislua.errors import ConfigError, ExampleError
from redislua.runtime.call import Call
from redislua.spec.model import Default, Script
from redislua.spec.registry import Registry
from redislua.spec.typing import from_shell

_CALL = re.compile(r"--\s*@call\s+(?P<words>\S.*)")
_ENDS = {"<low>": low, "<high>": high}


@dataclass(frozen=True, slots=True)
class Sidecar:
    """One worst case.

    Attributes:
        file: ``limit/gcra.v1.worst.lua``.
        source: Its bytes.
        calls: Keyword arguments of each ``@call``; empty without one.
    """

    file: str
    source: bytes
    calls: tuple[dict[str, Any], ...]

    def fill(self, client: redis.Redis, call: Call[Any], size: int) -> None:
        """Put the server into the state of ``size`` for ``call``.

        Raises:
            ConfigError: The sidecar fails; the text has the server's words.
        """
        arguments = (*call.keys, b"%d" % size, *call.args)
        try:
            client.eval(self.source, len(call.keys), *arguments)  # type: ignore[arg-type]
        except redis.ResponseError as error:
            raise ConfigError(f"{self.file}: at n={size}: {error}") from error


def find_sidecar(registry: Registry, script: Script) -> Sidecar | None:
    """Read the worst case beside a script, or None where there is none.

    Raises:
        ConfigError: A ``@call`` line does not fit the header.
    """
    file = f"{script.file.removesuffix('.lua')}.worst.lua"
    path = Path(registry.root, file)
    if not path.is_file():
        return None
    source = path.read_bytes()
    text = source.decode("utf-8", "replace")
    calls = [
        _arguments(script, file, number, found["words"])
        for number, line in enumerate(text.split("\n"), 1)
        if (found := _CALL.fullmatch(line.strip()))
    ]
    return Sidecar(file, source, tuple(calls))


def _arguments(script: Script, file: str, number: int, text: str) -> dict[str, Any]:
    try:
        words = shlex.split(text)
        named = {word.partition("=")[0] for word in words}
        words += [
            f"{name}=[{SUBJECT}]" if name == script.spread else f"{name}={SUBJECT}"
            for name in script.placeholders
            if name not in named
        ]
        ends = {name: _ENDS[end] for name, _, end in map(_parts, words) if end in _ENDS}
        # What is given by its end may be missing among those that are written out.
        eased = [
            replace(arg, default=Default(None)) if arg.name in ends else arg for arg in script.args
        ]
        written = tuple(word for word in words if _parts(word)[0] not in ends)
        given = dict(from_shell(replace(script, args=tuple(eased)), written))
    except (ExampleError, ValueError) as error:
        raise ConfigError(f"{file}:{number}: @call: {error}") from error
    for arg in script.args:
        if arg.name in ends:
            given[arg.name] = ends[arg.name](arg)
    return given


def _parts(word: str) -> tuple[str, str, str]:
    return word.partition("=")
