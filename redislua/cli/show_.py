"""``redislua show``."""

from __future__ import annotations

import click
from rich.markup import escape

from redislua.cli import project
from redislua.cli.console import exits, stdout
from redislua.codegen.arguments import parameters
from redislua.codegen.names import names_of
from redislua.codegen.replies import annotation
from redislua.errors import ConfigError
from redislua.spec.model import Script, Variant
from redislua.spec.registry import Registry


@click.command("show")
@click.argument("name", metavar="FAMILY.NAME")
@exits
def command(name: str) -> int:
    """Show one script: its Python signature, replies, keys, errors, text and sha1.

    \b
    Example:
      redislua show limit.gcra
    """
    _, scripts = project.registry()
    script = scripts.find(name)
    if script is None:
        raise ConfigError(f"no script is called {name!r}: {', '.join(scripts.names)}")
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


def _contract(script: Script) -> list[str]:
    budget = f"at most {script.budget.calls} commands, growth {script.budget.growth}"
    over = f" over {script.budget.over}" if script.budget.over else ""
    lines = [f"resend: {script.retry}", f"budget: {budget}{over}"]
    lines += [f"flags: {', '.join(script.flags)}"] if script.flags else []
    bounds = [f"{bound.product}>={'.'.join(map(str, bound.version))}" for bound in script.requires]
    lines += [f"requires: {' or '.join(bounds)}"] if bounds else []
    lines += [f"deprecated: {script.deprecated}"] if script.deprecated else []
    return lines
