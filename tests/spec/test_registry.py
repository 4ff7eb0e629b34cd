"""Discovery of script files, and the checks that span several of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from redislua.errors import ConfigError, ScriptsRefused
from redislua.spec.registry import load
from tests.spec.headers import GOOD


def write(root: Path, file: str, text: str) -> None:
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


def refused(root: Path) -> list[str]:
    with pytest.raises(ScriptsRefused) as caught:
        load(root)
    return [f"{problem.file}: {problem.problem}" for problem in caught.value.problems]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path, "cache/get_or_lock.v1.lua", GOOD)
    return tmp_path


def test_scripts_are_found_sorted_by_family_name_and_major(root):
    write(root, "cache/get_or_lock.v10.lua", GOOD.replace("@version 1.", "@version 10."))
    write(root, "cache/get_or_lock.v2.lua", GOOD.replace("@version 1.", "@version 2."))
    write(root, "alpha/get_or_lock.v1.lua", GOOD.replace("cache:{", "alpha:{"))

    registry = load(root)

    assert registry.names == (
        "alpha.get_or_lock",
        "cache.get_or_lock_v1",
        "cache.get_or_lock_v2",
        "cache.get_or_lock",
    )
    newest = registry.find("cache.get_or_lock")
    assert newest is not None
    assert newest.major == 10


def test_worst_case_sidecars_and_other_files_are_passed_by(root):
    write(root, "cache/get_or_lock.v1.worst.lua", "return 1")
    write(root, "cache/README.md", "text")
    write(root, "cache/.hidden/x.lua", "return 1")

    assert len(load(root).scripts) == 1


@pytest.mark.parametrize(
    "file",
    [
        "loose.v1.lua",
        "cache/no_version.lua",
        "cache/x.v0.lua",
        "cache/x.v01.lua",
        "cache/x.1.lua",
        "cache/X.v1.lua",
        "cache/x-y.v1.lua",
        "cache/import.v1.lua",
        "cache/aux.v1.lua",
        "com1/x.v1.lua",
        "Cache/x.v1.lua",
        "cache/deep/x.v1.lua",
        "cache/x.v1.LUA",
        "cache/x.v\u0661.lua",
    ],
)
def test_a_lua_file_in_another_place_is_an_error_and_not_ignored(root, file):
    write(root, file, GOOD)

    assert refused(root) == [f"{file}: not the path of a script"]


def test_links_are_refused(root, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "secret.lua"
    outside.write_text(GOOD)
    (root / "cache" / "evil.v1.lua").symlink_to(outside)
    (root / "linked").symlink_to(outside.parent, target_is_directory=True)

    assert refused(root) == ["cache/evil.v1.lua: a symbolic link", "linked: a symbolic link"]


def test_what_cannot_be_listed_is_an_error_and_not_an_empty_family(root, monkeypatch):
    """Else its generated module would be removed. (The tests may run as root, who reads all.)"""
    real = os.scandir

    def scandir(path):
        if Path(path).name == "cache":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)

    assert refused(root) == ["cache: cannot be read: Permission denied"]


def test_what_is_no_regular_file_is_refused_and_never_opened(root):
    os.mkfifo(root / "cache" / "pipe.v1.lua")
    (root / "cache" / "folder.v1.lua").mkdir()

    assert refused(root) == [
        "cache/folder.v1.lua: not a regular file",
        "cache/pipe.v1.lua: not a regular file",
    ]


def test_a_folder_that_is_not_there_says_what_makes_one(tmp_path):
    with pytest.raises(ConfigError, match="redislua new"):
        load(tmp_path / "scripts")


def test_all_problems_of_all_files_are_reported_in_one_run(root):
    write(root, "cache/get_or_lock.v1.lua", GOOD.replace("@retry ", "@retri "))
    write(root, "limit/one.v1.lua", GOOD.replace("hash   expires", "hsah"))
    write(root, "limit/two.v1.lua", "return 1\n")

    found = refused(root)

    assert {line.split(":")[0] for line in found} == {
        "cache/get_or_lock.v1.lua",
        "limit/one.v1.lua",
        "limit/two.v1.lua",
    }


# --- keys of several scripts ---


def test_scripts_may_share_a_key_of_one_pattern_type_and_state(root):
    write(root, "cache/other.v1.lua", GOOD.replace("get_or_lock key", "cache.get_or_lock key"))

    assert len(load(root).scripts) == 2


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("entry   hash   expires", "<any>   hash   expires", "can name the same key as"),
        ("cache-entry/1", "cache-entry/2", "has state cache-entry/2 here"),
        ("cache-entry/1", "other/1", "has state other/1 here"),
        ("-- @state   entry cache-entry/1\n", "", "has state undeclared here"),
        ("lease   string", "lease   list", "is a list here and a string in"),
    ],
)
def test_one_key_never_means_two_things(root, old, new, problem):
    text = GOOD.replace("get_or_lock key", "cache.get_or_lock key").replace(old, new)
    write(root, "cache/other.v1.lua", text)

    assert any(problem in line for line in refused(root))


def test_a_script_that_only_reads_need_not_declare_the_state(root):
    text = GOOD.replace("#!lua", "#!lua flags=no-writes", 1)
    text = text.replace("get_or_lock key", "cache.get_or_lock key")
    write(root, "cache/other.v1.lua", text.replace("-- @state   entry cache-entry/1\n", ""))

    assert len(load(root).scripts) == 2


def test_one_error_of_a_family_has_one_text(root):
    text = GOOD.replace("was not written by this family", "is odd")
    write(root, "cache/other.v1.lua", text.replace("get_or_lock key", "cache.get_or_lock key"))

    assert refused(root) == [
        "cache/other.v1.lua: BadState has another text in cache/get_or_lock.v1.lua"
    ]


# --- examples against the scripts they call ---


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "--   get_or_lock key=user:1 owner=a",
            "--   nothing key=user:1 owner=a",
            "no script is called",
        ),
        ("key=user:1 owner=a", "owner=a", "misses key"),
        ("key=user:1 owner=a", "kez=user:1 owner=a", "no parameter 'kez'"),
        ("key=user:1 owner=a", "key=user:1 key=b owner=a", "given twice"),
        ("owner=a hold=500ms", "owner=a hold=long", "is no ms"),
        ("owner=a hold=500ms", "owner=a hold=[1 2]", "a list"),
        ("owner=a hold=500ms", "owner=a hold=b'x'", "bytes"),
        ("owner=a hold=500ms", "owner=a hold=$1.age", "no earlier line"),
        ("owner=b hold=500ms", "owner=b hold=$1.age", "replies no 'age'"),
        ("-> Wait retry_after<=500ms", "-> Late", "replies no Late"),
        ("-> Wait retry_after<=500ms", "-> Wait after=1ms", "has no field 'after'"),
        ("-> Wait retry_after<=500ms", "-> Wait retry_after=soon", "is no ms"),
        ("-> Wait retry_after<=500ms", "-> error Late", "declares no error Late"),
        ("-> Wait retry_after<=500ms", "-> 5", "replies no bare value"),
        ("-> Wait retry_after<=500ms", "-> BadState", "replies no BadState"),
    ],
)
def test_an_example_that_does_not_fit_its_script_is_an_error_of_its_line(root, old, new, problem):
    assert old in GOOD
    write(root, "cache/get_or_lock.v1.lua", GOOD.replace(old, new, 1))

    with pytest.raises(ScriptsRefused) as caught:
        load(root)

    assert problem in caught.value.problems[0].problem
    assert caught.value.problems[0].line in (20, 21)
    assert caught.value.problems[0].text
