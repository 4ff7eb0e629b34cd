"""Growth is told from counts: exactly, with steps and offsets, and the cheapest that fits."""

from __future__ import annotations

import math

import pytest

from redislua.budget.growth import exceeds, growth_of
from redislua.budget.model import ORDERS

SIZES = (10, 100, 1_000, 10_000)
FEW = (1, 2, 4, 8)


@pytest.mark.parametrize("sizes", [SIZES, FEW], ids=["many", "few"])
@pytest.mark.parametrize(
    ("count", "order"),
    [
        (lambda _: 3, "1"),
        (lambda _: 0, "1"),
        (lambda n: 400 + (n > 5), "1"),
        (lambda n: 2 + n, "linear"),
        (lambda n: 2 + 5 * n, "linear"),
        (lambda n: 50 - min(n, 20), "1"),
        (lambda n: 1 + n * n, "worse"),
    ],
)
def test_a_count_is_put_into_its_order(sizes, count, order):
    assert growth_of("calls", [(n, count(n)) for n in sizes]).order == order


@pytest.mark.parametrize(
    ("count", "order"),
    [
        (lambda n: 5 + 3 * math.log2(n), "log"),
        (lambda n: math.ceil(math.log2(n)), "log"),
        (lambda n: math.ceil(n / 250), "linear"),
        (lambda n: 1_000 + n, "linear"),
        (lambda n: n * math.log2(n), "worse"),
        (lambda n: n**1.5, "worse"),
    ],
)
def test_over_many_sizes_finer_orders_are_told_apart(count, order):
    assert growth_of("calls", [(n, round(count(n))) for n in SIZES]).order == order


def test_points_come_in_any_order_and_are_kept_ascending():
    growth = growth_of("calls", [(100, 102), (10, 12)])

    assert growth.points == ((10, 12), (100, 102))
    assert growth.order == "linear"


def test_a_growth_exceeds_only_what_is_cheaper():
    found = {
        (order, declared) for order in ORDERS for declared in ORDERS[:3] if exceeds(order, declared)
    }

    assert found == {
        ("log", "1"),
        ("linear", "1"),
        ("linear", "log"),
        ("worse", "1"),
        ("worse", "log"),
        ("worse", "linear"),
    }
