"""What a script finds without declaring it: globals and the members of libraries.

Measured on the servers that the tests run on, and compared with each of them by a test. What
only some versions have is dated by the release that brought it. ``getfenv``, ``setfenv`` and
``newproxy`` count as absent: security releases took them away from lines that had them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TypeAlias

from redislua.syntax.targets import Targets

__all__ = ["ELSEWHERE", "GLOBALS", "LATER", "LIBRARIES", "Since", "missing_from", "since"]

Since: TypeAlias = Mapping[str, tuple[int, ...]]
"""Product and the version from which on it has a name."""

_GLOBALS = """
    ARGV KEYS _G _VERSION assert bit cjson cmsgpack collectgarbage coroutine error gcinfo
    getmetatable ipairs load loadstring math next pairs pcall rawequal rawget rawset redis
    select setmetatable string struct table tonumber tostring type unpack xpcall
    """

GLOBALS = frozenset(_GLOBALS.split())
"""Globals of every server line."""

_REDIS = """
    LOG_DEBUG LOG_NOTICE LOG_VERBOSE LOG_WARNING REDIS_VERSION REDIS_VERSION_NUM REPL_ALL
    REPL_AOF REPL_NONE REPL_REPLICA REPL_SLAVE acl_check_cmd breakpoint call debug error_reply
    log pcall replicate_commands set_repl setresp sha1hex status_reply
    """
_VALKEY = "SERVER_NAME VALKEY_VERSION VALKEY_VERSION_NUM"

LIBRARIES: dict[str, frozenset[str]] = {
    name: frozenset(members.split())
    for name, members in {
        "bit": "arshift band bnot bor bswap bxor lshift rol ror rshift tobit tohex",
        "cjson": """
            _NAME _VERSION decode decode_invalid_numbers decode_max_depth encode
            encode_invalid_numbers encode_keep_buffer encode_max_depth encode_number_precision
            encode_sparse_array new null
            """,
        "cmsgpack": "_COPYRIGHT _DESCRIPTION _NAME _VERSION pack unpack unpack_limit unpack_one",
        "coroutine": "create resume running status wrap yield",
        "math": """
            abs acos asin atan atan2 ceil cos cosh deg exp floor fmod frexp huge ldexp log log10
            max min mod modf pi pow rad random randomseed sin sinh sqrt tan tanh
            """,
        "os": "clock",
        "redis": f"{_REDIS} {_VALKEY}",
        "server": f"{_REDIS} {_VALKEY}",
        "string": """
            byte char dump find format gfind gmatch gsub len lower match rep reverse sub upper
            """,
        "struct": "pack size unpack",
        "table": "concat foreach foreachi getn insert maxn remove setn sort",
    }.items()
}
"""Members of each library on some server line; `LATER` says which are not on all."""

_VALKEY_8: Since = {"valkey": (8, 0)}

LATER: dict[str, Since] = {
    "os": {"redis": (7, 4), "valkey": (8, 0)},
    "server": _VALKEY_8,
    **{f"redis.{name}": _VALKEY_8 for name in _VALKEY.split()},
}
"""Names that not every version has."""

ELSEWHERE: dict[str, str] = {
    "bit32": "use `bit`",
    "debug": "",
    "dofile": "a script is one text: nothing can be loaded into it",
    "ffi": "",
    "getfenv": "",
    "io": "a script has no files",
    "jit": "",
    "json": "use `cjson`",
    "loadfile": "a script is one text: nothing can be loaded into it",
    "math.tointeger": "use `math.floor`",
    "math.type": "test `x == math.floor(x)`",
    "module": "a script is one text: use a local table",
    "newproxy": "",
    "ngx": "",
    "os.date": "pass it in ARGV, or use `redis.call('TIME')`",
    "os.difftime": "subtract the two",
    "os.getenv": "pass it in ARGV",
    "os.time": "use `tonumber(redis.call('TIME')[1])`, or pass the time in ARGV",
    "package": "",
    "print": "use `redis.log(redis.LOG_NOTICE, …)`, or return the text",
    "rawlen": "use `#`",
    "require": "a script is one text: `cjson`, `cmsgpack`, `struct` and `bit` are there already",
    "setfenv": "",
    "string.pack": "use `struct.pack`",
    "string.split": "use `string.gmatch`",
    "string.trim": "use `string.match(text, '^%s*(.-)%s*$')`",
    "string.unpack": "use `struct.unpack`",
    "table.move": "use a loop",
    "table.pack": "use `{…}` with `select('#', …)`",
    "table.unpack": "use `unpack`",
    "utf8": "",
    "warn": "use `redis.log(redis.LOG_WARNING, …)`",
}
"""What other programs that run Lua have, and what to do instead."""


def since(path: str) -> Since | None:
    """From which versions on ``os`` or ``os.clock`` is there; None if it always is, or never."""
    return LATER.get(path) or LATER.get(path.partition(".")[0])


@cache
def missing_from(targets: Targets) -> frozenset[str]:
    """The names in `LATER` that the oldest server of some target lacks."""
    return frozenset(
        path
        for path, versions in LATER.items()
        if any(
            product not in versions or lowest < versions[product]
            for product, lowest in targets.bounds
        )
    )
