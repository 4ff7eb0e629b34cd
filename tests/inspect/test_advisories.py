"""Which versions have which published faults of Lua."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redislua.inspect.advisories import ADVISORIES, open_advisories, safe_version
from redislua.inspect.facts import Product

REDISHELL = {"CVE-2025-49844", "CVE-2025-46817", "CVE-2025-46818", "CVE-2025-46819"}
OF_2024 = {"CVE-2024-31449", "CVE-2024-46981"}


def found(product: Product, version: str) -> set[str]:
    numbers = tuple(map(int, version.split(".")))
    return {one.cve for one in open_advisories(product, numbers)}


@pytest.mark.parametrize(
    ("product", "version", "expected"),
    [
        ("Redis", "7.0.11", {"CVE-2022-24834"} | OF_2024 | REDISHELL),
        ("Redis", "7.0.15", OF_2024 | REDISHELL),  # no patch of this line has the fixes
        ("Redis", "7.2.5", OF_2024 | REDISHELL),
        ("Redis", "7.2.6", {"CVE-2024-46981"} | REDISHELL),
        ("Redis", "7.2.7", REDISHELL),
        ("Redis", "7.2.11", set()),
        ("Redis", "7.4.5", REDISHELL | {"CVE-2026-23631"}),
        ("Redis", "7.4.9", set()),
        ("Redis", "8.0.3", REDISHELL),
        ("Redis", "8.0.4", set()),
        ("Redis", "8.2.1", REDISHELL | {"CVE-2026-23631"}),
        ("Redis", "8.2.6", set()),
        ("Redis", "8.4.0", {"CVE-2026-23631"}),
        ("Redis", "8.8.0", set()),
        ("Valkey", "7.2.6", OF_2024 | REDISHELL | {"CVE-2025-67733"}),
        ("Valkey", "7.2.11", {"CVE-2025-67733"}),
        ("Valkey", "7.2.12", set()),
        ("Valkey", "8.0.1", {"CVE-2024-46981", "CVE-2025-67733"} | REDISHELL),
        ("Valkey", "8.1.4", {"CVE-2025-67733", "CVE-2026-23631"}),
        ("Valkey", "8.1.7", set()),
        ("Valkey", "9.0.0", {"CVE-2025-67733", "CVE-2026-23631"}),
        ("Valkey", "9.0.4", set()),
        ("Valkey", "9.1.2", set()),
    ],
)
def test_a_version_has_the_faults_that_its_line_had_not_yet_mended(
    product: Product, version: str, expected: set[str]
) -> None:
    assert found(product, version) == expected


@pytest.mark.parametrize(
    ("product", "version", "expected"),
    [
        ("Redis", (7, 0, 15), "7.2.11"),  # the next line: its own has no fix
        ("Redis", (7, 2, 4), "7.2.11"),
        ("Redis", (8, 2, 3), "8.2.6"),
        ("Valkey", (8, 0, 0), "8.0.7"),
        ("Valkey", (9, 0, 0), "9.0.4"),
    ],
)
def test_the_remedy_is_the_nearest_version_without_faults(
    product: Product, version: tuple[int, ...], expected: str
) -> None:
    assert safe_version(product, version) == expected


products: st.SearchStrategy[Product] = st.sampled_from(["Redis", "Valkey"])
versions = st.tuples(st.integers(6, 10), st.integers(0, 10), st.integers(0, 30))


@given(products, versions)
def test_no_remedy_is_itself_open(product: Product, version: tuple[int, int, int]) -> None:
    safe = safe_version(product, version)

    if safe != "the newest":
        assert found(product, safe) == set()
        assert tuple(map(int, safe.split("."))) >= version[:2]


@given(products, versions)
def test_a_later_patch_of_a_line_never_has_a_fault_more(
    product: Product, version: tuple[int, int, int]
) -> None:
    later = (*version[:2], version[2] + 1)

    assert set(open_advisories(product, later)) <= set(open_advisories(product, version))


def test_versions_that_say_too_little_are_not_judged() -> None:
    assert open_advisories("Redis", (7,)) == ()


def test_identifiers_are_distinct_and_well_formed() -> None:
    names = [one.cve for one in ADVISORIES]

    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"CVE-20\d\d-\d{4,6}", name) for name in names)
