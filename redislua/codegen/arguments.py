"""Parameters of generated functions: annotations, defaults, encoders, and their words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from redislua.codegen.names import Names
from redislua.codegen.quoting import literal
from redislua.spec.model import UNIT_US, Arg, Group, Key, Script
from redislua.spec.pattern import Pattern

_SCALARS = {
    "int": "int",
    "float": "float",
    "str": "str",
    "bytes": "bytes",
    "bool": "bool",
    "owner": "str",
    "token": "str",
}
UNIT_WORDS = {"us": "microseconds", "ms": "milliseconds", "s": "seconds"}


@dataclass(frozen=True, slots=True)
class ParameterView:
    """One keyword parameter.

    Attributes:
        name: Its name.
        annotation: Python type.
        default: Python text of the default, or ``""`` when required.
        about: What the docstring says of it.
    """

    name: str
    annotation: str
    default: str
    about: str


def annotation(arg: Arg) -> str:
    """The Python type of a scalar parameter."""
    if arg.type.is_duration:
        base = "timedelta | int"
    elif arg.type.kind == "enum":
        base = f"Literal[{', '.join(literal(word) for word in arg.type.choices)}]"
    else:
        base = _SCALARS[arg.type.kind]
    return f"{base} | None" if arg.default is not None and arg.default.value is None else base


def parameters(script: Script, names: Names) -> tuple[ParameterView, ...]:
    """All parameters of a script's function, placeholders first."""
    views = [*key_parameters(script)]
    for arg in script.args:
        default = "" if arg.default is None else literal(arg.default.value)
        views.append(ParameterView(arg.name, annotation(arg), default, about(arg)))
    for group in script.groups:
        row = names.argument_row(group)
        kinds = f"Sequence[{row}]"
        if len(group.columns) == 2:
            first, second = (annotation(column) for column in group.columns)
            kinds += f" | Mapping[{first}, {second}]"
        count = f"{_bound(group.range.low)} to {_bound(group.range.high)}" if group.range else ""
        views.append(ParameterView(group.name, kinds, "", f"Rows, {count}."))
    return tuple(views)


def key_parameters(
    script: Script, patterns: Iterable[Pattern] | None = None
) -> tuple[ParameterView, ...]:
    """The parameters that stand in key and channel names, or in some patterns alone."""
    used = script.placeholders
    if patterns is not None:
        held = {name for pattern in patterns for name in pattern.placeholders}
        used = tuple(name for name in used if name in held)
    return tuple(
        ParameterView(
            name,
            "Sequence[str]" if name == script.spread else "str",
            "",
            _about_placeholder(script, name),
        )
        for name in used
    )


def _about_placeholder(script: Script, name: str) -> str:
    texts = [key.pattern.text for key in script.keys if name in key.pattern.placeholders]
    texts += [item.pattern.text for item in script.channels if name in item.pattern.placeholders]
    inside = any(key.pattern.tag == name for key in script.keys)
    rule = "no braces" if inside else "not empty"
    return f"Part of ``{'``, ``'.join(texts)}``; {rule}."


def about(arg: Arg) -> str:
    """What a docstring says of a scalar."""
    low, high = arg.bounds
    kind = arg.type.kind
    if arg.type.is_duration:
        return f"A timedelta, or an int in {UNIT_WORDS[kind]}: {_bound(low)} to {_bound(high)}."
    if kind == "int":
        return f"{_bound(low)} to {_bound(high)}."
    if kind == "float":
        return "A finite number." if arg.range is None else f"A finite number in {arg.range}."
    if kind in ("str", "bytes"):
        return f"{_bound(low)} to {_bound(high)} bytes." if arg.range else "Any length."
    if kind == "enum":
        return f"{' or '.join(arg.type.choices)}."
    if kind == "owner":
        return "Who asks; `redislua.runtime.new_owner` makes one. At most 48 bytes."
    if kind == "token":
        return "Marks one operation, so that a resend is recognised; made when left out."
    return "True or false."


def _bound(value: float | None) -> str:
    return "" if value is None else f"{value:_}" if isinstance(value, int) else str(value)


# --- encoding --------------------------------------------------------------------------------


def encoder(names: Names, arg: Arg, value: str) -> str:
    """The expression that validates and encodes one scalar.

    Args:
        names: Of the script.
        arg: The argument.
        value: Python text of the value: the parameter, or an attribute of a row.
    """
    low, high = arg.bounds
    head = f"{names.constant}, {literal(arg.name)}, {value}"
    kind = arg.type.kind
    if arg.type.is_duration:
        text = f"encode.duration({head}, {UNIT_US[kind]}, {literal(low)}, {literal(high)})"
    elif kind == "enum":
        text = f"encode.word({head}, {literal(arg.type.choices)})"
    elif kind in _BOUNDED:
        text = f"encode.{_BOUNDED[kind]}({head}, {literal(low)}, {literal(high)})"
    else:
        text = f"encode.{_PLAIN[kind]}({head})"
    if kind != "token" and arg.default is not None and arg.default.value is None:
        return f'b"" if {value} is None else {text}'
    return text


_BOUNDED = {"int": "integer", "float": "real", "str": "text", "bytes": "binary"}
_PLAIN = {"bool": "flag", "owner": "owner", "token": "token"}


def group_encoder(names: Names, group: Group) -> str:
    """The expression that validates and encodes a group; it is spread into ARGV."""
    if group.range is None:
        raise AssertionError("the header grammar gives every argument group a range")
    low, high = literal(group.range.low), literal(group.range.high)
    row = names.argument_row(group)
    rows = group.name
    if len(group.columns) == 2:
        rows = f"encode.pairs({names.constant}, {literal(group.name)}, {group.name}, {row})"
    return (
        f"*encode.rows({names.constant}, {literal(group.name)}, {rows}, "
        f"{low}, {high}, {row}, {names.row_encoder(group)})"
    )


# --- keys ------------------------------------------------------------------------------------


def local(placeholder: str) -> str:
    """The local variable that holds an encoded placeholder; no parameter is called like it."""
    return f"_{placeholder}_bytes"


def key_expression(pattern: Pattern, *, spread: str | None) -> str:
    """The expression that builds one key from the encoded placeholders (`local`)."""
    parts = ["_prefix"]
    head = f"{pattern.prefix}{{{pattern.before}" if not pattern.bare else ""
    if pattern.tag:
        parts += [literal(head.encode()), local(pattern.tag)]
        head = ""
    if not pattern.bare:
        head += f"{pattern.after}}}{pattern.middle}"
    if head:
        parts.append(literal(head.encode()))
    if pattern.tail:
        parts.append("_item" if pattern.tail == spread else local(pattern.tail))
    if spread is not None and pattern.tag == spread:
        parts[parts.index(local(spread))] = "_item"
    return " + ".join(parts)


def placeholder_encoder(script: Script, names: Names, name: str) -> str:
    """The expression that validates and encodes one placeholder."""
    patterns = [key.pattern for key in script.keys]
    patterns += [channel.pattern for channel in script.channels]
    function = "tag" if any(pattern.tag == name for pattern in patterns) else "name"
    if name == script.spread:
        key = next(key for key in script.keys if key.variadic)
        return _spread_encoder(names, key, name, function)
    return f"encode.{function}({names.constant}, {literal(name)}, {name})"


def _spread_encoder(names: Names, key: Key, name: str, function: str) -> str:
    if key.count is None:
        raise AssertionError("a variadic key has a range")
    low, high = literal(key.count.low), literal(key.count.high)
    many = f"encode.many({names.constant}, {literal(name)}, {name}, {low}, {high})"
    each = f"encode.{function}({names.constant}, {literal(name)}, _value)"
    return f"[{each} for _value in {many}]"
