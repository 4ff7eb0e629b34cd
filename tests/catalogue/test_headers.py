"""What every script of the catalogue must say of itself, beyond what the grammar asks for."""

from __future__ import annotations

import hashlib

import pytest

from redislua.spec.model import Script
from redislua.spec.notation import ExampleCall
from tests.catalogue.samples import ROOT, registry, valid_call

each = pytest.mark.parametrize("script", registry().scripts, ids=lambda script: script.full_name)


def body(script: Script) -> str:
    lines = script.source.decode().split("\n")
    return "\n".join(lines[script.header_lines :])


@each
def test_it_has_two_examples_that_show_every_variant(script):
    shown = {
        line.expectation.variant
        for other in registry().scripts
        if other.family == script.family
        for example in other.examples
        for line in example.lines
        if isinstance(line, ExampleCall) and line.script in (script.name, script.full_name)
    }

    assert len(script.examples) >= 2
    assert {variant.name for variant in script.variants} <= shown


@each
def test_it_asks_for_the_time_once_at_most(script):
    assert body(script).count("'TIME'") <= 1


@each
def test_it_declares_bad_arguments_when_it_takes_any(script):
    declared = {error.name for error in script.errors}

    assert "BadArgument" in declared or not script.args


@each
def test_its_error_codes_are_those_it_declares(script):
    declared = {error.code for error in script.errors}
    replied = {word.split(" ")[0] for word in body(script).split("error_reply('")[1:]}

    assert replied == declared


@each
def test_what_ends_or_undoes_something_and_nothing_else_may_write_on_a_full_server(script):
    may = script.name in FREEING or script.full_name in GOING_ON | LETTING_IN
    may = may and script.full_name not in COUNTING
    assert ("allow-oom" in script.flags) == may


FREEING = {
    "abandon",
    "ack",
    "conditional_delete",
    "destroy",
    "fail",
    "invalidate",
    "nack",
    "ok",
    "release",
    "remove",
    "reset",
    "revoke_all",
    "sweep",
    "unlink_if",
}
"""Scripts that end or undo something: they must work on a full server."""

GOING_ON = {"debounce.take", "idempotency.extend", "queue.claim", "queue.renew"}
"""Scripts without which a full server has work done twice, or a queue never gets empty."""

LETTING_IN = {"limit.block"}
"""Scripts whose mode ends something: it must work on a full server, and so the others do."""

COUNTING = {"backoff.fail"}
"""Scripts that have the name of one that ends something, and count."""


@each
def test_keys_and_arguments_are_named_once_and_never_indexed_again(script):
    """But for those of which there are several, which are taken from their first one on."""
    text = body(script)
    single = [key for key in script.keys if not key.variadic]
    arrays = [("KEYS", len(single), len(single) < len(script.keys))]
    arrays += [("ARGV", len(script.args) + len(script.channels), bool(script.groups))]

    for array, count, has_several in arrays:
        for index in range(1, count + 1):
            assert text.count(f"{array}[{index}]") == 1, (array, index)
        assert has_several or text.count(f"{array}[") == count


@pytest.mark.single_server("SCRIPT EXISTS asks all nodes, and a call loads its script on one")
@each
def test_the_sha1_of_the_file_is_what_evalsha_uses(script, client, call):
    """What ``sha1sum`` prints, the server knows the script by after one call."""
    digest = hashlib.sha1(
        (ROOT / "scripts" / script.file).read_bytes(), usedforsecurity=False
    ).hexdigest()
    sample = valid_call(script)

    call(sample)

    assert sample.script.sha1 == digest
    assert client.script_exists(digest) == [True]
