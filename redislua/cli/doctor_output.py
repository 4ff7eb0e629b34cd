"""What `redislua doctor` prints for people."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import groupby

from rich.markup import escape
from rich.table import Table

from redislua.cli.console import counted, stdout
from redislua.inspect.checks import Expected, role_of
from redislua.inspect.doctor import Diagnosis
from redislua.inspect.facts import Facts
from redislua.inspect.finding import SEVERITIES, Finding
from redislua.inspect.needs import POLICIES, keys_without_expiry, served
from redislua.inspect.wording import sized
from redislua.spec.registry import Registry

_STYLES = {"error": "red", "warning": "yellow", "note": "cyan"}


def print_diagnosis(diagnosis: Diagnosis, expected: Expected) -> None:
    """Print a row for each server, then the findings with their remedies, worst first."""
    console = stdout()
    table = _table("server", "version", "role", "memory", "policy", "disk", "scripts", "clock")
    for facts in diagnosis.facts:
        table.add_row(*map(escape, _row(facts)))
    console.print(table, soft_wrap=False)
    if expected.role is None and diagnosis.facts:
        roles = sorted({role_of(facts, expected) for facts in diagnosis.facts})
        console.print(
            f"judged as a {' and a '.join(roles)}, by maxmemory-policy; --role says otherwise",
            style="dim",
        )
    every = {facts.node for facts in diagnosis.facts}
    for _, group in groupby(diagnosis.findings, key=lambda one: (one.severity, one.remedy)):
        _print_findings(list(group), every)
    console.print()
    worst = [one.severity for one in diagnosis.findings]
    tally = ", ".join(counted(worst.count(one), one) for one in SEVERITIES if one in worst)
    style = "green" if diagnosis.is_healthy else "red" if "error" in worst else "yellow"
    console.print(tally or "nothing found", style=style)


def _print_findings(same: Sequence[Finding], every: Collection[str]) -> None:
    """Print findings that have one remedy."""
    console = stdout()
    console.print()
    for one in same:
        where = "" if set(one.nodes) >= set(every) else f" ({', '.join(one.nodes)})"
        console.print(
            f"[{_STYLES[one.severity]}]{one.severity}[/] [bold]{escape(one.code)}[/bold]: "
            f"{escape(one.text)}[dim]{escape(where)}[/dim]"
        )
    console.print(f"  [bold]do:[/bold] {escape(same[0].remedy)}")


def _row(facts: Facts) -> Sequence[str]:
    used, most = facts.number("used_memory"), facts.number("maxmemory")
    memory = "?" if used is None else sized(used)
    if most is not None:
        memory += f" of {sized(most)}" if most else ", no limit"
    replicas = facts.number("connected_slaves")
    role = "replica" if not facts.is_primary else f"primary, {counted(replicas or 0, 'replica')}"
    clock = facts.clock
    return (
        facts.node,
        facts.server,
        role,
        memory,
        facts.policy or "?",
        _disk(facts),
        _scripts(facts),
        "?" if clock is None else f"{clock.offset * 1000:+.1f} ms",
    )


def _disk(facts: Facts) -> str:
    kept = ["AOF"] if facts.number("aof_enabled") == 1 else []
    saves = facts.config.get("save")
    kept += ["RDB"] if saves else []
    return "+".join(kept) or ("?" if saves is None else "none")


def _scripts(facts: Facts) -> str:
    cached, evicted = facts.number("number_of_cached_scripts"), facts.number("evicted_scripts")
    if cached is None:
        return "?"
    return f"{cached}, {evicted} evicted" if evicted else str(cached)


def print_needs(registry: Registry, classes: Collection[str]) -> None:
    """Print the decision table, and what each eviction policy is for."""
    console = stdout()
    table = _table("you need", "use", "may be evicted", "if a key is lost")
    for need in served(registry):
        names = [name for name in need.classes if name in classes]
        table.add_row(
            need.text,
            "\n".join([*(f"[bold]{name}[/bold]" for name in names), _folded(need.scripts)]),
            "[green]yes[/green]" if need.may_be_evicted else "[red]no[/red]",
            need.loss,
        )
    console.print(table, soft_wrap=False)
    console.print(
        "\nWhat may not be evicted lives on a server with maxmemory-policy noeviction; locks, "
        "limiters and sessions do not belong on the cache.",
        soft_wrap=False,
    )
    spared = ", ".join(keys_without_expiry(registry.scripts)) or "none"
    console.print(
        "The volatile policies spare only keys without expiry, of the catalogue: "
        f"{escape(spared)}.\n",
        soft_wrap=False,
    )
    policies = _table("maxmemory-policy", "evicts", "is for")
    for policy in POLICIES:
        policies.add_row(policy.name, policy.takes, policy.fits)
    console.print(policies, soft_wrap=False)


def _folded(names: Sequence[str]) -> str:
    """``cache.get_or_lock fill abandon``: the family once."""
    shown = []
    family = ""
    for name in names:
        own, _, short = name.partition(".")
        shown.append(short if own == family else name)
        family = own
    return " ".join(shown)


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(heading)
    return table
