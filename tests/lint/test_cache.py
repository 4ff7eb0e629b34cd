"""The cache: never wrong, safe to delete, safe to share."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from redislua.lint.cache import MOST, Cache, folder_of
from redislua.lint.engine import Linter, lint_paths
from redislua.lint.settings import Settings
from tests.lint.samples import BROKEN, HEADER, Shouting, Twins


@pytest.fixture
def asked(monkeypatch):
    """Paths of files that were linted and not remembered."""
    paths: list[str] = []
    real = Linter.file

    def file(self, source, path, script=None):
        paths.append(path)
        return real(self, source, path, script)

    monkeypatch.setattr(Linter, "file", file)
    return paths


@pytest.fixture
def project(tmp_path):
    (tmp_path / "lua").mkdir()
    (tmp_path / "lua" / "a.lua").write_bytes(BROKEN)
    (tmp_path / "lua" / "b.lua").write_bytes(b"return 1 -- redislua: ignore[RL001] -- x\n")
    return tmp_path


def run(project: Path, settings: Settings | None = None):
    chosen = settings or Settings(root=project)
    found = []
    cache = Cache(folder_of(project), chosen)
    summary = lint_paths(
        [str(project / "lua")], chosen, lambda path, some: found.append((path, some)), cache=cache
    )
    return found, summary


def test_a_second_run_says_the_same_and_lints_nothing(project, asked):
    first = run(project)
    assert len(asked) == 2
    asked.clear()

    assert run(project) == first
    assert asked == []
    assert [one.code for _, some in first[0] for one in some] == ["RL001", "RL901"]


def test_only_what_changed_is_linted(project, asked):
    run(project)
    asked.clear()
    (project / "lua" / "b.lua").write_bytes(b"return 2\n")

    found, _ = run(project)

    assert asked == [str(project / "lua" / "b.lua")]
    assert [len(some) for _, some in found] == [1, 0]


@pytest.mark.parametrize(
    "change",
    [
        {"ignore": ("RL9",)},
        {"select": ("RL001",)},
        {"per_file_ignores": (("b.lua", ("RL9",)),)},
        {"targets": ("redis>=7.4",)},
    ],
)
def test_other_settings_have_other_results(project, asked, change):
    run(project)
    asked.clear()

    run(project, Settings(root=project, **change))

    assert len(asked) == 2


def test_a_worst_case_that_comes_or_goes_has_another_result(project, asked):
    body = project / "lua" / "b.v1.lua"
    (project / "lua" / "b.lua").rename(body)
    run(project)
    asked.clear()
    (project / "lua" / "b.v1.worst.lua").write_bytes(b"return 1\n")

    run(project)

    assert str(body) in asked


def test_a_file_of_another_name_has_another_result(project, asked):
    run(project)
    asked.clear()
    (project / "lua" / "b.lua").rename(project / "lua" / "c.lua")

    found, _ = run(project)

    assert len(asked) == 1
    assert found[1][1][0].file == str(project / "lua" / "c.lua")


def test_who_changes_a_rule_sees_no_old_result(project, asked, monkeypatch, tmp_path):
    run(project)
    asked.clear()
    real = Path(sys.modules["redislua"].__file__ or "").parent
    fake = tmp_path / "package"
    (fake / "lint").mkdir(parents=True)
    (fake / "lint" / "rule.py").write_text((real / "lint" / "rule.py").read_text())
    monkeypatch.setattr(sys.modules["redislua"], "__file__", str(fake / "__init__.py"))

    run(project)
    assert len(asked) == 2
    run(project)
    assert len(asked) == 2
    (fake / "lint" / "rule.py").write_text("# changed")
    run(project)
    assert len(asked) == 4


def test_the_cache_may_be_deleted_at_any_time(project):
    first = run(project)
    (project / ".redislua_cache" / "lint").unlink()

    assert run(project) == first


def damage(data: bytes) -> list[bytes]:
    """A file as accidents leave it."""
    half = len(data) // 2
    flipped = bytearray(data)
    flipped[-5] ^= 1
    return [
        b"",
        data[:half],
        data[:-3],
        bytes(flipped),
        data.replace(b"RL001", b"RL002"),
        b"\0" * len(data),
        data[:30] + b"\n" + data[30:],
        b"redislua lint cache 2\n" + data.split(b"\n", 1)[1],
        data + b"garbage",
        data + data[-40:],
    ]


@pytest.mark.parametrize("kind", range(10))
def test_a_damaged_cache_is_as_if_it_were_not_there_and_is_written_anew(project, asked, kind):
    first = run(project)
    path = project / ".redislua_cache" / "lint"
    path.write_bytes(damage(path.read_bytes())[kind])
    asked.clear()

    assert run(project) == first
    asked.clear()
    assert run(project) == first
    assert asked == []


def test_a_folder_in_the_place_of_the_cache_harms_nobody(project):
    (project / ".redislua_cache" / "lint").mkdir(parents=True)

    assert run(project)[1].total == 2


def test_the_cache_keeps_itself_out_of_version_control(project):
    run(project)

    assert (project / ".redislua_cache" / ".gitignore").read_text() == "*\n"
    assert sorted(path.name for path in (project / ".redislua_cache").iterdir()) == [
        ".gitignore",
        "CACHEDIR.TAG",
        "lint",
    ]


def test_outside_a_project_it_is_in_the_users_cache_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert folder_of(None) == tmp_path / "redislua"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert folder_of(None) == tmp_path / ".cache" / "redislua"


def test_it_does_not_grow_without_end(tmp_path):
    cache = Cache(tmp_path, Settings())
    for number in range(MOST + 10):
        cache.put(cache.key("a", b"%d" % number), [])
    cache.save()

    again = Cache(tmp_path, Settings())
    assert again.get(again.key("a", b"%d" % (MOST + 9))) == []
    assert again.get(again.key("a", b"9")) is None


def test_results_of_rules_over_several_scripts_are_remembered(project, asked, monkeypatch):
    monkeypatch.setattr(Linter, "rules", (Twins(),))
    for name in ("x.v1.lua", "y.v1.lua"):
        (project / "lua" / name).write_text(HEADER)
    first = run(project)
    asked.clear()

    assert run(project) == first
    assert asked == []
    assert first[1].total == 1
    (project / "lua" / "x.v1.lua").write_text(HEADER.replace("Count", "Add"))
    assert run(project)[1].total == 0


def test_writers_at_the_same_time_harm_nobody(tmp_path):
    program = f"""
import sys
from pathlib import Path
from redislua.lint.cache import Cache
from redislua.lint.settings import Settings
for turn in range(30):
    cache = Cache(Path({str(tmp_path)!r}), Settings())
    for number in range(200):
        key = cache.key(sys.argv[1], b"%d" % number)
        found = cache.get(key)
        assert found in (None, [sys.argv[1], number]), found
        cache.put(key, [sys.argv[1], number])
    cache.save()
"""
    writers = [
        subprocess.Popen([sys.executable, "-c", program, str(number)], stderr=subprocess.PIPE)
        for number in range(4)
    ]
    for writer in writers:
        assert writer.communicate(timeout=120)[1] == b""
        assert writer.returncode == 0

    cache = Cache(tmp_path, Settings())
    kept = [cache.get(cache.key(str(who), b"%d" % n)) for who in range(4) for n in range(200)]
    assert sum(value is not None for value in kept) >= 200
    assert [path.name for path in tmp_path.glob(".lint.*")] == []


def test_a_run_that_finds_everything_in_its_cache_loads_neither_parsers_nor_rules(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.redislua.lint]\n")
    (tmp_path / "a.lua").write_bytes(BROKEN)
    program = """
import sys
from redislua.cli import main
try:
    main()
finally:
    heavy = ("lupa", "tree_sitter", "rich", "jinja2", "redislua.lint.rules", "redis")
    print(sorted(set(heavy) & set(sys.modules)))
"""
    lines = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", program, "lint", "a.lua"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        lines.append(done.stdout.splitlines())

    assert "redislua.lint.rules" in lines[0][-1]
    assert lines[1][-1] == "[]"
    assert lines[0][:-1] == lines[1][:-1]


def test_a_fix_is_offered_again_from_the_cache(project, monkeypatch):
    monkeypatch.setattr(Linter, "rules", (Shouting(),))
    (project / "lua" / "c.lua").write_bytes("return 'é LOUD\xff'\n".encode("latin-1"))

    first, _ = run(project)
    second, _ = run(project)

    assert first == second
    assert second[2][1][0].fix is not None
