"""Replies of generated functions: annotations, ``match`` patterns, decoders, and their words."""

from __future__ import annotations

from redislua.codegen.arguments import UNIT_WORDS
from redislua.codegen.quoting import literal
from redislua.spec.model import Arg, Type

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
    """The ``match`` pattern that binds ``name`` to one element of a reply."""
    if of.kind == "bool":
        inner, binds = "0 | 1", False
    elif of.kind == "enum":
        inner = " | ".join(literal(word.encode()) for word in of.choices)
        binds = False
    else:
        kind = "int" if of.kind == "int" or of.is_duration else "bytes"
        inner, binds = f"{kind}({name})", True
        if of.optional:
            inner, binds = f"{kind}()", False
    if binds:
        return inner
    return f"({'None | ' if of.optional else ''}{inner}) as {name}"


def expression(of: Type, name: str) -> str:
    """The expression that turns the matched element into the declared type."""
    if of.is_duration:
        text = f"timedelta({UNIT_WORDS[of.kind]}={name})"
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
