"""Figures of one list against every segment and cutoff, as rows of the `metrics` dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grove.evaluation.metrics import Rows, Targets, coverage, hit_rate, ndcg


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One metric of one model on one segment, and the number of users or items behind it."""

    model: str
    metric: str
    cutoff: int | None
    segment: str
    value: float
    support: int


def segment_targets(
    targets: Targets, item_marks: Mapping[str, NDArray[np.bool_]]
) -> dict[str, Targets]:
    """Targets by segment: `all`, and one per mark on items.

    Example:
        >>> targets = Targets(np.array([0]), np.array([1]), user_count=1)
        >>> sorted(segment_targets(targets, {"new_items": np.array([False, True])}))
        ['all', 'new_items']
    """
    return {"all": targets} | {name: targets.among(marks) for name, marks in item_marks.items()}


def measure_lists(
    model: str,
    lists: Rows,
    segments: Mapping[str, Targets],
    *,
    cutoffs: Sequence[int],
    item_count: int,
) -> list[Measurement]:
    """HR@K and NDCG@K of every segment, and coverage@K, of one model's lists.

    Args:
        model: name under which the figures appear.
        lists: [U, at least max(cutoffs)] int64.
        segments: targets by segment name.
        cutoffs: the K.
        item_count: items the model could have listed.

    Returns:
        Figures in a fixed order; a segment without users has value 0 and support 0.

    Example:
        >>> segments = {"all": Targets(np.array([0]), np.array([1]), user_count=1)}
        >>> figures = measure_lists("m", np.array([[1]]), segments, cutoffs=[1], item_count=2)
        >>> [(figure.metric, figure.value) for figure in figures]
        [('hit_rate', 1.0), ('ndcg', 1.0), ('coverage', 0.5)]
    """
    figures = [
        Measurement(
            model=model,
            metric=metric,
            cutoff=cutoff,
            segment=segment,
            value=function(lists, targets, cutoff=cutoff),
            support=int((targets.per_user() > 0).sum()),
        )
        for segment, targets in segments.items()
        for metric, function in (("hit_rate", hit_rate), ("ndcg", ndcg))
        for cutoff in cutoffs
    ]
    return figures + [
        Measurement(
            model=model,
            metric="coverage",
            cutoff=cutoff,
            segment="all",
            value=coverage(lists, item_count, cutoff=cutoff),
            support=len(lists),
        )
        for cutoff in cutoffs
    ]
