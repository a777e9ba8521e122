"""Invariants of a stage's artifacts: vectors, codes of a tree, an index."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from grove.contracts.verdict import CheckResult

UNIT_NORM_TOLERANCE = 1e-3
"""Largest deviation of a unit vector's L2 norm from 1; float16 storage stays within it."""


def finite_vectors(vectors: np.ndarray, *, column: str | None = None) -> CheckResult:
    """No vector contains a NaN or an infinity.

    Args:
        vectors: [N, D] float.
        column: column of the vectors, if a dataset has several.
    """
    broken = ~np.isfinite(vectors).all(axis=1)  # [N]
    return _vector_result("finite_vectors", "only finite numbers", broken, column)


def finite_unit_vectors(vectors: np.ndarray, *, column: str | None = None) -> CheckResult:
    """Every vector has |‖x‖₂ − 1| ≤ `UNIT_NORM_TOLERANCE`; one with a NaN or an infinity has not.

    Args:
        vectors: [N, D] float.
        column: column of the vectors, if a dataset has several.
    """
    squares = np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64)  # [N]
    unit = np.abs(np.sqrt(squares) - 1) <= UNIT_NORM_TOLERANCE  # [N] False for NaN
    return _vector_result("finite_unit_vectors", "L2 norm 1", ~unit, column)


def _vector_result(name: str, expected: str, broken: np.ndarray, column: str | None) -> CheckResult:
    count = int(broken.sum())
    return CheckResult(
        name=f"{column}_{name}" if column else name,
        severity="fail",
        passed=count == 0,
        expected=f"{expected} in every vector",
        observed=f"{count} of {len(broken)} vectors break it",
        column=column,
        unexpected_rows=count,
    )


def one_path_per_item(
    item_ids_of_codes: Iterable[str], item_ids_expected: Iterable[str]
) -> CheckResult:
    """Every item has exactly one path in the tree, and the tree has no other items.

    Args:
        item_ids_of_codes: item of every code of one tree, with repetitions.
        item_ids_expected: the day's items.
    """
    coded = list(item_ids_of_codes)
    known, expected = set(coded), set(item_ids_expected)
    repeated, missing, unknown = len(coded) - len(known), expected - known, known - expected
    return CheckResult(
        name="one_path_per_item",
        severity="fail",
        passed=not repeated and not missing and not unknown,
        expected=f"exactly one path for each of {len(expected)} items",
        observed=f"{len(missing)} without, {repeated} repeated, {len(unknown)} of unknown items",
        unexpected_rows=repeated + len(missing) + len(unknown),
    )


def leaf_capacity(paths: np.ndarray, *, capacity: int) -> CheckResult:
    """No leaf holds more items than its capacity.

    Args:
        paths: [N, L] int, the code of each level of each item.
        capacity: most items per leaf.
    """
    _, sizes = np.unique(paths, axis=0, return_counts=True)  # [leaves]
    overfull = sizes[sizes > capacity]
    return CheckResult(
        name="leaf_capacity",
        severity="fail",
        passed=not len(overfull),
        expected=f"at most {capacity} items per leaf",
        observed=f"fullest leaf holds {sizes.max(initial=0)}, {len(overfull)} leaves overfull",
        unexpected_rows=int((overfull - capacity).sum()),
    )


def every_text_embedded(embedded: int, *, unseen: int) -> CheckResult:
    """Every text without a vector has received one.

    Args:
        embedded: number of new vectors.
        unseen: number of texts without a vector before.

    Example:
        >>> every_text_embedded(3, unseen=4).passed
        False
    """
    return CheckResult(
        name="every_text_embedded",
        severity="fail",
        passed=embedded == unseen,
        expected=f"{unseen} vectors, one per unseen text",
        observed=f"{embedded} vectors",
        unexpected_rows=abs(unseen - embedded),
    )
