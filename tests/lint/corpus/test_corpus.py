"""Foreign scripts: the linter finds what a careful reader finds, and next to nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from redislua.lint.engine import lint_source
from redislua.server import start
from redislua.syntax.gate import compile_error
from tests.lint.corpus.labels import FOLDER, Sample, Score, samples

RECALL = 0.80
PRECISION = 0.95

SAMPLES = samples()
EVIDENCE = [
    pytest.param(sample, run, id=f"{sample.name}-{number}")
    for sample in SAMPLES
    for number, run in enumerate(sample.runs, 1)
]


@pytest.fixture(scope="module")
def score() -> Score:
    score = Score()
    for sample in SAMPLES:
        score.add(sample, lint_source(sample.source, path=f"{sample.name}.lua"))
    return score


@pytest.fixture(scope="module")
def node() -> Iterator[redis.Redis]:
    with start() as server, redis.Redis.from_url(server.url, decode_responses=True) as client:
        yield client


def test_the_labelled_defects_are_found(score):
    assert score.recall >= RECALL, (
        f"{score.recall:.1%} of {score.defects} defects; missed:\n" + "\n".join(score.missed)
    )


def test_reported_errors_are_real(score):
    assert score.precision >= PRECISION, (
        f"{score.precision:.1%} of {score.errors} errors; false:\n" + "\n".join(score.false_errors)
    )


def test_near_misses_stay_silent(score):
    assert not score.broken_silence, "\n".join(score.broken_silence)


def test_every_script_has_labels_and_every_label_a_script():
    scripts = {path.name.removesuffix(".lua") for path in FOLDER.glob("*.lua")}
    labels = {path.name.removesuffix(".labels.toml") for path in FOLDER.glob("*.toml")}

    assert scripts == labels
    assert len(scripts) >= 45


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_labels_point_at_code(sample: Sample):
    lines = [b"", *sample.source.splitlines()]
    places = [line for one in sample.defects for line in one.lines]
    places += [one.line for one in sample.silent]
    places += [one.line for one in sample.arguable]
    assert all(lines[place].strip() for place in places)

    codes = [code for one in sample.defects for code in one.codes]
    codes += [one.code for one in sample.silent]
    codes += [code for one in sample.arguable for code in one.codes]
    assert all(re.fullmatch(r"RL\d{3}", code) for code in codes)

    sure = {(line, code) for one in sample.defects for line in one.lines for code in one.codes}
    assert not sure & {(one.line, one.code) for one in sample.silent}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_the_server_loads_what_is_said_to_load(sample: Sample, node: redis.Redis):
    if sample.loads:
        assert compile_error(sample.name, sample.source) is None
        assert node.script_load(sample.source)
    else:
        with pytest.raises(redis.ResponseError):
            node.script_load(sample.source)


@pytest.mark.parametrize(("sample", "run"), EVIDENCE)
def test_the_server_does_what_the_labels_say(
    sample: Sample, run: dict[str, Any], node: redis.Redis
):
    node.flushall()
    for command in run.get("setup", ()):
        node.execute_command(*command)
    call = (sample.source, len(run["keys"]), *run["keys"], *run["args"])

    if "error" in run:
        with pytest.raises(redis.RedisError, match=re.escape(run["error"])) as raised:
            node.execute_command("EVAL", *call)
        assert "line" not in run or f"user_script:{run['line']}" in str(raised.value)
    else:
        reply = node.execute_command("EVAL", *call)
        assert "reply" not in run or reply == json.loads(run["reply"])
