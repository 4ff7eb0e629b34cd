"""Every row of the table of faults has its tests, or a reason why it concerns no client."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from dataclasses import dataclass

import pytest

import tests.faults

BATCH = "tests.runtime.test_batch"
DECODERS = "tests.codegen.test_decoders"
BIND = "tests.catalogue.test_bad_input"


@dataclass(frozen=True)
class Row:
    """One fault.

    Attributes:
        fault: What happens.
        tests: Those that show what becomes of a call: ``module.test``, the module below
            ``tests.faults`` unless it says otherwise.
        reason: Why no client can meet it; only where there is no test.
    """

    fault: str
    tests: tuple[str, ...] = ()
    reason: str = ""


ROWS: dict[int, Row] = {
    1: Row(
        "scripts flushed between calls",
        (
            "test_script_cache.test_a_script_that_the_server_never_had_is_brought",
            "test_script_cache.test_scripts_flushed_between_calls_are_loaded_again",
            "tests.soak.test_storm.test_no_caller_meets_a_script_that_was_flushed",
        ),
    ),
    2: Row(
        "scripts flushed before a batch",
        (
            "test_script_cache.test_scripts_flushed_between_calls_are_loaded_again",
            "test_script_cache.test_a_flush_that_left_the_scripts_of_the_others_brings_the_missing_one",
            "test_script_cache.test_many_scripts_at_once_keep_their_order",
        ),
    ),
    3: Row(
        "scripts flushed before a transaction",
        (
            "test_script_cache.test_scripts_flushed_between_calls_are_loaded_again",
            "test_script_cache.test_a_flush_that_left_the_scripts_of_the_others_brings_the_missing_one",
        ),
    ),
    4: Row(
        "scripts and connections lost before a batch",
        ("test_script_cache.test_scripts_are_brought_again_on_a_new_connection",),
    ),
    5: Row(
        "server restart",
        (
            "test_downtime.test_a_restart_between_calls_is_not_noticed",
            "test_downtime.test_a_server_that_is_down",
            "test_downtime.test_a_node_of_a_cluster_that_is_down",
            "test_losses.test_a_connection_that_died_while_idle_costs_no_call",
        ),
    ),
    6: Row(
        "failover to a replica, which lacks the scripts",
        (
            "test_failover.test_a_failover_that_sentinels_planned_costs_no_call",
            "test_failover.test_a_failover_that_a_cluster_planned_costs_no_call",
        ),
    ),
    7: Row(
        "a primary dies",
        (
            "test_failover.test_primaries_that_fail_under_sentinels",
            "test_failover.test_primaries_that_fail_in_a_cluster",
        ),
    ),
    8: Row(
        "planned failover",
        ("test_failover.test_a_failover_that_sentinels_planned_costs_no_call",),
    ),
    9: Row(
        "READONLY: the server became a replica",
        (
            "test_refusals.test_a_refused_call_was_not_executed",
            "test_refusals.test_what_passes_is_waited_for",
        ),
    ),
    10: Row(
        "a primary hangs",
        (
            "test_downtime.test_a_server_that_hangs",
            "test_failover.test_primaries_that_fail_under_sentinels",
            "test_failover.test_primaries_that_fail_in_a_cluster",
        ),
    ),
    11: Row(
        "acknowledged writes lost in a failover",
        reason="replication is asynchronous: no client can know of it, or undo it",
    ),
    12: Row(
        "keys of several slots",
        (
            "test_redirections.test_keys_of_two_slots_are_refused_before_anything_is_sent",
            "test_redirections.test_keys_of_two_slots_that_a_node_refuses",
        ),
    ),
    13: Row(
        "a script reaches for a key of another node",
        ("test_redirections.test_a_script_that_reaches_for_a_key_it_was_not_given",),
    ),
    14: Row(
        "a script reaches for a key of another slot",
        ("test_redirections.test_a_script_that_reaches_for_a_key_it_was_not_given",),
    ),
    15: Row("MOVED", ("test_redirections.test_a_slot_that_moved_away",)),
    16: Row("MOVED in a batch", ("test_redirections.test_a_slot_that_moved_away",)),
    17: Row("ASK", ("test_redirections.test_a_slot_that_is_moving",)),
    18: Row("TRYAGAIN", ("test_redirections.test_keys_that_lie_on_both_sides_of_a_move",)),
    19: Row("a replica lacks the script", ("test_redirections.test_reads_on_replicas",)),
    20: Row(
        "batches on a cluster",
        ("test_redirections.test_calls_on_every_node_keep_their_places",),
    ),
    21: Row(
        "BUSY",
        (
            "test_refusals.test_a_refused_call_was_not_executed",
            "test_refusals.test_what_passes_is_waited_for",
        ),
    ),
    22: Row("SCRIPT KILL", ("test_refusals.test_a_script_that_is_killed_was_not_executed",)),
    23: Row(
        "UNKILLABLE",
        ("test_refusals.test_a_server_that_had_to_be_stopped_leaves_the_outcome_unknown",),
    ),
    24: Row("NOTBUSY", reason="an answer to SCRIPT KILL, which no call sends"),
    25: Row(
        "OOM",
        (
            "test_refusals.test_a_refused_call_was_not_executed",
            "test_refusals.test_a_full_server_runs_what_ends_something_and_what_reads",
            "test_refusals.test_one_call_that_is_refused_stops_no_other",
        ),
    ),
    26: Row(
        "memory is checked before the first write only",
        reason="about the order of a script's commands: nothing of it reaches the caller",
    ),
    27: Row(
        "LOADING",
        (
            "test_refusals.test_a_refused_call_was_not_executed",
            "test_refusals.test_what_passes_is_waited_for",
        ),
    ),
    28: Row("MISCONF", ("test_refusals.test_a_refused_call_was_not_executed",)),
    29: Row(
        "NOREPLICAS, MASTERDOWN",
        (
            "test_refusals.test_a_refused_call_was_not_executed",
            "test_refusals.test_a_replica_that_lost_its_primary_serves_no_reads",
            "test_orphaned_replica.test_the_primary_answers_instead",
        ),
    ),
    30: Row(
        "the reply is lost",
        ("test_losses.test_a_lost_exchange", "test_losses.test_replies_that_stay_lost"),
    ),
    31: Row("the request is lost", ("test_losses.test_a_lost_exchange",)),
    32: Row("no reply in time", ("test_losses.test_a_reply_that_does_not_come_in_time",)),
    33: Row(
        "a slow script",
        (
            "test_losses.test_a_script_slower_than_the_clients_timeout",
            "test_losses.test_a_script_slower_than_the_deadline",
        ),
    ),
    34: Row(
        "the replies of a batch are lost",
        ("test_losses.test_a_lost_exchange", "test_losses.test_replies_that_stay_lost"),
    ),
    35: Row("a late reply", ("test_losses.test_a_late_reply_meets_nobody",)),
    36: Row(
        "an interrupted read",
        ("test_interruptions.test_an_interrupted_call_leaves_nothing_behind",),
    ),
    37: Row(
        "a cancelled task",
        (
            "test_interruptions.test_a_cancelled_call_leaves_nothing_behind",
            "tests.soak.test_cancellation.test_cancelled_tasks_take_no_reply_from_others",
        ),
    ),
    38: Row(
        "many threads",
        (
            "test_interruptions.test_threads_share_a_client",
            "test_interruptions.test_tasks_share_a_client",
        ),
    ),
    39: Row(
        "fork",
        (
            "test_interruptions.test_a_child_process_calls_on_the_client_of_its_parent",
            "test_interruptions.test_a_client_of_one_connection_survives_a_fork",
        ),
    ),
    40: Row("a second event loop", ("test_interruptions.test_a_client_in_a_second_event_loop",)),
    41: Row(
        "no connection to be had",
        (
            "test_refusals.test_a_refused_call_was_not_executed",
            "test_refusals.test_what_passes_is_waited_for",
            "test_interruptions.test_tasks_share_a_client",
            "test_interruptions.test_a_small_pool_is_enough_for_many_callers",
        ),
    ),
    42: Row("WRONGTYPE", ("test_replies.test_a_key_of_another_type",)),
    43: Row("garbage in a key", ("test_replies.test_garbage_in_a_key",)),
    44: Row("no right to EVALSHA", ("test_replies.test_a_user_without_evalsha",)),
    45: Row(
        "no right to a declared key",
        ("test_replies.test_a_declared_key_that_the_user_may_not_touch",),
    ),
    46: Row(
        "no right inside the script",
        ("test_replies.test_what_the_user_may_not_do_inside_the_script",),
    ),
    47: Row(
        "no right to load",
        (
            "test_script_cache.test_who_may_not_load_calls_through_eval",
            "test_script_cache.test_who_may_neither_load_nor_eval_is_told_what_is_missing",
        ),
    ),
    48: Row("a wrong password", ("test_replies.test_a_password_that_was_changed",)),
    49: Row(
        "replies that are no text",
        ("test_replies.test_bytes_of_every_kind_come_back_as_they_went",),
    ),
    50: Row(
        "keys and arguments that are no text",
        ("test_replies.test_bytes_of_every_kind_come_back_as_they_went",),
    ),
    51: Row(
        "arguments of a wrong type",
        (f"{BIND}.test_a_bad_argument_is_refused_by_name_before_anything_is_sent",),
    ),
    52: Row(
        "integers beyond 2^53",
        ("test_replies.test_integers_beyond_what_lua_counts_exactly",),
    ),
    53: Row(
        "floats in replies, which travel as text",
        (f"{DECODERS}.test_a_reply_is_decoded_when_it_is_declared_and_refused_when_not",),
    ),
    54: Row(
        "very large arguments",
        (
            "test_replies.test_an_argument_that_is_larger_than_the_server_takes",
            f"{BATCH}.test_a_transaction_larger_than_a_write_is_refused_before_anything_is_sent",
        ),
    ),
    55: Row("unpack of many arguments", ("test_replies.test_more_values_than_lua_unpacks",)),
    56: Row("a wrong digest", ("test_replies.test_a_digest_that_no_server_knows",)),
    57: Row(
        "the server's clock jumps",
        reason="about what scripts do with TIME: no call depends on the client's clock but for "
        "its deadline, which is monotonic",
    ),
}


def test_the_table_is_whole() -> None:
    assert list(ROWS) == list(range(1, 58))
    for row in ROWS.values():
        assert bool(row.tests) is not bool(row.reason)


@pytest.mark.parametrize("number", [number for number, row in ROWS.items() if row.tests])
def test_a_row_has_its_tests(number: int) -> None:
    """They exist, and those that are here say which row they are for."""
    for name in ROWS[number].tests:
        module, _, test = name.rpartition(".")
        is_here = not module.startswith("tests.")
        found = importlib.import_module(f"tests.faults.{module}" if is_here else module)
        assert hasattr(found, test), name
        if is_here:
            assert number in rows_of(inspect.getdoc(getattr(found, test))), name


def test_no_test_claims_a_row_that_does_not_name_it() -> None:
    claims = {
        (number, f"{module.name}.{name}")
        for module in pkgutil.iter_modules(tests.faults.__path__)
        if module.name.startswith("test_") and module.name != "test_coverage"
        for name, test in vars(importlib.import_module(f"tests.faults.{module.name}")).items()
        if name.startswith("test_")
        for number in rows_of(inspect.getdoc(test))
    }

    assert claims == {
        (number, name)
        for number, row in ROWS.items()
        for name in row.tests
        if not name.startswith("tests.")
    }


def rows_of(docstring: str | None) -> set[int]:
    """The rows that a docstring begins with: ``Rows 1, 2 and 3: …``."""
    head = re.match(r"Rows? ([\d, and]+)", docstring or "")
    return {int(number) for number in re.findall(r"\d+", head[1])} if head else set()
