"""Comparisons between metrics of a day."""

from __future__ import annotations

from collections.abc import Iterable

from grove.evaluation.segments import Measurement

COMPARATOR = "comparator_"
"""Prefix of the names of the served release's lists, with which a candidate's are compared."""


def find_figure(
    figures: Iterable[Measurement], model: str, metric: str, cutoff: int | None
) -> float | None:
    """Value of one figure over all targets, or None when it was not measured.

    Example:
        >>> figure = Measurement(
        ...     model="fused", metric="hit_rate", cutoff=50, segment="all", value=0.4, support=10
        ... )
        >>> find_figure([figure], "fused", "hit_rate", 50)
        0.4
    """
    for figure in figures:
        key = (figure.model, figure.metric, figure.cutoff, figure.segment)
        if key == (model, metric, cutoff, "all"):
            return figure.value
    return None


def times_better(value: float | None, baselines: Iterable[float | None]) -> float | None:
    """Ratio of a metric to the best of its baselines; None when there is nothing to divide.

    Example:
        >>> times_better(0.4, [0.1, 0.2, None])
        2.0
    """
    best = max((baseline for baseline in baselines if baseline), default=0.0)
    return None if value is None or not best else value / best
