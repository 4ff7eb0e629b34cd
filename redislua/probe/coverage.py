"""Which lines and branches of scripts ran, merged over any number of runs.

What a branch is, `redislua.probe.engine.branches` says. Lines are those on which Lua's
compiler put an instruction that can be reached. The report is written as a table, as lcov
(``geninfo(1)``) and as Cobertura (``coverage-04.dtd``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree

from redislua.probe.engine import Fork, Run, copy_of

__all__ = ["Coverage", "FileCoverage", "cobertura", "lcov", "spans"]


@dataclass(slots=True)
class FileCoverage:
    """One script.

    Attributes:
        file: Below the scripts folder.
        source: Its bytes.
        lines: The lines that can run, and how often each did.
        ways: The branches, by fork and way, and how often each was taken.
        forks: Its forks.
        why_not: Why it cannot be measured, or ``""``.
    """

    file: str
    source: bytes
    lines: Counter[int] = field(default_factory=Counter)
    ways: Counter[tuple[int, bool]] = field(default_factory=Counter)
    forks: tuple[Fork, ...] = ()
    why_not: str = ""

    def __post_init__(self) -> None:
        copy = copy_of(self.source)
        self.lines.update(dict.fromkeys(copy.lines, 0))
        self.forks = copy.forks
        for number in range(len(self.forks)):
            self.ways.update({(number, True): 0, (number, False): 0})

    def add(self, run: Run) -> None:
        """Add what one run did."""
        self.lines.update(run.lines)
        self.ways.update(run.ways)

    @property
    def missing_lines(self) -> list[int]:
        """The lines that did not run."""
        return sorted(line for line, count in self.lines.items() if not count)

    @property
    def missing_ways(self) -> list[tuple[Fork, bool]]:
        """The branches that were not taken, in source order."""
        missing = sorted(way for way, count in self.ways.items() if not count)
        return [(self.forks[number], way) for number, way in missing]

    @property
    def lines_run(self) -> int:
        """How many lines ran."""
        return len(self.lines) - len(self.missing_lines)

    @property
    def ways_taken(self) -> int:
        """How many branches were taken."""
        return sum(1 for count in self.ways.values() if count)


class Coverage:
    """All scripts that ran, by file."""

    def __init__(self) -> None:
        self._files: dict[str, FileCoverage] = {}

    def file(self, name: str, source: bytes) -> FileCoverage:
        """The entry of a script, made when it is first asked for."""
        if name not in self._files:
            self._files[name] = FileCoverage(name, source)
        return self._files[name]

    def add(self, run: Run) -> None:
        """Add one run."""
        script = run.call.script
        self.file(script.file, script.source).add(run)

    def __iter__(self) -> Iterator[FileCoverage]:
        return iter(sorted(self._files.values(), key=lambda one: one.file))

    @property
    def measured(self) -> list[FileCoverage]:
        """Those that can be measured, by file."""
        return [one for one in self if not one.why_not]

    @property
    def line_share(self) -> float:
        """The share of all lines that ran; 1 where there are none."""
        return _share(
            sum(one.lines_run for one in self.measured),
            sum(len(one.lines) for one in self.measured),
        )

    @property
    def way_share(self) -> float:
        """The share of all branches that were taken; 1 where there are none."""
        return _share(
            sum(one.ways_taken for one in self.measured),
            sum(len(one.ways) for one in self.measured),
        )


def spans(missing: Iterable[int], known: Iterable[int]) -> str:
    """Lines as ranges, ``12-14, 20``; a range goes on over lines that cannot run.

    Args:
        missing: What to write.
        known: All lines that can run.
    """
    wanted = set(missing)
    found: list[list[int]] = []
    is_open = False
    for line in sorted(known):
        if line in wanted and is_open:
            found[-1][1] = line
        elif line in wanted:
            found.append([line, line])
        is_open = line in wanted
    return ", ".join(f"{low}" if low == high else f"{low}-{high}" for low, high in found)


def lcov(coverage: Coverage, folder: str = "") -> str:
    """Write a tracefile.

    Args:
        coverage: What ran.
        folder: The scripts folder, as paths of the file shall begin.
    """
    return "".join(_record(one, _path(folder, one)) for one in coverage.measured)


def _record(one: FileCoverage, path: str) -> str:
    lines = ["TN:", f"SF:{path}"]
    for (number, way), count in sorted(one.ways.items()):
        fork = one.forks[number]
        taken = count if one.lines[fork.line] or count else "-"
        # The condition's number is the block, and its two ways are the block's branches.
        lines.append(f"BRDA:{fork.line},{number},{0 if way else 1},{taken}")
    lines += [f"BRF:{len(one.ways)}", f"BRH:{one.ways_taken}"]
    lines += [f"DA:{line},{count}" for line, count in sorted(one.lines.items())]
    lines += [f"LF:{len(one.lines)}", f"LH:{one.lines_run}", "end_of_record"]
    return "\n".join(lines) + "\n"


def cobertura(coverage: Coverage, folder: str = "", *, version: str, timestamp: int) -> str:
    """Write Cobertura's XML: a package for each family, a class for each script.

    Args:
        coverage: What ran.
        folder: The scripts folder, as paths of the file shall begin.
        version: redislua's.
        timestamp: Milliseconds since 1970.
    """
    measured = coverage.measured
    root = ElementTree.Element("coverage", {**_rates(measured), **_totals(measured)})
    root.attrib.update(complexity="0", version=f"redislua {version}", timestamp=str(timestamp))
    ElementTree.SubElement(ElementTree.SubElement(root, "sources"), "source").text = "."
    packages = ElementTree.SubElement(root, "packages")
    for family in sorted({_family(one) for one in measured}):
        own = [one for one in measured if _family(one) == family]
        package = ElementTree.SubElement(packages, "package", {"name": family, **_rates(own)})
        package.set("complexity", "0")
        classes = ElementTree.SubElement(package, "classes")
        for one in own:
            _class(classes, one, _path(folder, one))
    ElementTree.indent(root)
    head = '<?xml version="1.0" ?>\n'
    head += '<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">\n'
    return head + ElementTree.tostring(root, encoding="unicode") + "\n"


def _class(classes: ElementTree.Element, one: FileCoverage, path: str) -> None:
    name = one.file.rpartition("/")[2].removesuffix(".lua")
    found = ElementTree.SubElement(classes, "class", {"name": name, "filename": path})
    found.attrib.update(_rates([one]), complexity="0")
    ElementTree.SubElement(found, "methods")
    lines = ElementTree.SubElement(found, "lines")
    forks: dict[int, list[int]] = {}
    for number, fork in enumerate(one.forks):
        forks.setdefault(fork.line, []).append(number)
    for line, count in sorted(one.lines.items()):
        element = ElementTree.SubElement(lines, "line", number=str(line), hits=str(count))
        _conditions(element, one, forks.get(line, []))


def _conditions(element: ElementTree.Element, one: FileCoverage, forks: list[int]) -> None:
    element.set("branch", "true" if forks else "false")
    if not forks:
        return
    taken = [sum(1 for way in (True, False) if one.ways[number, way]) for number in forks]
    element.set("condition-coverage", _of(sum(taken), 2 * len(forks)))
    conditions = ElementTree.SubElement(element, "conditions")
    for index, count in enumerate(taken):
        ElementTree.SubElement(
            conditions, "condition", number=str(index), type="jump", coverage=f"{50 * count}%"
        )


def _of(count: int, total: int) -> str:
    return f"{100 * count // total}% ({count}/{total})"


def _rates(files: list[FileCoverage]) -> dict[str, str]:
    lines = _share(sum(one.lines_run for one in files), sum(len(one.lines) for one in files))
    ways = _share(sum(one.ways_taken for one in files), sum(len(one.ways) for one in files))
    return {"line-rate": f"{lines:.4g}", "branch-rate": f"{ways:.4g}"}


def _totals(files: list[FileCoverage]) -> dict[str, str]:
    return {
        "lines-covered": str(sum(one.lines_run for one in files)),
        "lines-valid": str(sum(len(one.lines) for one in files)),
        "branches-covered": str(sum(one.ways_taken for one in files)),
        "branches-valid": str(sum(len(one.ways) for one in files)),
    }


def _share(count: int, total: int) -> float:
    return count / total if total else 1.0


def _family(one: FileCoverage) -> str:
    return one.file.rpartition("/")[0]


def _path(folder: str, one: FileCoverage) -> str:
    return f"{folder}/{one.file}" if folder else one.file
