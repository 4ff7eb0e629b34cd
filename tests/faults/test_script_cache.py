"""The server has forgotten the script, or never had it."""

from __future__ import annotations

from typing import Any

import pytest

from redislua.errors import ScriptNotDeployed
from redislua.runtime import Call
from tests.faults.forms import KINDS, Form
from tests.faults.grounds import Ground
from tests.faults.samples import COUNT, beside, counting


def test_a_script_that_the_server_never_had_is_brought(form: Form, ground: Ground) -> None:
    """Row 1: at the first call."""
    client = form.open(ground)

    assert form.run(client, COUNT) == 1

    assert ground.executions() == 1
    assert ground.executions_beside() == form.neighbours


def test_scripts_flushed_between_calls_are_loaded_again(form: Form, ground: Ground) -> None:
    """Rows 1, 2 and 3: every call of a batch or a transaction is applied once, and in order."""
    client = form.open(ground)
    form.run(client, COUNT)

    for turn in (2, 3):
        ground.home.script_flush()
        ended = form.end(client, COUNT)
        assert ended.own == turn
        assert ended.beside == form.beside(2 * turn - 1, 2 * turn)

    assert ground.executions() == 3
    assert ground.executions_beside() == 3 * form.neighbours


def test_a_flush_that_left_the_scripts_of_the_others_brings_the_missing_one(
    form: Form, ground: Ground
) -> None:
    """Rows 2 and 3: one script of several is missing."""
    client = form.open(ground)
    form.run(client, COUNT)
    ground.home.script_flush()
    ground.home.script_load(beside().script.source)

    ended = form.end(client, COUNT)

    assert ended.own == ground.executions() == 2
    assert sorted(ended.beside) == list(form.beside(3, 4))


def test_scripts_are_brought_again_on_a_new_connection(form: Form, ground: Ground) -> None:
    """Row 4: the connection was lost, and the scripts with it, as at a restart."""
    client = form.open(ground)
    form.run(client, COUNT)
    ground.home.script_flush()
    ground.cut_all()

    ended = form.end(client, COUNT)

    assert ended.own == ground.executions() == 2
    assert ended.beside == form.beside(3, 4)


def test_who_may_not_load_calls_through_eval(form: Form, ground: Ground) -> None:
    """Row 47: a user without SCRIPT LOAD, on a server that lacks the script."""
    with ground.user("+@all", "-script|load") as login:
        client = form.open(ground, **login)

        assert [form.run(client, COUNT) for _ in range(2)] == [1, 2]

    assert ground.executions() == 2
    assert ground.executions_beside() == 2 * form.neighbours


def test_who_may_neither_load_nor_eval_is_told_what_is_missing(form: Form, ground: Ground) -> None:
    """Row 47: and once it was deployed, the same client calls it."""
    with ground.user("+@all", "-script|load", "-eval") as login:
        client = form.open(ground, **login)
        ground.home.script_load(beside().script.source)

        ended = form.end(client, COUNT)
        assert type(ended.own) is ScriptNotDeployed
        # A transaction brings all of its scripts or none: it names the first.
        missing = beside() if form.is_atomic else COUNT
        assert ended.own.sha1 == missing.script.sha1
        assert ground.executions() == 0
        assert_neighbours(form, ended.beside, ground)

        ground.home.script_load(COUNT.script.source)
        if not form.is_atomic:  # whose scripts travel with it
            assert form.run(client, COUNT) == 1
    assert ground.executions() == (0 if form.is_atomic else 1)


def assert_neighbours(form: Form, ended: tuple[Any, ...], ground: Ground) -> None:
    """Those of a batch ran; those of a transaction did not."""
    if form.is_atomic:
        assert [type(one) for one in ended] == [ScriptNotDeployed] * 2
        assert ground.executions_beside() == 0
    else:
        assert ended == form.beside(1, 2)


@pytest.mark.parametrize(
    "form", [one for one in KINDS if one.shape in ("batch", "atomic")], ids=str, indirect=True
)
@pytest.mark.parametrize("loaded", [True, False], ids=["known", "missing"])
def test_many_scripts_at_once_keep_their_order(form: Form, ground: Ground, loaded: bool) -> None:
    """Row 2: loads at the head of a write change no order."""
    client = form.open(ground)
    calls: list[Call[Any]] = [counting(then=f"-- variant {n % 3}") for n in range(30)]
    options: dict[str, Any] = {"atomic": form.is_atomic}
    form.caller.run_many(client, *calls, **options)
    if not loaded:
        ground.home.script_flush()

    assert form.caller.run_many(client, *calls, **options) == tuple(range(31, 61))

    assert ground.executions() == 60
