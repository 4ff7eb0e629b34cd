"""What each server line knows of its commands: arity, flags, keys, arguments, replies.

::

    known = table("redis-7.0")
    row = known.get("zadd")
    row.key_positions([b"scores", None, None])      # [0]
    row.reply_to([b"scores", b"INCR", b"1", b"a"])  # "double?"

The rows in ``lines/`` are read from real servers by ``tools/update_commands.py``. What no
server tells, above all what a script gets as a reply, is kept by hand in ``curated.py``.
"""

from __future__ import annotations

from redislua.syntax.commands.arguments import Argument, Option
from redislua.syntax.commands.keys import Keys, KeySpec, Words
from redislua.syntax.commands.model import Command
from redislua.syntax.commands.tables import LINES, Table, table

__all__ = ["LINES", "Argument", "Command", "KeySpec", "Keys", "Option", "Table", "Words", "table"]
