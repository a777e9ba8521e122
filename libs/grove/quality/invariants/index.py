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


def index_recall(recall: float, *, minimum: float, contents: str = "") -> CheckResult:
    """The index finds most results of an exact search.

    Args:
        recall: share, 0 to 1, of the exact top K that the index also returns.
        minimum: smallest recall allowed, 0 to 1.
        contents: description of the index, for the report.
    """
    passed = recall >= minimum
    remedy = (
        "; raise index.ef_search or index.ef_construction, or set index.factory to IDMap2,Flat,"
        " which is exact"
    )
    return CheckResult(
        name="index_recall",
        severity="fail",
        passed=passed,
        expected=f"recall at least {minimum:.4f}" + ("" if passed else remedy),
        observed=f"{recall:.4f}" + (f" {contents}" if contents else ""),
    )


def graph_recall(recall: float, *, minimum: float) -> CheckResult:
    """The configured graph finds most results itself, so that no exact index replaces it.

    Args:
        recall: of the graph, 0 to 1.
        minimum: smallest recall allowed, 0 to 1.
    """
    return CheckResult(
        name="graph_recall",
        severity="warn",
        passed=recall >= minimum,
        expected=f"recall at least {minimum:.4f} of the configured graph; raise"
        " index.ef_construction, or set index.factory to IDMap2,Flat, which is exact",
        observed=f"{recall:.4f}; an exact index replaces the graph, and each query reads every"
        " vector",
    )
