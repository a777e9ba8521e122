"""Drift of a landed feed: vanished, new and renamed columns, shares that moved, new values."""

from __future__ import annotations

from datetime import date

import pytest

from grove.quality.invariants import columns_as_before, filled_as_before, values_as_before

FIRST, SECOND = date(2026, 8, 18), date(2026, 8, 19)
BEFORE = {FIRST: {"price": 1.0, "query": 0.02}, SECOND: {"price": 0.9, "query": 0.0}}


def columns(shares: dict[str, float], unknown: list[str]) -> str | None:
    result = columns_as_before(
        shares, unknown, shares_before=BEFORE, unknown_before=["campaign", "old"]
    )
    assert result.severity == "warn"
    return None if result.passed else result.observed


def test_a_renamed_column_has_vanished_and_is_new() -> None:
    assert columns({"price": 0.0, "query": 0.1}, ["campaign", "unit_price"]) == (
        "price is in no row (90.0% on 2026-08-19, 100.0% on 2026-08-18);"
        " unit_price is new and in no contract"
    )


@pytest.mark.parametrize(
    ("shares", "unknown", "found"),
    [
        ({"price": 1.0, "query": 0.0}, ["campaign"], "query is in no row"),
        ({"price": 1.0, "query": 0.01}, ["page.name"], "page.name is new"),
        ({"price": 0.01, "query": 0.01}, ["campaign"], None),
        ({"price": 1.0, "query": 0.01, "device": 0.0}, [], None),
    ],
)
def test_columns(shares: dict[str, float], unknown: list[str], found: str | None) -> None:
    observed = columns(shares, unknown)
    assert observed is None if found is None else observed and observed.startswith(found)


def test_nothing_is_compared_on_a_first_day() -> None:
    none: dict[date, dict[str, float]] = {}
    results = [
        columns_as_before({"price": 0.0}, ["x"], shares_before=none, unknown_before=[]),
        filled_as_before({"price": 0.9}, shares_before=none, largest_change=0.2),
        values_as_before({}, 10, largest_share=0.05, days_before=[]),
    ]
    assert [result.passed for result in results] == [True] * 3
    assert {result.expected for result in results} == {"no earlier day to compare"}


@pytest.mark.parametrize(("share", "passes"), [(0.80, True), (0.70, False), (0.0, False)])
def test_a_share_of_filled_rows_that_moved(share: float, passes: bool) -> None:
    result = filled_as_before(
        {"price": share, "query": 0.01}, shares_before=BEFORE, largest_change=0.2
    )
    assert result.passed == passes
    assert passes or f"price in {share:.1%} of rows (90.0% on 2026-08-19" in result.observed


@pytest.mark.parametrize(("rows", "passes"), [(5, True), (6, False)])
def test_values_that_no_earlier_day_had(rows: int, passes: bool) -> None:
    result = values_as_before(
        {"device": {"tablet2": rows}}, 100, largest_share=0.05, days_before=BEFORE
    )
    assert result.passed == passes
    assert passes or result.observed == "device: 'tablet2' in 6.0% of rows"
