"""``[tool.redislua]``: found from below, and never outside the project."""

from __future__ import annotations

import pytest

from redislua.errors import ConfigError
from redislua.spec.config import find_config, find_lint_config


def test_the_table_is_found_from_a_folder_below(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.redislua]\nscripts = "lua"\noutput = "a/b"\n')
    below = tmp_path / "a" / "c"
    below.mkdir(parents=True)

    config = find_config(below)

    assert config.root == tmp_path
    assert config.scripts == tmp_path / "lua"
    assert config.output == tmp_path / "a" / "b"


def test_a_pyproject_without_the_table_is_passed_by(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.redislua]\noutput = "b"\n')
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "pyproject.toml").write_text("[tool.other]\n")

    assert find_config(inner).root == tmp_path


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "redislua init"),
        ("[tool.redislua]\n", "output: expected a folder"),
        ('[tool.redislua]\noutput = ""\n', "output: expected a folder"),
        ("[tool.redislua]\noutput = 3\n", "output: expected a folder"),
        ('[tool.redislua]\noutput = "../x"\n', "leaves the project"),
        ('[tool.redislua]\noutput = "/elsewhere"\n', "leaves the project"),
        ('[tool.redislua]\noutput = "."\n', "leaves the project"),
        ('[tool.redislua]\noutput = "b"\nscript = "x"\n', "unknown key 'script'"),
        ("[tool]\nredislua = 3\n", "expected a table"),
        ("tool = 3\n", "tool: expected a table"),
        ('[tool.redislua]\noutput = "redis-scripts"\n', "cannot be imported"),
        ('[tool.redislua]\noutput = "class"\n', "cannot be imported"),
        ('[tool.redislua]\noutput = "scripts"\n', "outside the scripts"),
        ('[tool.redislua]\noutput = "scripts/x"\n', "outside the scripts"),
        ("[tool.redislua\n", "not TOML"),
    ],
)
def test_a_table_that_does_not_fit_says_what_was_expected(tmp_path, text, problem):
    (tmp_path / "pyproject.toml").write_text(text)

    with pytest.raises(ConfigError, match=problem.replace(".", r"\.")):
        find_config(tmp_path)


def test_an_output_folder_that_links_outside_is_refused(tmp_path, tmp_path_factory):
    (tmp_path / "out").symlink_to(tmp_path_factory.mktemp("elsewhere"), target_is_directory=True)
    (tmp_path / "pyproject.toml").write_text('[tool.redislua]\noutput = "out"\n')

    with pytest.raises(ConfigError, match="leaves the project"):
        find_config(tmp_path)


# --- the linter ------------------------------------------------------------------------------


def test_what_the_linter_is_told_is_read(tmp_path):
    (tmp_path / "tables.json").write_text("{}")
    (tmp_path / "pyproject.toml").write_text(
        """
[tool.redislua]
output = "b"
[tool.redislua.lint]
select = ["RL2", "syntax-error"]
ignore = ["RL106"]
targets = ["redis>=7.4"]
commands = "tables.json"
[tool.redislua.lint.per-file-ignores]
"legacy/*" = ["RL501"]
"""
    )

    config = find_lint_config(tmp_path)

    assert config.select == ("RL2", "syntax-error")
    assert config.ignore == ("RL106",)
    assert config.targets == ("redis>=7.4",)
    assert config.per_file_ignores == (("legacy/*", ("RL501",)),)
    assert (config.root, config.scripts) == (tmp_path, tmp_path / "scripts")
    assert config.commands == tmp_path / "tables.json"
    assert find_config(tmp_path).output == tmp_path / "b"


def test_a_project_may_have_a_table_for_the_linter_alone(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.redislua.lint]\nignore = ["RL106"]\n')

    config = find_lint_config(tmp_path)

    assert (config.scripts, config.ignore) == (None, ("RL106",))
    with pytest.raises(ConfigError, match="output: expected a folder"):
        find_config(tmp_path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('selct = ["RL1"]', "unknown key 'selct'"),
        ('select = "RL1"', "select: expected a list of strings"),
        ("ignore = [1]", "ignore: expected a list of strings"),
        ('targets = [""]', "targets: expected a list of strings"),
        ('per-file-ignores = ["RL1"]', "per-file-ignores: expected a table"),
        ('per-file-ignores = {"a" = "RL1"}', 'per-file-ignores."a": expected a list of strings'),
        ('commands = "nowhere.json"', "commands: expected the .json file"),
        ("commands = 3", "commands: expected the .json file"),
    ],
)
def test_what_the_linter_cannot_be_told_is_refused_by_every_verb(tmp_path, text, problem):
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.redislua]\noutput = "b"\n[tool.redislua.lint]\n{text}\n'
    )

    for find in (find_lint_config, find_config):
        with pytest.raises(ConfigError, match=problem):
            find(tmp_path)
