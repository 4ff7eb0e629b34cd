"""The scripts of one folder: discovery, and the proofs that span several files."""

from __future__ import annotations

import keyword
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from redislua.errors import ConfigError, HeaderError, ScriptsRefused
from redislua.spec.cursor import LOWER, NAME_LENGTH, NAME_TAIL
from redislua.spec.header import parse
from redislua.spec.model import Key, Script
from redislua.spec.notation import (
    Example,
    ExampleCall,
    Expectation,
    Items,
    Position,
    Reference,
)
from redislua.spec.source import read_lines
from redislua.spec.typing import Misfit, arguments, rows, scalar

_DEVICES = frozenset(
    [
        "aux",
        "con",
        "nul",
        "prn",
        *(f"{port}{digit}" for port in ("com", "lpt") for digit in range(10)),
    ]
)
FILE = "scripts/<family>/<name>.v<major>.lua, with names of a-z, 0-9 and _, no Python keyword"


@dataclass(frozen=True, slots=True)
class Registry:
    """All scripts of a folder, sorted by family, name and major version.

    Attributes:
        root: The scripts folder.
        scripts: The scripts.
    """

    root: Path
    scripts: tuple[Script, ...]

    @property
    def families(self) -> dict[str, tuple[Script, ...]]:
        """Scripts by family, in order."""
        found: dict[str, list[Script]] = {}
        for script in self.scripts:
            found.setdefault(script.family, []).append(script)
        return {family: tuple(scripts) for family, scripts in found.items()}

    def is_newest(self, script: Script) -> bool:
        """True for the greatest major of its name."""
        return not any(
            other.family == script.family
            and other.name == script.name
            and other.major > script.major
            for other in self.scripts
        )

    def callable_name(self, script: Script) -> str:
        """What the script is called by: ``gcra``, or ``gcra_v1`` beside a newer major."""
        return script.name if self.is_newest(script) else f"{script.name}_v{script.major}"

    def find(self, name: str) -> Script | None:
        """The script called ``family.name``; ``family.name_v1`` is an older major."""
        for script in self.scripts:
            if f"{script.family}.{self.callable_name(script)}" == name:
                return script
        return None

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that `find` knows."""
        return tuple(f"{script.family}.{self.callable_name(script)}" for script in self.scripts)


def load(root: Path) -> Registry:
    """Read every script below a folder.

    Raises:
        ConfigError: When the folder is not there.
        ScriptsRefused: With all problems of all files.
    """
    if not root.is_dir():
        raise ConfigError(f"{root}: there is no such folder; `redislua new family/name` makes it")
    problems: list[HeaderError] = []
    sources: dict[str, bytes] = {}
    for path in _files(root, problems):
        file = path.relative_to(root).as_posix()
        try:
            sources[file] = path.read_bytes()
        except OSError as error:
            problems.append(
                HeaderError(file, f"cannot be read: {error.strerror}", "a readable file")
            )
    return from_sources(sources, root=root, problems=problems)


def from_sources(
    sources: Mapping[str, bytes], *, root: Path, problems: Iterable[HeaderError] = ()
) -> Registry:
    """Make a registry of scripts given as bytes by ``family/name.v<N>.lua``.

    Args:
        sources: The scripts.
        root: The folder they belong to.
        problems: What is known to be wrong already.

    Raises:
        ScriptsRefused: With all problems.
    """
    found = [*problems]
    scripts: list[Script] = []
    for file, data in sources.items():
        family, name, major = _split(file) or ("", "", 0)
        try:
            scripts.append(parse(file, data, family=family, name=name, major=major))
        except ScriptsRefused as refused:
            found.extend(refused.problems)
    scripts.sort(key=lambda script: (script.family, script.name, script.major))
    registry = Registry(root, tuple(scripts))
    found.extend(_check_keys(registry.scripts))
    found.extend(_check_errors(registry))
    if not found:  # an example may call any script, so all must be known first
        found.extend(_check_examples(registry))
    if found:
        found.sort(key=lambda problem: (problem.file, problem.line, problem.column))
        raise ScriptsRefused(found)
    return registry


def read_sources(root: Path) -> Iterator[tuple[str, bytes]]:
    """Yield path and bytes of every script that is text, whatever its header says.

    What cannot be read, and what is no text (bytecode among it), is left to `load` to report.
    """
    for path in _files(root, []):
        file = path.relative_to(root).as_posix()
        try:
            data = path.read_bytes()
            read_lines(file, data)
        except (OSError, HeaderError):
            continue
        yield file, data


# --- discovery -------------------------------------------------------------------------------


def _files(root: Path, problems: list[HeaderError]) -> Iterator[Path]:
    """Yield script files; anything else that is called like one is a problem."""
    for path in sorted(_walk(root, problems)):
        relative = path.relative_to(root).as_posix()
        if path.is_symlink():
            problems.append(HeaderError(relative, "a symbolic link", "files of this folder itself"))
        elif path.suffix.lower() != ".lua" or path.name.endswith(".worst.lua"):
            continue
        elif not path.is_file():
            problems.append(HeaderError(relative, "not a regular file", "a file"))
        elif _split(relative) is None:
            problems.append(HeaderError(relative, "not the path of a script", FILE))
        else:
            yield path


def _walk(root: Path, problems: list[HeaderError]) -> Iterator[Path]:
    """Yield everything below a folder but what is hidden; what cannot be listed is a problem.

    A folder passed over in silence would look like one without scripts, and its module
    would be removed.
    """

    def unreadable(error: OSError) -> None:
        relative = Path(error.filename).relative_to(root).as_posix()
        problems.append(
            HeaderError(relative, f"cannot be read: {error.strerror}", "a readable folder")
        )

    for folder, folders, files in os.walk(root, onerror=unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in (*folders, *files):
            if not name.startswith("."):
                yield Path(folder, name)


def _split(relative: str) -> tuple[str, str, int] | None:
    """Split ``family/name.v1.lua`` into its parts, or return None."""
    parts = relative.split("/")
    pieces = parts[-1].split(".")
    if len(parts) != 2 or len(pieces) != 3:
        return None
    family, name, version = parts[0], pieces[0], pieces[1]
    digits = version.removeprefix("v")
    if version == digits or not digits.isdecimal() or not digits.isascii() or len(digits) > 4:
        return None
    if digits[0] == "0" or not is_name(family) or not is_name(name) or pieces[2] != "lua":
        return None
    return family, name, int(digits)


def is_name(word: str) -> bool:
    """True for a family's or a script's name.

    It names a function and a file: no Python keyword, and no device of Windows.
    """
    if keyword.iskeyword(word) or keyword.issoftkeyword(word) or word in _DEVICES:
        return False
    return 0 < len(word) <= NAME_LENGTH and word[0] in LOWER and NAME_TAIL.issuperset(word)


# --- keys ------------------------------------------------------------------------------------


def _check_keys(scripts: Iterable[Script]) -> Iterator[HeaderError]:
    """Prove that no two patterns match one key, unless they mean the same state."""
    declared = [(script, key) for script in scripts for key in script.keys]
    for (one, first), (two, second) in combinations(declared, 2):
        if first.pattern.overlaps(second.pattern):
            problem = _conflict(one, first, two, second)
            if problem:
                yield problem


def _conflict(one: Script, first: Key, two: Script, second: Key) -> HeaderError | None:
    here = f"{first.pattern.text} of {one.file}"
    if first.pattern.shape != second.pattern.shape:
        return _problem(
            two,
            second.position,
            f"{second.pattern.text} can name the same key as {here}",
            "patterns that no key can match both",
        )
    if first.redis_type != second.redis_type:
        return _problem(
            two,
            second.position,
            f"{second.pattern.text} is a {second.redis_type} here and a {first.redis_type} in {one.file}",
            "one type for one key",
        )
    mine, theirs = two.state_of(second.name), one.state_of(first.name)
    if mine is None and theirs is None:
        return None
    unlike = (
        (mine and theirs and (mine.format, mine.number) != (theirs.format, theirs.number))
        or (mine is None and not two.read_only)
        or (theirs is None and not one.read_only)
    )
    if not unlike:
        return None
    return _problem(
        two,
        second.position,
        f"{second.pattern.text} has state {mine or 'undeclared'} here and "
        f"{theirs or 'undeclared'} in {one.file}",
        "one @state for one key in every script that writes it",
    )


# --- errors ----------------------------------------------------------------------------------


def _check_errors(registry: Registry) -> Iterator[HeaderError]:
    """One error class per family and name, so one text."""
    for scripts in registry.families.values():
        first: dict[str, tuple[Script, str]] = {}
        for script in scripts:
            for error in script.errors:
                other, text = first.setdefault(error.name, (script, error.text))
                if text != error.text:
                    yield _problem(
                        script,
                        error.position,
                        f"{error.name} has another text in {other.file}",
                        f"the same text: {text}",
                    )


# --- examples --------------------------------------------------------------------------------


def _check_examples(registry: Registry) -> Iterator[HeaderError]:
    for script in registry.scripts:
        for example in script.examples:
            for number, line in enumerate(example.lines, 1):
                if not isinstance(line, ExampleCall):
                    continue
                try:
                    called = resolve(registry, script, line)
                    typed = arguments(called, line.arguments)
                    for value in typed.values():
                        if isinstance(value, Reference):
                            _check_reference(registry, script, example, number, value)
                    check_expectation(called, line.expectation)
                except Misfit as misfit:
                    where = misfit.position if misfit.position.line else line.position
                    yield _problem(script, where, misfit.problem, misfit.expected)


def resolve(registry: Registry, script: Script, line: ExampleCall) -> Script:
    """The script that a line calls: of the same family, or ``family.name``.

    A plain name that is the script's own means this very file, older majors included.
    """
    if line.script == script.name:
        return script
    name = line.script if "." in line.script else f"{script.family}.{line.script}"
    found = registry.find(name)
    if found is None:
        near = [known for known in registry.names if known.startswith(f"{script.family}.")]
        raise Misfit(line.position, f"no script is called {name}", f"one of {', '.join(near)}")
    return found


def _check_reference(
    registry: Registry, script: Script, example: Example, number: int, reference: Reference
) -> None:
    if not 1 <= reference.line < number:
        raise Misfit(reference.position, f"${reference.line} is no earlier line", "a line above")
    line = example.lines[reference.line - 1]
    if not isinstance(line, ExampleCall) or not line.expectation.variant:
        raise Misfit(reference.position, f"line {reference.line} has no variant", "a call's line")
    variant = resolve(registry, script, line).variant(line.expectation.variant)
    fields = [field.name for field in variant.fields] if variant else []
    if reference.field not in fields:
        raise Misfit(
            reference.position,
            f"line {reference.line} replies no {reference.field!r}",
            f"one of {', '.join(fields)}" if fields else "a variant with fields",
        )


def check_expectation(script: Script, expectation: Expectation) -> None:
    """Raise `Misfit` when a line expects what the script cannot answer."""
    if expectation.error:
        if expectation.error not in {error.name for error in script.errors}:
            raise Misfit(
                expectation.position,
                f"{script.full_name} declares no error {expectation.error}",
                f"one of {', '.join(error.name for error in script.errors) or 'none'}",
            )
        return
    if script.bare is not None:
        if expectation.variant:
            raise Misfit(expectation.position, "a variant", f"a value of type {script.bare}")
        scalar(script.bare, expectation.conditions[0].value)
        return
    variant = script.variant(expectation.variant)
    if variant is None:
        errors = [error.name for error in script.errors]
        known = [variant.name for variant in script.variants]
        raise Misfit(
            expectation.position,
            f"{script.full_name} replies no {expectation.variant or 'bare value'}",
            f"error {expectation.variant}" if expectation.variant in errors else _one_of(known),
        )
    fields = {field.name: field.type for field in variant.fields}
    for condition in expectation.conditions:
        if variant.group is not None and condition.field == variant.group.name:
            rows(variant.group, condition.value)
        elif condition.field not in fields:
            raise Misfit(
                condition.position,
                f"{variant.name} has no field {condition.field!r}",
                _one_of([*fields, *([variant.group.name] if variant.group else [])]),
            )
        elif isinstance(condition.value, Items):
            raise Misfit(condition.position, "a list", f"a value of type {fields[condition.field]}")
        elif not isinstance(condition.value, Reference):
            scalar(fields[condition.field], condition.value)


def _one_of(names: list[str]) -> str:
    return f"one of {', '.join(names)}" if names else "no field"


def _problem(script: Script, place: Position, problem: str, expected: str) -> HeaderError:
    text = script.source.decode("utf-8").split("\n")[place.line - 1]
    return HeaderError(
        script.file,
        problem,
        expected,
        line=place.line,
        column=place.column,
        width=place.width,
        text=text,
    )
