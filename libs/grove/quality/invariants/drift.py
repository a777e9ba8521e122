"""Drift: a landed feed that looks different from the days before. All checks only warn.

A collector's release renames a column, stops to fill one, or sends new values; every row is still
valid, and the models learn from less.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from grove.contracts.verdict import CheckResult

_IN_USE = 0.01
"""A column counts as used before if at least this share of the rows had a value."""
_SHOWN = 10


def columns_as_before(
    shares: Mapping[str, float],
    unknown: Iterable[str],
    *,
    shares_before: Mapping[date, Mapping[str, float]],
    unknown_before: Iterable[str],
) -> CheckResult:
    """No column has vanished, and none is new; a renamed column is both.

    Args:
        shares: share of the rows with a value, by column, 0 to 1.
        unknown: fields of the day that are not in the contract.
        shares_before: day → shares; may be empty.
        unknown_before: unknown fields of these days.
    """
    gone = [
        f"{name} is in no row ({_shown_days(name, shares_before)})"
        for name, share in shares.items()
        if share == 0 and _mean(name, shares_before) >= _IN_USE
    ]
    new = sorted(set(unknown) - set(unknown_before)) if shares_before else []
    found = gone + [f"{name} is new and in no contract" for name in new]
    return _warning("columns_as_before", "the columns of the days before", found, shares_before)


def filled_as_before(
    shares: Mapping[str, float],
    *,
    shares_before: Mapping[date, Mapping[str, float]],
    largest_change: float,
) -> CheckResult:
    """Every column is filled about as often as before: |s − s̄| ≤ limit, s̄ the mean share.

    Args:
        shares: share of the rows with a value, by column, 0 to 1.
        shares_before: day → shares; may be empty.
        largest_change: limit on the change of a share, 0 to 1.
    """
    moved = [
        f"{name} in {share:.1%} of rows ({_shown_days(name, shares_before)})"
        for name, share in shares.items()
        if shares_before and abs(share - _mean(name, shares_before)) > largest_change
    ]
    expected = f"shares of filled rows that changed by at most {largest_change:.0%}"
    return _warning("filled_as_before", expected, moved, shares_before)


def values_as_before(
    new_rows: Mapping[str, Mapping[str, int]],
    rows: int,
    *,
    largest_share: float,
    days_before: Iterable[date],
) -> CheckResult:
    """Few rows have a value that no earlier day had, such as an unknown device.

    Args:
        new_rows: column → value that is new → rows with it.
        rows: all rows of the day.
        largest_share: limit on the share of such rows, 0 to 1, for each column.
        days_before: days whose values are known.
    """
    found = [
        f"{column}: {', '.join(map(repr, list(values)[:_SHOWN]))} in"
        f" {sum(values.values()) / rows:.1%} of rows"
        for column, values in new_rows.items()
        if rows and sum(values.values()) / rows > largest_share
    ]
    expected = f"values of the days before in all but {largest_share:.0%} of rows"
    return _warning("values_as_before", expected, found, list(days_before))


def _warning(
    name: str, expected: str, found: list[str], before: Mapping[date, object] | Sequence[date]
) -> CheckResult:
    days = sorted(before)
    return CheckResult(
        name=name,
        severity="warn",
        passed=not found,
        expected=f"{expected}, {days[0]} to {days[-1]}" if days else "no earlier day to compare",
        observed="; ".join(found) if found else "as before",
        unexpected_rows=0,
    )


def _mean(name: str, shares_before: Mapping[date, Mapping[str, float]]) -> float:
    known = [shares.get(name, 0.0) for shares in shares_before.values()]
    return sum(known) / len(known) if known else 0.0


def _shown_days(name: str, shares_before: Mapping[date, Mapping[str, float]]) -> str:
    days = sorted(shares_before, reverse=True)[:3]
    return ", ".join(f"{shares_before[day].get(name, 0.0):.1%} on {day}" for day in days)
