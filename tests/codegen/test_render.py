"""Rendering: what is emitted (goldens), and that it depends on nothing but its sources."""

from __future__ import annotations

import ast
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from redislua.codegen.names import check_clashes
from redislua.codegen.render import MARKER, render
from redislua.codegen.write import compare
from redislua.errors import GenerateError
from redislua.spec.registry import Registry, load
from tests.spec.headers import GOOD

ROOT = Path(__file__).parents[2]
REGISTRIES = sorted(path for path in (ROOT / "tests" / "registries").iterdir() if path.is_dir())


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda path: path.name)
def test_what_is_emitted_is_what_was_looked_at(registry):
    changes = compare(registry / "golden", render(load(registry / "scripts")))

    assert not changes, "run `python tools/goldens.py` and look at the diff"


def test_the_committed_bindings_are_those_of_the_scripts():
    changes = compare(ROOT / "redislua" / "bindings", render(load(ROOT / "scripts")))

    assert not changes, "run `redislua generate`"


@pytest.mark.parametrize("seed", ["0", "1", "4711"])
def test_two_runs_give_the_same_bytes_whatever_the_process(seed, tmp_path):
    program = (
        "import sys; from pathlib import Path\n"
        "from redislua.codegen.render import render\n"
        "from redislua.spec.registry import load\n"
        "sys.stdout.write(repr(render(load(Path(sys.argv[1])))))"
    )
    folder = REGISTRIES[0] / "scripts"

    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert ast.literal_eval(done.stdout) == render(load(folder))


def test_the_output_is_ascii_with_a_fixed_head():
    for text in render(load(REGISTRIES[0] / "scripts")).values():
        lines = text.split("\n")
        assert text.isascii()
        assert lines[0] == "# -*- coding: utf-8 -*-"
        assert lines[1].startswith(MARKER)
        assert str(ROOT) not in text


def test_the_embedded_source_is_the_file_byte_for_byte():
    registry = load(ROOT / "scripts")
    texts = render(registry)

    for script in registry.scripts:
        tree = ast.parse(texts[f"{script.family}.py"])
        sources = {
            ast.literal_eval(word.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            for word in node.keywords
            if word.arg == "source"
        }
        data = (ROOT / "scripts" / script.file).read_bytes()
        assert data in sources
        assert script.sha1 == hashlib.sha1(data, usedforsecurity=False).hexdigest()


def test_generated_modules_import_the_runtime_and_nothing_else():
    for registry in (ROOT / "scripts", REGISTRIES[0] / "scripts"):
        for text in render(load(registry)).values():
            imported = {
                node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
                for node in ast.walk(ast.parse(text))
                if isinstance(node, ast.Import | ast.ImportFrom)
            }
            allowed = {"redislua.errors", "redislua.runtime", "collections.abc", "warnings"}
            assert imported <= allowed | {"dataclasses", "datetime", "typing"}


# --- clashes ---


def registry_of(tmp_path: Path, files: dict[str, str]) -> Registry:
    for file, text in files.items():
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return load(tmp_path)


def minimal(name: str, *, arg: str = "x", variant: str = "Done", field: str = "at") -> str:
    return (
        "#!lua\n--- Do.\n-- @version 1.0.0\n"
        f"-- @key k t:{{<id>}}:{name} string\n-- @arg {arg} int\n"
        f"-- @returns {variant} {field}:int\n-- @retry safe\n-- @budget calls<=1 growth=1\n"
    )


@pytest.mark.parametrize(
    ("files", "clash"),
    [
        # The function keys of one script and the keys function of another.
        ({"t/a.v1.lua": minimal("a"), "t/a_keys.v1.lua": minimal("b")}, "a_keys"),
        # Two scripts whose classes meet: AB + C and A + BC.
        (
            {
                "t/a_b.v1.lua": minimal("a", variant="C"),
                "t/a.v1.lua": minimal("b", variant="BC"),
            },
            "ABC",
        ),
        # A variant called like the union of the variants.
        ({"t/a.v1.lua": minimal("a", variant="Reply")}, "AReply"),
        ({"t/a.v1.lua": minimal("a", variant="Keys")}, "AKeys"),
        # Script and family give one class name.
        ({"t/t.v1.lua": minimal("a", variant="X"), "t/x.v1.lua": minimal("b", arg="y")}, None),
        # What the generated bodies refer to.
        ({"t/a.v1.lua": minimal("a", arg="encode")}, "encode"),
        ({"t/a.v1.lua": minimal("a", arg="a")}, "a: a parameter"),
        ({"t/a.v1.lua": minimal("a", arg="tuple")}, "tuple: a parameter"),
        ({"t/a.v1.lua": minimal("a", arg="a_keys")}, None),
        # The settings of one script and the decoder of another.
        (
            {
                "t/decode_a.v1.lua": minimal("a"),
                "t/a_settings.v1.lua": minimal("b"),
            },
            "_decode_a_settings",
        ),
        ({"t/a.v1.lua": minimal("a", field="bytes")}, "bytes: a field"),
        ({"t/encode.v1.lua": minimal("a")}, "encode"),
        ({"t/int.v1.lua": minimal("a")}, "int"),
        ({"t/list.v1.lua": minimal("a")}, None),
    ],
)
def test_a_clash_of_names_is_an_error_that_names_both_sides(files, clash, tmp_path):
    registry = registry_of(tmp_path, files)

    if clash is None:
        render(registry)
        return
    with pytest.raises(GenerateError) as caught:
        check_clashes(registry, "t", registry.families["t"])
    assert clash in str(caught.value)
    assert ".v1.lua" in str(caught.value)


def test_row_decoders_that_differ_by_case_alone_clash(tmp_path):
    text = minimal("a", variant="Ab", field="rows").replace("rows:int", "rows:(n:int)...")
    text = text.replace("-- @retry", "-- @returns AB rows:(n:int)...\n-- @retry")

    with pytest.raises(GenerateError, match="_decode_a_ab_row: the row decoder of variant AB"):
        render(registry_of(tmp_path, {"t/a.v1.lua": text}))


def test_an_older_major_takes_a_numbered_name_and_a_clash_with_it_is_an_error(tmp_path):
    files = {
        "t/a.v1.lua": minimal("a"),
        "t/a.v2.lua": minimal("a").replace("1.0.0", "2.0.0"),
        "t/a_v1.v1.lua": minimal("c"),
    }

    with pytest.raises(GenerateError, match="a_v1"):
        render(registry_of(tmp_path, files))


def test_a_placeholder_may_be_called_like_anything_the_builder_uses(tmp_path):
    for name in ("prefix", "keys", "item", "value", "channels"):
        text = minimal("a").replace("<id>", f"<{name}>")
        (tmp_path / name).mkdir()
        registry = registry_of(tmp_path / name, {"t/a.v1.lua": text})
        module: dict[str, object] = {}
        exec(render(registry)["t.py"], module)  # noqa: S102

        call = module["a"](x=1, **{name: "me"}, namespace="ns")  # type: ignore[operator]

        assert call.keys == (b"ns:t:{me}:a",)


def test_the_good_header_of_the_parser_tests_renders(tmp_path):
    assert (
        "get_or_lock"
        in render(registry_of(tmp_path, {"cache/get_or_lock.v1.lua": GOOD}))["cache.py"]
    )
