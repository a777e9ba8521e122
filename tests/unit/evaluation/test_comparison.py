"""Comparisons with baselines."""

from __future__ import annotations

import pytest

from grove.evaluation.comparison import find_figure, times_better
from grove.evaluation.segments import Measurement


def figure(model, value, segment="all"):
    return Measurement(
        model=model, metric="hit_rate", cutoff=50, segment=segment, value=value, support=9
    )


def test_a_figure_is_found_by_model_metric_and_cutoff():
    figures = [figure("fused", 0.1, "new_items"), figure("fused", 0.4), figure("popularity", 0.2)]
    assert find_figure(figures, "fused", "hit_rate", 50) == 0.4
    assert find_figure(figures, "fused", "hit_rate", 10) is None


@pytest.mark.parametrize(
    ("value", "baselines", "expected"),
    [(0.4, [0.2, 0.1], 2.0), (None, [0.2], None), (0.4, [None, 0.0], None), (0.4, [], None)],
)
def test_the_ratio_is_to_the_best_baseline(value, baselines, expected):
    assert times_better(value, baselines) == expected
