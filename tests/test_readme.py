"""What the README shows is what happens: its script, its commands, its error, its snippets."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from redislua.lint.reporters import FORMATS
from redislua.lint.rules import all_rules
from redislua.spec.tags import TAGS
from tests.cli.shell import ROOT, redislua

README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str, part: str) -> str:
    texts: list[str] = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    found = [text for text in texts if part in text]
    assert len(found) == 1, f"{len(found)} blocks of {language} with {part!r}"
    return found[0]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    assert redislua("init", cwd=tmp_path).returncode == 0
    assert redislua("new", "orders/claim", cwd=tmp_path).returncode == 0
    script = tmp_path / "scripts" / "orders" / "claim.v1.lua"
    script.write_text(block("lua", "orders:{<order>}:claim"))
    return tmp_path


def test_the_first_script_works_as_it_stands(project):
    for words in (("generate",), ("check",), ("test",)):
        done = redislua(*words, cwd=project)
        assert done.returncode == 0, done.stdout + done.stderr
    called = redislua("run", "orders.claim", "order=1", "worker=ann", cwd=project)

    assert called.stdout == "Claimed\n"
    assert called.stdout in block("console", "redislua run orders.claim")


def test_the_error_that_is_shown_is_the_one_that_is_given(project):
    script = project / "scripts" / "orders" / "claim.v1.lua"
    script.write_text(script.read_text().replace(":claim hash expires", ":claim hsah expires"))

    done = redislua("check", cwd=project)

    assert block("text", "is not a Redis type") in done.stdout


def test_every_python_snippet_parses():
    snippets = re.findall(r"```python\n(.*?)```", README, re.DOTALL)

    assert len(snippets) >= 3
    for snippet in snippets:
        compile(snippet, "README", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def test_every_tag_is_in_the_reference():
    shown = re.findall(r"^\| `@(\w+)` \|", README, re.MULTILINE)

    assert shown == list(TAGS)


def test_the_finding_that_is_shown_is_the_one_that_is_given(tmp_path):
    shown = block("console", "redislua lint vendor/")
    lines = shown.split("\n")
    vendor = tmp_path / "vendor"
    vendor.mkdir()
    source = "if #ARGV == 0 then\n" + "\n" * 8 + lines[2].partition("| ")[2] + "\nend\nreturn 1\n"
    (vendor / "stock.lua").write_text(source)

    done = redislua("lint", "vendor/", "--select", "RL401", cwd=tmp_path)

    assert done.stdout.strip() == "\n".join(lines[1:5])


def test_every_rule_and_every_format_is_named():
    for rule in all_rules():
        assert f"| {rule.code} | {rule.name} |" in README
    for form in FORMATS:
        assert f"`{form}`" in README
