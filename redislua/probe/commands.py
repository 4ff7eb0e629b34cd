"""The command table of a running server, as a file that the linter reads.

COMMAND gives arity, flags and key specifications, COMMAND DOCS the arguments, versions
and complexity. Commands of modules that the server has loaded are among them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import redis

from redislua.errors import ServerUnavailable
from redislua.probe.grammar import grammar, syntax
from redislua.server.version import of_server
from redislua.syntax.commands.tables import FORMAT

__all__ = ["read_table", "render_table", "write_table"]


def write_table(url: str, path: Path) -> str:
    """Write the table of the server at ``url`` and return what server it is.

    Raises:
        ServerUnavailable: The server cannot be reached, or may not be asked.
    """
    read = read_table(url)
    path.write_text(render_table(read), encoding="utf-8")
    server: str = read["server"]
    return server


def read_table(url: str) -> dict[str, Any]:
    """Ask a server for its commands.

    Args:
        url: ``redis://127.0.0.1:6400/0``, ``rediss://…`` or ``unix:///path``.

    Raises:
        ServerUnavailable: The server cannot be reached, or may not be asked.
    """
    try:
        with redis.Redis.from_url(url, protocol=3) as client:
            version = of_server(client)
            connection = client.connection_pool.get_connection()
            try:
                commands = _ask(connection, "COMMAND")
                documents = _ask(connection, "COMMAND", "DOCS")
            finally:
                client.connection_pool.release(connection)
    except (redis.RedisError, OSError) as error:
        raise ServerUnavailable(f"the commands of {_place(url)} cannot be read: {error}") from error
    rows: dict[str, Any] = {}
    for command in commands:
        _add(rows, command, documents.get(command[0], {}))
    return {"format": FORMAT, "server": version, "commands": dict(sorted(rows.items()))}


def render_table(read: Mapping[str, Any]) -> str:
    """Return the text of a table file: one row a line, sorted, so that a diff reads well."""
    rows = ",\n".join(
        f"{json.dumps(name)}:{json.dumps(row, separators=(',', ':'), ensure_ascii=True)}"
        for name, row in sorted(read["commands"].items())
    )
    head = json.dumps({key: read[key] for key in ("format", "server")}, separators=(",", ":"))
    return f'{head[:-1]},"commands":{{\n{rows}\n}}}}\n'


def _ask(connection: Any, *words: str) -> Any:
    connection.send_command(*words)
    return _text(connection.read_response(disable_decoding=True))


def _text(reply: Any) -> Any:
    """The reply with text for bytes, and lists in a fixed order for sets."""
    if isinstance(reply, bytes):
        return reply.decode("utf-8", "replace")
    if isinstance(reply, dict):
        return {_text(key): _text(value) for key, value in reply.items()}
    if isinstance(reply, set | frozenset):
        return sorted(_text(one) for one in reply)
    if isinstance(reply, list | tuple):
        return [_text(one) for one in reply]
    return reply


def _place(url: str) -> str:
    """The URL without a password."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"


def _add(rows: dict[str, Any], command: list[Any], document: Mapping[str, Any]) -> None:
    """Add the row of a command, and those of its subcommands."""
    name, arity, flags, *_, tips, keys, subcommands = command
    called = name.upper().replace("|", " ")
    row: dict[str, Any] = {
        "arity": arity,
        "flags": " ".join(sorted(flags)),
        "group": document.get("group", "module"),
        "since": document.get("since", ""),
        "complexity": document.get("complexity", ""),
        "tips": " ".join(sorted(tips)),
        "keys": [_key_spec(spec) for spec in keys],
        **grammar(document.get("arguments", ()), subcommand="|" in name),
        "syntax": "" if "noscript" in flags else syntax(document.get("arguments", ())),
        "deprecated": document.get("deprecated_since"),
        "replaced_by": document.get("replaced_by", ""),
        "container": bool(subcommands),
    }
    always = ("arity", "flags", "group", "since")
    rows[called] = {key: value for key, value in row.items() if value or key in always}
    documents = document.get("subcommands", {})
    for subcommand in subcommands:
        _add(rows, subcommand, documents.get(subcommand[0], {}))


def _key_spec(spec: Mapping[str, Any]) -> list[Any]:
    """``[["index", 1], ["range", 0, 1, 0], "RW access"]``."""
    begin, find = spec["begin_search"], spec["find_keys"]
    return [
        [begin["type"], *(begin["spec"][key] for key in _PARTS[begin["type"]])],
        [find["type"], *(find["spec"][key] for key in _PARTS[find["type"]])],
        " ".join(sorted(spec["flags"])),
    ]


_PARTS = {
    "index": ("index",),
    "keyword": ("keyword", "startfrom"),
    "range": ("lastkey", "keystep", "limit"),
    "keynum": ("keynumidx", "firstkey", "keystep"),
    "unknown": (),
}
