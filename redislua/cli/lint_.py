"""``redislua lint``.

A run that finds nothing new takes a fraction of a second, so nothing is imported here that
such a run does not need: rich only for a terminal, rules and parsers only for a file that
changed.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from redislua.cli.lint_output import Output, report_troubles, sentence
from redislua.cli.wording import told
from redislua.errors import ConfigError, NoProject, RedisLuaError
from redislua.lint.cache import Cache, folder_of
from redislua.lint.diagnostic import Diagnostic
from redislua.lint.engine import Change, Linter, Summary, lint_paths, lint_source
from redislua.lint.files import MAX_BYTES, Trouble
from redislua.lint.reporters import FORMATS
from redislua.lint.settings import Settings

FOUND = 1
FAILED = 2
STDIN = "-"
TABLE = "redis-commands.json"


@click.command("lint")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--select", multiple=True, metavar="RULE", help="Run these rules, not the default.")
@click.option("--ignore", multiple=True, metavar="RULE", help="Leave these rules out, too.")
@click.option(
    "--target", multiple=True, metavar="SERVER", help="Servers to run on, as in 'redis>=7.4'."
)
@click.option("--format", "form", type=click.Choice(FORMATS), default="full", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file.")
@click.option(
    "--fix", is_flag=True, help="Apply safe fixes; of standard input, print the fixed text."
)
@click.option("--add-ignores", is_flag=True, help="Write a suppression for each finding.")
@click.option("--reason", help="What the suppressions of --add-ignores say.")
@click.option(
    "--commands-from",
    metavar="URL",
    help="First write the command table of this server to the project, and lint for it alone.",
)
@click.option("--no-cache", is_flag=True, help="Neither read nor write results of other runs.")
@click.option("--isolated", is_flag=True, help="Read no pyproject.toml.")
def command(
    paths: tuple[str, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    target: tuple[str, ...],
    form: str,
    output: Path | None,
    fix: bool,
    add_ignores: bool,
    reason: str | None,
    commands_from: str | None,
    no_cache: bool,
    isolated: bool,
) -> None:
    """Find what breaks in Redis Lua, before a server sees it.

    PATHs are files, folders, or - for standard input; without any, the project's scripts.
    RULEs are codes, beginnings of codes, or names, several apart by commas.
    Exit codes: 0 nothing found, 1 something found, 2 could not look at everything.

    \b
    Examples:
      redislua lint
      redislua lint vendor/ --select RL2,unknown-command --target 'redis>=7.4'
      redislua lint --format sarif --output lint.sarif
      redislua lint --commands-from redis://127.0.0.1:6379
      redislua lint legacy/ --add-ignores --reason "older than the linter"
    """
    change = _change(fix, add_ignores, reason)
    for option, words in (("--select", select), ("--ignore", ignore), ("--target", target)):
        if words and not _split(words):
            raise click.UsageError(f"{option} names nothing: leave it out, or name something")
    settings = Settings()
    try:
        settings = _settings(isolated, _split(select), _split(ignore), _split(target))
        if commands_from is not None:
            settings = replace(settings, commands=_commands_from(commands_from, settings))
        # What names no rule or server is said before anything is looked at, but for a run
        # that is answered from the cache alone: it was said when that was filled.
        shown = Output(form, output, beside=fix and paths == (STDIN,))
        if paths == (STDIN,):
            if add_ignores:
                raise click.UsageError("--add-ignores changes files: name them")
            summary = _lint_stdin(settings, shown, fix)
        elif STDIN in paths:
            raise click.UsageError("- stands alone: standard input is one script")
        else:
            places = paths or _usual(settings)
            cache = None if no_cache else Cache(folder_of(settings.root), settings)
            summary = lint_paths(places, settings, shown.show, cache=cache, change=change)
        shown.close(summary)
    except BrokenPipeError:
        raise
    except (RedisLuaError, OSError) as error:
        click.echo(f"error: {_placed(error, settings, (*select, *ignore, *target))}", err=True)
        raise click.exceptions.Exit(FAILED) from None
    report_troubles(summary)
    click.echo(sentence(summary), err=True)
    if summary.troubles:
        raise click.exceptions.Exit(FAILED)
    raise click.exceptions.Exit(FOUND if summary.total else 0)


def _placed(error: Exception, settings: Settings, given: tuple[str, ...]) -> str:
    """What went wrong, and where: pyproject.toml, if what is wrong was not given here."""
    text = told(error)
    if not isinstance(error, ConfigError) or settings.root is None or "pyproject.toml" in text:
        return text
    if any(repr(word) in text for word in _split(given)):
        return text
    return f"{settings.root / 'pyproject.toml'}: [tool.redislua.lint] {text}"


def _change(fix: bool, add_ignores: bool, reason: str | None) -> Change | None:
    if fix and add_ignores:
        raise click.UsageError("--fix and --add-ignores are two steps: fix first")
    if add_ignores and not (reason or "").strip():
        raise click.UsageError("--add-ignores needs --reason: why the findings may stay")
    if reason is not None and not add_ignores:
        raise click.UsageError("--reason is for --add-ignores")
    if fix:
        return _fix
    if add_ignores:
        from redislua.lint.ignores import Ignores

        return Ignores(" ".join((reason or "").split()))
    return None


def _fix(
    linter: Linter, path: str, source: bytes, found: list[Diagnostic], summary: Summary
) -> bytes:
    from redislua.lint.fixes import fix_file

    return fix_file(linter, path, source, found, summary)


def _settings(
    isolated: bool, select: tuple[str, ...], ignore: tuple[str, ...], target: tuple[str, ...]
) -> Settings:
    """The project's settings, and what the command line says instead or besides."""
    own = Settings()
    if not isolated:
        from redislua.spec.config import find_lint_config

        try:
            found = find_lint_config(Path.cwd())
        except NoProject:
            pass  # any folder can be linted
        else:
            own = Settings.of(found)
    return replace(
        own,
        select=select or own.select,
        ignore=own.ignore + ignore,
        targets=target or own.targets,
    )


def _commands_from(url: str, settings: Settings) -> Path:
    """Write the table of a running server, and say how the project keeps using it."""
    from redislua.probe.commands import write_table

    path = settings.commands or (settings.root or Path.cwd()) / TABLE
    server = write_table(url, path)
    click.echo(f"wrote the commands of {server} to {path}", err=True)
    if settings.commands is None:
        hint = f'commands = "{TABLE}"'
        click.echo(f"to use them from now on: {hint} in [tool.redislua.lint]", err=True)
    return path


def _split(words: tuple[str, ...]) -> tuple[str, ...]:
    """Words given once each, or several apart by commas."""
    return tuple(part.strip() for word in words for part in word.split(",") if part.strip())


def _usual(settings: Settings) -> tuple[str, ...]:
    """The project's scripts."""
    if settings.scripts is None:
        raise ConfigError("no project with scripts here: name the files or folders to lint")
    here = Path.cwd()
    inside = settings.scripts.is_relative_to(here)
    return (str(settings.scripts.relative_to(here) if inside else settings.scripts),)


def _lint_stdin(settings: Settings, shown: Output, fix: bool) -> Summary:
    path = "<stdin>"
    summary = Summary(files=[path])
    source = sys.stdin.buffer.read(MAX_BYTES + 1)
    found = lint_source(source, path=path, settings=settings)
    if fix:
        source, found = _fixed(source, found, path, settings, summary)
        sys.stdout.buffer.write(source)
    summary.add(found)
    shown.show(path, found)
    return summary


def _fixed(
    source: bytes, found: list[Diagnostic], path: str, settings: Settings, summary: Summary
) -> tuple[bytes, list[Diagnostic]]:
    """Standard input with what can be fixed, and what is left."""
    from redislua.lint.fixes import fix_source, linting

    if len(source) > MAX_BYTES:
        raise click.UsageError(f"standard input has more than {MAX_BYTES} bytes: nothing is fixed")
    lint = linting(Linter(settings), path)
    fixed = fix_source(source, found, lint)
    if fixed.refused:
        summary.troubles.append(Trouble(path, fixed.refused))
    summary.fixed += fixed.count
    return fixed.source, lint(fixed.source)[0]
