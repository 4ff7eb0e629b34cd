"""What an editor needs to know of Lua inside Redis, made from the command table.

LuaLS (the language server of VS Code, Neovim and others) reads a file of definitions and
``.luarc.json``; luacheck reads ``.luacheckrc``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from redislua.errors import GenerateError
from redislua.syntax.commands import Command, table
from redislua.syntax.targets import Targets

__all__ = ["DEFINITIONS", "render_editor", "write_editor"]

DEFINITIONS = ".luals/redis.lua"
MARK = "--- Made by `redislua init --editor`. Do not edit."

_PARAMETERS = {
    "integer": "integer|string",
    "double": "number|string",
    "unix-time": "integer|string",
    "string": "string|number",
    "pattern": "string",
    "key": "string",
    "token": "string",
}

_REPLIES = {
    "status": "redis.Status",
    "integer": "integer",
    "string": "string",
    "double": "string",
    "nested": "any[]",
}

_COST = re.compile(r"O\((?:[^()]|\([^()]*\))*\)")

_KEYWORDS = frozenset({"and", "or", "not", "end", "function", "repeat", "return"})
"""Words of Lua that are names of arguments."""

_ABSENT = ["bit", "bit32", "buffer", "builtin", "debug", "ffi", "io", "jit", "os", "package"]
_ABSENT += ["table.clear", "table.new", "utf8"]
"""Libraries that LuaLS would complete: those that Redis has not, and those defined by us."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """A command as the definitions show it.

    Attributes:
        name: As it is written in a call: ``XGROUP`` for ``XGROUP CREATE``.
        note: Arguments, and what it costs.
        signature: Its parameters and reply, as LuaLS writes them.
    """

    name: str
    note: str
    signature: str


def render_editor(targets: Targets) -> dict[str, str]:
    """Return the text of each file, by its path below the project.

    Args:
        targets: The servers that the scripts run on: their commands are completed.
    """
    shown = [_shown(row) for row in _commands(targets)]
    environment = Environment(  # noqa: S701  # Lua text, not HTML
        loader=PackageLoader("redislua.codegen", "templates/editor"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    values = {
        "mark": MARK,
        "targets": str(targets),
        "commands": shown,
        "names": {one.name: one.note for one in reversed(shown)},
    }
    return {
        DEFINITIONS: environment.get_template("redis.lua.j2").render(**values),
        ".luarc.json": _luarc(),
        ".luacheckrc": environment.get_template("luacheckrc.j2").render(**values),
    }


def write_editor(root: Path, targets: Targets) -> tuple[Path, ...]:
    """Write the files into a project, and return those that were written.

    The definitions are ours and are written anew. Settings that exist are the user's.

    Raises:
        GenerateError: A file of the same name is not ours. Nothing was written.
    """
    texts = {root / name: text for name, text in render_editor(targets).items()}
    for path, text in texts.items():
        if path.exists():
            current = path.read_text(encoding="utf-8", errors="replace")
            if current != text and not current.startswith(MARK):
                raise GenerateError(
                    f"{path} is there already; nothing was changed. To have commands completed, "
                    f"add what this would be:\n\n{text}"
                )
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return tuple(texts)


def _commands(targets: Targets) -> list[Command]:
    """What a script may call on some target, each as the newest one knows it."""
    found: dict[str, Command] = {}
    for line in targets.lines:
        for row in table(line):
            is_help = row.name.endswith(" HELP") or row.group == "cluster"
            if row.is_allowed and not row.is_container and not is_help:
                found[row.name] = row
    return [found[name] for name in sorted(found)]


def _shown(row: Command) -> _Shown:
    words = row.name.split()
    arguments = row.arguments[1:] if len(words) > 1 else row.arguments
    names = [_identifier(argument.name) for argument in arguments]
    listed = [name if names.count(name) == 1 else f"{name}{at}" for at, name in enumerate(names)]
    parameters = [f'command: "{words[0]}"']
    if len(words) > 1:
        parameters.append(f'subcommand: "{words[1]}"')
    least = abs(row.arity) - len(words)
    for at, (name, argument) in enumerate(zip(listed, arguments, strict=True)):
        optional = "?" if at >= least else ""
        parameters.append(f"{name}{optional}: {_PARAMETERS[argument.type]}")
    if row.arity < 0:
        parameters.append("...: string|number")
    shown = [*words, *names, *(["…"] if row.arity < 0 else [])]
    kind = "write" if row.is_write else "read"
    cost = _COST.search(row.complexity)
    note = f"{' '.join(shown)} ({kind}{f', {cost[0]}' if cost else ''})"
    return _Shown(words[0], note, f"fun({', '.join(parameters)}): {_reply(row)}")


def _reply(row: Command) -> str:
    reply = row.reply
    plain = reply.removesuffix("?")
    if plain == "array":
        element = row.items
        inner = _REPLIES.get(element.removesuffix("?"), "any")
        found = f"({inner}|false)[]" if element.endswith("?") else f"{inner}[]"
    else:
        found = _REPLIES.get(plain, "any")
    return f"{found}|false" if reply.endswith("?") and found != "any" else found


def _identifier(name: str) -> str:
    word = "".join(char if char.isalnum() else "_" for char in name.lower())
    return f"{word}_" if word in _KEYWORDS else word


def _luarc() -> str:
    settings = {
        "runtime.version": "Lua 5.1",
        "runtime.builtin": dict.fromkeys(_ABSENT, "disable"),
        "workspace.library": [DEFINITIONS],
        "workspace.checkThirdParty": False,
        "diagnostics.disable": ["lowercase-global"],
    }
    return json.dumps(settings, indent=2) + "\n"
