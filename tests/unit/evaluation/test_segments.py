"""Rows of `metrics`: one per segment, metric and cutoff."""

from __future__ import annotations

import numpy as np

from grove.evaluation.metrics import make_targets
from grove.evaluation.segments import measure_lists, segment_targets


def test_every_segment_metric_and_cutoff_is_measured_once():
    targets = make_targets([(0, 1), (1, 2)], user_count=2)
    segments = segment_targets(targets, {"new_items": np.array([False, False, True])})
    lists = np.array([[1, 0], [0, 1]])
    figures = measure_lists("fused", lists, segments, cutoffs=(1, 2), item_count=3)
    keys = [(figure.metric, figure.cutoff, figure.segment) for figure in figures]
    assert len(keys) == len(set(keys)) == 2 * 2 * 2 + 2
    values = {
        (figure.metric, figure.cutoff, figure.segment): (figure.value, figure.support)
        for figure in figures
    }
    assert values["hit_rate", 1, "all"] == (0.5, 2)
    assert values["hit_rate", 2, "new_items"] == (0.0, 1)
    assert values["coverage", 1, "all"] == (2 / 3, 2)


def test_a_segment_without_targets_has_no_support():
    segments = segment_targets(make_targets([(0, 0)], 1), {"new_items": np.array([False])})
    figures = measure_lists("dssm", np.array([[0]]), segments, cutoffs=(1,), item_count=1)
    new = [figure for figure in figures if figure.segment == "new_items"]
    assert {(figure.value, figure.support) for figure in new} == {(0.0, 0)}
