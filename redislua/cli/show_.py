"""``redislua show``."""

from __future__ import annotations

import click
from rich.markup import escape

from redislua.cli import project
from redislua.cli.console import exits, stdout
from redislua.codegen.arguments import parameters
from redislua.codegen.names import names_of
from redislua.codegen.replies import annotation
from redislua.spec.model import Script, Variant
from redislua.spec.registry import Registry


@click.command("show")
@click.argument("name", metavar="FAMILY.NAME")
@exits
def command(name: str) -> int:
    """Show one script: its Python signature, replies, keys, errors, text and sha1.

    The project's, or else one of redislua's own catalogue.

    \b
    Example:
      redislua show limit.gcra
    """
    scripts, script = project.find(name)
    console = stdout()
    console.print(f"[bold]{name}[/bold] {script.version}  {escape(script.summary)}\n")
    for heading, lines in _sections(scripts, script):
        if lines:
            console.print(f"[bold]{heading}[/bold]")
            for line in lines:
                console.print(f"  {escape(line)}" if line else "")
            console.print()
    console.print(f"[bold]sha1[/bold] {script.sha1}  [dim]{script.file}[/dim]")
    return 0


def _sections(scripts: Registry, script: Script) -> list[tuple[str, list[str]]]:
    return [
        ("Call", _signature(scripts, script)),
        ("Replies", _replies(script)),
        ("Keys", [_key(script, index) for index in range(len(script.keys))]),
        ("Channels", [f"{item.name}  {item.pattern.text}" for item in script.channels]),
        ("In Lua", _layout(script)),
        ("Errors", [f"{error.name}  {error.text}" for error in script.errors]),
        ("Contract", _contract(script)),
        ("Text", script.description.split("\n") if script.description else []),
    ]


def _signature(scripts: Registry, script: Script) -> list[str]:
    names = names_of(scripts, script)
    lines = [f"{script.family}.{names.function}("]
    for view in parameters(script, names):
        default = f" = {view.default}" if view.default else ""
        lines.append(f"    {view.name}: {view.annotation}{default},  # {view.about}")
    return [*lines, f") -> {names.reply}"]


def _replies(script: Script) -> list[str]:
    if script.bare:
        return [annotation(script.bare)]
    return [_variant(variant) for variant in script.variants]


def _variant(variant: Variant) -> str:
    fields = [f"{field.name}: {annotation(field.type)}" for field in variant.fields]
    if variant.group:
        columns = ", ".join(
            f"{column.name}: {annotation(column.type)}" for column in variant.group.columns
        )
        fields.append(f"{variant.group.name}: rows of ({columns})")
    return f"{variant.name}({', '.join(fields)})"


def _key(script: Script, index: int) -> str:
    key = script.keys[index]
    state = script.state_of(key.name)
    words = [f"{key.name}  {key.pattern.text}  {key.redis_type}"]
    words += ["expires"] if key.expires else []
    words += [f"{key.count} keys"] if key.count else []
    words += [f"format {state}"] if state else []
    return "  ".join(words)


def _layout(script: Script) -> list[str]:
    """Which element of KEYS and ARGV is what."""
    lines = []
    for index, key in enumerate(script.keys, 1):
        lines.append(f"KEYS[{index}]{' and on' if key.variadic else ''}  {key.name}")
    index = 0
    for arg in script.args:
        index += 1
        absent = "; '' when none" if arg.default and arg.default.value is None else ""
        lines.append(
            f"ARGV[{index}]  {arg.name}: {arg.type}{'' if arg.type.kind == 'token' else absent}"
        )
    for channel in script.channels:
        index += 1
        lines.append(f"ARGV[{index}]  {channel.name}: name of the channel")
    for group in script.groups:
        columns = ", ".join(column.name for column in group.columns)
        place = f"ARGV[{index + 1}]" if group is script.groups[0] else "then"
        lines.append(f"{place}  number of {group.name}; behind it each one's {columns}")
    for variant in script.variants:
        words = [f"'{variant.name}'", *(field.name for field in variant.fields)]
        if variant.group:
            words += [column.name for column in variant.group.columns] + ["..."]
        lines.append(f"return {{{', '.join(words)}}}")
    return lines


def _contract(script: Script) -> list[str]:
    budget = f"at most {script.budget.calls} commands, growth {script.budget.growth}"
    over = f" over {script.budget.over}" if script.budget.over else ""
    lines = [f"resend: {script.retry}", f"budget: {budget}{over}"]
    lines += [f"flags: {', '.join(script.flags)}"] if script.flags else []
    bounds = [f"{bound.product}>={'.'.join(map(str, bound.version))}" for bound in script.requires]
    lines += [f"requires: {' or '.join(bounds)}"] if bounds else []
    lines += [f"deprecated: {script.deprecated}"] if script.deprecated else []
    return lines
