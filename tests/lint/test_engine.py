"""The engine: files to diagnostics, in order, one file after another."""

from __future__ import annotations

import pytest

from redislua.errors import ConfigError
from redislua.lint.diagnostic import Diagnostic, Severity
from redislua.lint.engine import Linter, Summary, lint_paths, lint_source, lint_sources
from redislua.lint.failure import RuleFailed
from redislua.lint.settings import Settings
from tests.lint.samples import BROKEN, HEADER, Failing, Shouting, Twins, linter


def lint(monkeypatch, paths, *rules, settings=None) -> tuple[Summary, dict[str, list[Diagnostic]]]:
    """Lint paths with these rules alone."""
    found: dict[str, list[Diagnostic]] = {}
    chosen = settings or Settings()
    monkeypatch.setattr(Linter, "rules", rules)

    def take(path: str, diagnostics: list[Diagnostic]) -> None:
        found.setdefault(path, []).extend(diagnostics)

    return lint_paths([str(path) for path in paths], chosen, take), found


def test_a_script_that_compiles_has_no_diagnostics():
    assert lint_source(b"return redis.call('GET', KEYS[1])\n") == []


def test_a_syntax_error_is_the_servers_own_words_with_a_place():
    (found,) = lint_source(BROKEN, path="a.lua")

    assert (found.code, found.rule, found.severity) == ("RL001", "syntax-error", Severity.ERROR)
    assert found.message == "unexpected symbol near '='"
    assert (found.file, found.line, found.column, found.end_column) == ("a.lua", 1, 11, 12)
    assert found.text[found.caret] == "="


def test_lua_52_syntax_is_called_that():
    codes = {one.code for one in lint_source(b"local a = 7 // 2\nreturn a\n")}

    assert codes == {"RL002"}


def test_columns_count_characters_and_offsets_bytes():
    source = "local s = 'äöü€😀'; local LOUD = 1\n".encode()

    (found,) = linter(Shouting()).file(source, "a.lua").diagnostics

    assert (found.line, found.column, found.end_column) == (1, 26, 30)
    assert found.text[found.caret : found.caret + found.underlined] == "LOUD"


def test_of_a_very_long_line_the_part_around_the_finding_is_shown():
    source = b"local t = {" + b"1," * 20_000 + b"'LOUD'," + b"1," * 20_000 + b"}\n"

    (found,) = linter(Shouting()).file(source, "a.lua").diagnostics

    assert found.column == 40_013
    assert len(found.text) < 300
    assert found.text[found.caret : found.caret + 4] == "LOUD"


def test_many_findings_on_one_long_line_take_no_long_time():
    source = ("return {" + "'é LOUD'," * 50_000 + "}\n").encode()

    found = linter(Shouting()).file(source, "a.lua").diagnostics

    assert len(found) == 50_000
    assert found[-1].column == 8 + 9 * 49_999 + 4


def test_text_that_would_move_the_cursor_is_not_shown_as_it_is():
    (found,) = linter(Shouting()).file(b"local s = '\x1b[2J LOUD'\n", "a.lua").diagnostics

    assert "\x1b" not in found.text
    assert found.text[found.caret : found.caret + 4] == "LOUD"


def test_diagnostics_come_in_the_order_of_the_text():
    source = b"local a = 'NOISE'\nlocal b = 'LOUD'\nlocal c = 'NOISE'\n"

    found = linter(Shouting()).file(source, "a.lua").diagnostics

    assert [one.line for one in found] == [1, 2, 3]


def test_each_file_is_reported_before_the_next_is_read(tmp_path):
    first, second = tmp_path / "a.lua", tmp_path / "b.lua"
    first.write_bytes(BROKEN)
    second.write_bytes(BROKEN)
    seen = []

    def take(path: str, found: list[Diagnostic]) -> None:
        seen.append((path, len(found)))
        second.write_bytes(b"return 1\n")

    lint_paths([str(tmp_path)], Settings(), take)

    assert seen == [(str(first), 1), (str(second), 0)]


def test_rules_that_need_a_contract_are_not_asked_without_one(monkeypatch, tmp_path):
    class NeedsContract(Shouting):
        needs_contract = True

    (tmp_path / "foreign.lua").write_text("return 'LOUD'\n")
    (tmp_path / "count.v1.lua").write_text(HEADER.replace("'INCR'", "'LOUD'"))

    _, found = lint(monkeypatch, [tmp_path], NeedsContract())

    assert [path for path, some in found.items() if some] == [str(tmp_path / "count.v1.lua")]


def test_rules_that_need_syntax_are_not_asked_of_a_file_that_does_not_compile():
    assert linter(Shouting()).file(b"return 'LOUD' 'x", "a.lua").diagnostics == []


def test_rules_over_several_scripts_see_all_of_them(monkeypatch, tmp_path):
    for name in ("a.v1.lua", "b.v1.lua"):
        (tmp_path / name).write_text(HEADER)
    (tmp_path / "foreign.lua").write_text("return 1\n")

    summary, found = lint(monkeypatch, [tmp_path], Twins())

    (twin,) = found[str(tmp_path / "b.v1.lua")]
    assert twin.message == f"a twin of {tmp_path / 'a.v1.lua'}"
    assert (summary.total, len(summary.files)) == (1, 3)


def test_a_finding_of_a_rule_over_several_scripts_can_be_silenced(monkeypatch, tmp_path):
    (tmp_path / "a.v1.lua").write_text(HEADER)
    silenced = HEADER.replace("\nreturn", "\n-- redislua: ignore[RL002] -- wanted\nreturn")
    (tmp_path / "b.v1.lua").write_text(silenced)
    from redislua.lint.rules.unused_suppression import UnusedSuppression

    together, _ = lint(monkeypatch, [tmp_path], Twins(), UnusedSuppression())
    alone, found = lint(monkeypatch, [tmp_path / "b.v1.lua"], Twins(), UnusedSuppression())

    assert together.total == 0
    assert alone.total == 1
    assert "nothing to silence" in found[str(tmp_path / "b.v1.lua")][0].message


def test_a_rule_that_fails_is_one_clear_line_and_the_other_files_go_on(monkeypatch, tmp_path):
    (tmp_path / "a.lua").write_text("return 1\n")
    (tmp_path / "b.lua").write_text("return 1\n")

    summary, _ = lint(monkeypatch, [tmp_path], Failing())

    assert [trouble.path for trouble in summary.troubles] == [
        str(tmp_path / "a.lua"),
        str(tmp_path / "b.lua"),
    ]
    assert "rule RL003 failed with KeyError: ('no such thing'" in summary.troubles[0].reason
    assert "tests.lint.samples:" in summary.troubles[0].reason
    assert "\n" not in summary.troubles[0].reason


def test_a_rule_that_fails_on_a_source_raises():
    with pytest.raises(RuleFailed, match="RL003"):
        linter(Failing()).file(b"return 1\n", "a.lua")


def test_a_header_that_cannot_be_read_is_found_with_its_place():
    source = HEADER.replace(" string\n", " strnig\n").encode()

    (found,) = lint_source(source, path="visits/count.v1.lua")

    assert (found.code, found.line) == ("RL903", 5)
    assert found.text[found.caret :].startswith("strnig")
    assert "'strnig' is not a Redis type" in found.message


def test_a_path_that_is_no_scripts_path_does_not_make_a_header_wrong():
    assert lint_source(HEADER.encode(), path="elsewhere.lua") == []
    assert lint_source(HEADER.replace("1.0.0", "3.0.0").encode()) == []


def test_select_takes_codes_their_beginnings_and_names():
    for words in (("RL001",), ("RL0",), ("syntax-error",), ("ALL",), ("rl001",)):
        assert len(lint_source(BROKEN, settings=Settings(select=words))) == 1, words
    assert lint_source(BROKEN, settings=Settings(select=("RL9",))) == []


def test_ignore_is_stronger_than_select():
    settings = Settings(select=("RL001",), ignore=("RL0",))

    assert lint_source(BROKEN, settings=settings) == []


@pytest.mark.parametrize(
    "settings",
    [
        Settings(select=("RL777",)),
        Settings(ignore=("syntax-eror",)),
        Settings(per_file_ignores=(("*.lua", ("X",)),)),
    ],
)
def test_a_word_that_names_no_rule_is_refused(settings):
    with pytest.raises(ConfigError, match="no lint rule is called"):
        lint_source(b"return 1\n", settings=settings)


def test_a_near_miss_is_told():
    with pytest.raises(ConfigError, match=r"did you mean syntax-error\?"):
        lint_source(b"return 1\n", settings=Settings(ignore=("syntax-eror",)))


def test_a_rule_that_is_off_runs_only_when_it_is_named(monkeypatch):
    from redislua.lint.rules.syntax_error import SyntaxMistake

    monkeypatch.setattr(SyntaxMistake, "is_default", False)

    assert lint_source(BROKEN) == []
    assert lint_source(BROKEN, settings=Settings(select=("RL0",))) == []
    assert len(lint_source(BROKEN, settings=Settings(select=("RL001",)))) == 1
    assert len(lint_source(BROKEN, settings=Settings(select=("syntax-error",)))) == 1


@pytest.mark.parametrize(
    ("pattern", "is_ignored"),
    [
        ("old/*", True),
        ("old/**", True),
        ("*.lua", True),
        ("a.lua", True),
        ("new/*", False),
        ("b.lua", False),
    ],
)
def test_per_file_ignores_match_names_and_paths_below_the_project(tmp_path, pattern, is_ignored):
    settings = Settings(per_file_ignores=((pattern, ("RL001",)),), root=tmp_path)
    path = str(tmp_path / "old" / "deep" / "a.lua")

    assert (lint_source(BROKEN, path=path, settings=settings) == []) is is_ignored


def test_the_summary_counts_by_severity(monkeypatch, tmp_path):
    (tmp_path / "a.lua").write_text("return 'LOUD', 'NOISE'\n")

    summary, _ = lint(monkeypatch, [tmp_path], Shouting())

    assert summary.counts == {Severity.WARNING: 2}
    assert (summary.total, summary.fixable, summary.files) == (2, 2, [str(tmp_path / "a.lua")])


def test_scripts_given_as_bytes_are_seen_together():
    assert lint_sources({"a.lua": b"return 1\n", "b.lua": BROKEN})[0].file == "b.lua"
