"""A script in lupa's Lua 5.1, its commands answered by a real server (see `engine`)."""

from redislua.probe.engine.branches import Fork
from redislua.probe.engine.engine import Engine
from redislua.probe.engine.lines import executable
from redislua.probe.engine.run import (
    Fault,
    NotOffered,
    Run,
    Sent,
    TooLong,
    copy_of,
    missing_libraries,
)

__all__ = [
    "Engine",
    "Fault",
    "Fork",
    "NotOffered",
    "Run",
    "Sent",
    "TooLong",
    "copy_of",
    "executable",
    "missing_libraries",
]
