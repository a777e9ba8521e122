"""Invariants of an index."""

from __future__ import annotations

from collections.abc import Iterable

from grove.contracts.verdict import CheckResult


def index_complete(item_ids: Iterable[str], item_ids_expected: Iterable[str]) -> CheckResult:
    """The index contains every item of the day, and no other item.

    Args:
        item_ids: items of the index.
        item_ids_expected: the day's items.
    """
    held, expected = set(item_ids), set(item_ids_expected)
    missing, unknown = len(expected - held), len(held - expected)
    return CheckResult(
        name="index_complete",
        severity="fail",
        passed=missing == 0 and unknown == 0,
        expected=f"the {len(expected)} items of the day",
        observed=f"{len(held)} items, {missing} missing, {unknown} unknown",
        unexpected_rows=missing + unknown,
    )
