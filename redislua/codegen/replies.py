"""Replies of generated functions: annotations, ``match`` cases, decoders, and their words."""

from __future__ import annotations

from redislua.codegen.arguments import UNIT_WORDS
from redislua.codegen.quoting import literal
from redislua.spec.model import Arg, Type

_UNITS = {"us": "MICROSECOND", "ms": "MILLISECOND", "s": "SECOND"}
_PYTHON = {"int": "int", "float": "float", "str": "str", "bytes": "bytes", "bool": "bool"}


def annotation(of: Type) -> str:
    """The Python type of a reply field."""
    if of.is_duration:
        base = "timedelta"
    elif of.kind == "enum":
        base = f"Literal[{', '.join(literal(word) for word in of.choices)}]"
    else:
        base = _PYTHON[of.kind]
    return f"{base} | None" if of.optional else base


def pattern(of: Type, name: str) -> str:
    """The ``match`` pattern that binds ``name`` to one element of a reply.

    What a type allows besides, `guard` says: a class pattern with a capture
    (``int(name)``) takes ten times as long and lets a bool pass.
    """
    words = ["None"] if of.optional else []
    if of.kind == "bool":
        words += ["0", "1"]
    elif of.kind == "enum":
        words += [literal(word.encode()) for word in of.choices]
    else:
        return name
    return f"({' | '.join(words)}) as {name}"


def guard(of: Type, name: str) -> str:
    """What must hold of the bound element besides, or ``""``."""
    if of.kind == "enum":
        return ""
    kind = "int" if of.kind in ("int", "bool") or of.is_duration else "bytes"
    text = f"type({name}) is {kind}"
    return f"({name} is None or {text})" if of.optional else text


def expression(of: Type, name: str) -> str:
    """The expression that turns the matched element into the declared type."""
    if of.is_duration:
        text = f"{name} * decode.{_UNITS[of.kind]}"
    elif of.kind == "enum":
        text = f"cast({literal(annotation(Type('enum', of.choices)))}, {name}.decode())"
    elif of.kind == "str":
        text = f"decode.text({name})"
    elif of.kind == "float":
        text = f"decode.real({name})"
    elif of.kind == "bool":
        text = f"{name} == 1"
    else:
        return name
    return f"None if {name} is None else {text}" if of.optional else text


def about(field: Arg) -> str:
    """What a docstring says of a field: its unit and when it is absent."""
    if field.type.is_duration:
        text = f"A duration in whole {UNIT_WORDS[field.type.kind]}."
    elif field.type.kind == "enum":
        text = f"{' or '.join(field.type.choices)}."
    else:
        text = _ABOUT[field.type.kind]
    return f"{text} None when absent." if field.type.optional else text


_ABOUT = {
    "int": "An integer.",
    "float": "A finite number.",
    "str": "Text.",
    "bytes": "Bytes, as they were stored.",
    "bool": "True or false.",
}
