"""Bodies of generated functions: what a call consists of, and the names of its keys and channels.

A call names its keys by the same expressions as the function for plain commands on
them, without making that function's result first.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from redislua.codegen import arguments
from redislua.codegen.names import Names
from redislua.codegen.view import BuilderView, CallView, SettingsView
from redislua.spec.model import Arg, Channel, Key, Script
from redislua.spec.pattern import Pattern


def call(script: Script, names: Names) -> CallView:
    """The parts of a script's `Call`."""
    channels = [_channel_local(channel) for channel in script.channels]
    argv = [*_scalars(script, names), *channels]
    argv += [arguments.group_encoder(names, group) for group in script.groups]
    return CallView(
        locals=(
            *_placeholders(script, names, script.placeholders),
            *((_channel_local(channel), _channel(channel)) for channel in script.channels),
        ),
        keys=_tuple(
            [f"*{_keys(script, key)}" if key.variadic else _key(key) for key in script.keys]
        ),
        arguments=_tuple(argv),
        channels=_tuple(channels) if channels else "",
    )


def _tuple(parts: list[str]) -> str:
    """A tuple display; a lone ``*name(...)`` is a tuple already."""
    if len(parts) == 1 and parts[0].startswith(("*_", "*encode")):
        return parts[0][1:]
    return f"({', '.join(parts)},)" if parts else "()"


# --- keys and channels -----------------------------------------------------------------------


def keys_builder(script: Script, names: Names) -> BuilderView:
    """The function that names the keys."""
    patterns = [key.pattern for key in script.keys]
    return BuilderView(
        name=names.keys_function,
        returns=names.keys_class,
        doc=f"Name the keys of `{names.function}`, for plain commands on them.",
        constant=names.constant,
        parameters=arguments.key_parameters(script, patterns),
        locals=_placeholders(script, names, _used(script, patterns)),
        fields=tuple(
            (key.name, f"tuple({_keys(script, key)})" if key.variadic else _key(key))
            for key in script.keys
        ),
    )


def channels_builder(script: Script, names: Names) -> BuilderView:
    """The function that names the channels."""
    patterns = [channel.pattern for channel in script.channels]
    return BuilderView(
        name=names.channels_function,
        returns=names.channels_class,
        doc=f"Name the channels of `{names.function}`, to subscribe with SSUBSCRIBE.",
        constant=names.constant,
        parameters=arguments.key_parameters(script, patterns),
        locals=_placeholders(script, names, _used(script, patterns)),
        fields=tuple((channel.name, _channel(channel)) for channel in script.channels),
    )


def _used(script: Script, patterns: list[Pattern]) -> list[str]:
    held = {name for pattern in patterns for name in pattern.placeholders}
    return [name for name in script.placeholders if name in held]


def _placeholders(script: Script, names: Names, used: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (arguments.local(name), arguments.placeholder_encoder(script, names, name)) for name in used
    )


def _key(key: Key) -> str:
    return arguments.key_expression(key.pattern, spread=None)


def _keys(script: Script, key: Key) -> str:
    """The list of a variadic key's names."""
    text = arguments.key_expression(key.pattern, spread=script.spread)
    return f"[{text} for _item in {arguments.local(key.pattern.placeholders[-1])}]"


def _channel(channel: Channel) -> str:
    return arguments.key_expression(channel.pattern, spread=None)


def _channel_local(channel: Channel) -> str:
    """The local variable that holds a channel: it is an argument, too."""
    return f"_{channel.name}_channel"


# --- settings --------------------------------------------------------------------------------


def settings(script: Script, names: Names) -> tuple[SettingsView, ...]:
    """The encoder of a script's settings, or nothing when it has fewer than two."""
    args = _settings(script)
    if not args:
        return ()
    return (
        SettingsView(
            name=names.settings,
            parameters=tuple(
                arg for arg in arguments.parameters(script, names) if arg.name in _names(args)
            ),
            parts=tuple(arguments.encoder(names, arg, arg.name) for arg in args),
        ),
    )


def _scalars(script: Script, names: Names) -> list[str]:
    """One expression for each scalar of ARGV, and one for all settings."""
    args = _settings(script)
    parts = []
    for arg in script.args:
        if arg not in args:
            parts.append(arguments.encoder(names, arg, arg.name))
        elif arg == args[0]:
            parts.append(f"*{names.settings}({', '.join(_names(args))})")
    return parts


def _settings(script: Script) -> list[Arg]:
    """The longest run of arguments that callers repeat, of two or more."""
    runs = [list(run) for repeats, run in groupby(script.args, _repeats) if repeats]
    longest = max(runs, key=len, default=[])
    return longest if len(longest) > 1 else []


def _repeats(arg: Arg) -> bool:
    return arg.type.is_duration or arg.type.kind in ("int", "bool", "enum")


def _names(args: list[Arg]) -> list[str]:
    return [arg.name for arg in args]
