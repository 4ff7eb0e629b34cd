"""``redislua doctor``."""

from __future__ import annotations

import importlib
import json
import pkgutil
from dataclasses import asdict
from typing import Literal

import click

from redislua import patterns
from redislua.cli import project
from redislua.cli.connecting import opened
from redislua.cli.console import FOUND, exits
from redislua.cli.doctor_output import print_diagnosis, print_needs
from redislua.inspect.checks import Expected
from redislua.inspect.doctor import Request, described, diagnose
from redislua.inspect.facts import Role
from redislua.spec.model import Script
from redislua.spec.registry import Registry


@click.command("doctor")
@click.argument("url", required=False)
@click.option(
    "--role",
    type=click.Choice(["cache", "database"]),
    help="What the server is used as; without it, what its eviction policy makes of it.",
)
@click.option(
    "--family",
    "families",
    multiple=True,
    metavar="FAMILY | FAMILY.NAME",
    help="Operations that are to run on it, of the project or the catalogue. Repeatable.",
)
@click.option("--namespace", default="", metavar="NAME", help="What stands before their keys.")
@click.option("--user", default="", metavar="NAME", help="The application's ACL user.")
@click.option("--ignore", multiple=True, metavar="CODE", help="A finding to leave out. Repeatable.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.option(
    "--explain", is_flag=True, help="Show which operation serves which need, and where it may live."
)
@exits
def command(
    url: str | None,
    role: Role | None,
    families: tuple[str, ...],
    namespace: str,
    user: str,
    ignore: tuple[str, ...],
    form: Literal["text", "json"],
    explain: bool,
) -> int:
    """Look at a running server, every node of a cluster, and say what to do.

    Looked at are version and published faults of its Lua, eviction policy, memory,
    persistence, replication, script cache and clock; with --family also the commands, the
    rights and the eviction policy that these operations need. Nothing is changed.

    URL is redis://user:password@host:6379/0, with TLS rediss://, or unix:///path, or
    redis+cluster://host,host, or redis+sentinel://host/name.

    \b
    Examples:
      redislua doctor redis://localhost:6379
      redislua doctor redis+cluster://n1:6379,n2:6379 --role cache
      redislua doctor redis://admin:secret@db:6379 --family limit --user shop --namespace shop
      redislua doctor redis://db:6379 --format json | jq -r '.findings[].code'
      redislua doctor --explain

    Exits 1 when it finds an error or a warning, 2 when no server answers.
    """
    if explain:
        print_needs(project.catalogue(), _classes())
        return 0
    if url is None:
        raise click.UsageError("give the URL of a server, or --explain")
    expected = Expected(role, _scripts(families))
    request = Request(expected, namespace, user, ignore, is_cluster="+cluster" in url)
    with opened(url) as clients:
        diagnosis = diagnose(clients, request)
    if form == "json":
        document = {
            "nodes": [described(one, expected) for one in diagnosis.facts],
            "findings": [asdict(one) for one in diagnosis.findings],
        }
        click.echo(json.dumps(document, indent=2))
    else:
        print_diagnosis(diagnosis, expected)
    return 0 if diagnosis.is_healthy else FOUND


def _scripts(names: tuple[str, ...]) -> tuple[Script, ...]:
    """The operations that were named: of the project, or else of the catalogue."""
    if not names:
        return ()
    known = _known()
    chosen = project.select(known, names)
    return tuple(script for script in map(known.find, chosen) if script is not None)


def _known() -> Registry:
    """The project's scripts, and those of the catalogue that it has not under the same name."""
    catalogue = project.catalogue()
    own = project.own()
    if own is None:
        return catalogue
    names = set(own.names)
    others = [one for one in catalogue.scripts if one.full_name not in names]
    return Registry(own.root, (*own.scripts, *others))


def _classes() -> frozenset[str]:
    """The names of the classes that `redislua.patterns` has."""
    found = set()
    for one in pkgutil.iter_modules(patterns.__path__):
        if not one.name.startswith("_"):
            module = importlib.import_module(f"{patterns.__name__}.{one.name}")
            found |= {name for name, what in vars(module).items() if isinstance(what, type)}
    return frozenset(found)
