"""The header of a linted file: whether it has one, and what it says."""

from __future__ import annotations

import re
from pathlib import PurePath

from redislua.errors import HeaderError, ScriptsRefused
from redislua.spec.header import parse
from redislua.spec.model import Script
from redislua.spec.registry import is_name

__all__ = ["has_header", "read_header"]

_START = re.compile(rb"#![^\n]*\n---[^\n]*\n(?:--[^\n]*\n)*?-- @version[ \t]+(\d{1,4})\.")
_NAME = re.compile(r"(?P<name>[^.]+)\.v(?P<major>[1-9]\d{0,3})\.lua")


def has_header(source: bytes) -> bool:
    """Whether a file is meant as a redislua script: shebang, sentence, ``@version``."""
    return _START.match(source) is not None


def read_header(path: str, source: bytes) -> tuple[Script | None, tuple[HeaderError, ...]]:
    """The header of a file, or what is wrong with it; neither for a file without one.

    A file that is not called ``family/name.v1.lua`` is read as if it were.
    """
    start = _START.match(source)
    if start is None:
        return None, ()
    place = PurePath(path)
    form = _NAME.fullmatch(place.name)
    family, name, major = "script", "script", int(start[1])
    if form is not None and is_name(place.parent.name) and is_name(form["name"]):
        family, name, major = place.parent.name, form["name"], int(form["major"])
    try:
        return parse(path, source, family=family, name=name, major=major), ()
    except ScriptsRefused as refused:
        return None, refused.problems
