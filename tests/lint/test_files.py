"""Which files are linted, and what becomes of paths that are none."""

from __future__ import annotations

import os
import threading

import pytest

from redislua.lint.files import MAX_BYTES, TooLarge, Trouble, find, read, shown


def names(root, *paths) -> list[str]:
    found = list(find([str(path) for path in paths or (root,)]))
    assert not [one for one in found if isinstance(one, Trouble)]
    return [os.path.relpath(str(one), root) for one in found]


def trouble(*paths) -> Trouble:
    (found,) = find([str(path) for path in paths])
    got = found if isinstance(found, Trouble) else read(found)
    assert isinstance(got, Trouble)
    assert "\n" not in got.reason
    return got


@pytest.fixture
def tree(tmp_path):
    for name in ("b/two.lua", "b/one.LUA", "a.lua", "c.txt", ".hidden/x.lua", "b/.y.lua"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("return 1\n")
    return tmp_path


def test_folders_are_searched_in_sorted_order(tree):
    assert names(tree) == ["a.lua", "b/one.LUA", "b/two.lua"]


def test_each_file_is_taken_once(tree):
    assert names(tree, tree / "a.lua", tree, tree / "b" / ".." / "a.lua") == [
        "a.lua",
        "b/one.LUA",
        "b/two.lua",
    ]


def test_a_file_that_is_named_is_taken_whatever_it_is_called(tree):
    assert names(tree, tree / "c.txt") == ["c.txt"]


def test_the_sidecar_of_a_script_is_passed_by_even_if_it_is_named(tree):
    for name in ("a.v1.lua", "a.v1.worst.lua", "other.v1.worst.lua", "b/x.worst.lua"):
        (tree / name).write_text("return 1\n")

    assert names(tree, tree / "a.v1.worst.lua") == []
    assert "a.v1.worst.lua" not in names(tree)
    assert {"a.v1.lua", "other.v1.worst.lua", "b/x.worst.lua"} <= set(names(tree))


def test_links_to_folders_are_not_followed_so_that_loops_end(tree):
    (tree / "b" / "up").symlink_to(tree, target_is_directory=True)

    assert names(tree) == ["a.lua", "b/one.LUA", "b/two.lua"]


def test_a_linked_file_is_linted(tree):
    (tree / "z.lua").symlink_to(tree / "a.lua")

    assert names(tree)[:2] == ["a.lua", "z.lua"]
    assert read(str(tree / "z.lua")) == b"return 1\n"


def test_a_path_that_does_not_exist(tmp_path):
    assert trouble(tmp_path / "x.lua").reason == "there is no such file or folder"


def test_a_link_that_leads_nowhere(tmp_path):
    (tmp_path / "x.lua").symlink_to(tmp_path / "gone.lua")

    assert trouble(tmp_path / "x.lua").reason == "a symbolic link that leads nowhere"
    assert trouble(tmp_path).reason == "a symbolic link that leads nowhere"


def test_a_link_to_itself(tmp_path):
    (tmp_path / "x.lua").symlink_to(tmp_path / "x.lua")

    assert "symbolic links" in trouble(tmp_path / "x.lua").reason


def test_a_folder_without_scripts(tmp_path):
    assert trouble(tmp_path).reason == "there is no .lua file in this folder"


def test_a_fifo_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "x.lua")
    done: list[Trouble] = []
    thread = threading.Thread(target=lambda: done.append(trouble(tmp_path)), daemon=True)
    thread.start()
    thread.join(timeout=20)

    assert [one.reason for one in done] == ["not a regular file"]


def test_a_device_is_no_file():
    assert trouble("/dev/zero").reason == "not a regular file"


def test_a_folder_called_like_a_script_is_searched(tmp_path):
    (tmp_path / "x.lua").mkdir()
    (tmp_path / "x.lua" / "y.lua").write_text("return 1\n")

    assert names(tmp_path) == ["x.lua/y.lua"]


def test_a_file_whose_reading_fails(tmp_path):
    (tmp_path / "x.lua").symlink_to("/proc/self/mem")

    assert trouble(tmp_path).reason == "cannot be read: Input/output error"


def test_the_size_of_a_file_is_bounded(tmp_path):
    path = tmp_path / "x.lua"
    path.write_bytes(b" " * MAX_BYTES)
    assert read(str(path)) == b" " * MAX_BYTES
    path.write_bytes(b" " * (MAX_BYTES + 1))
    assert read(str(path)) == TooLarge(MAX_BYTES + 1)


@pytest.mark.parametrize(
    ("raw", "printed"),
    [
        (b"a/b.lua", "a/b.lua"),
        ("ä.lua".encode(), "ä.lua"),
        (b"x\ny.lua", "x\\ny.lua"),
        (b"\x1b[2J.lua", "\\x1b[2J.lua"),
        (b"\xff.lua", "\\xff.lua"),
    ],
)
def test_any_file_name_is_shown_on_one_line(raw, printed):
    assert shown(os.fsdecode(raw)) == printed
