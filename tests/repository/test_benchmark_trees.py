"""The benchmark of trees: methods are timed on the same work, with their own memory."""

from __future__ import annotations

import os
import sys
from itertools import count

import numpy as np
import pytest
from tests.benchmarks import trees

from grove.systems.treebridge.trees.build import mean_squared_distance


@pytest.mark.parametrize("method", ["FAISS", *trees.MOST_OVER_FAISS])
def test_the_timed_work_ends_with_a_leaf_for_every_vector(method, tmp_path, monkeypatch):
    """Only the assignment of leaves runs between the two readings of the clock."""
    vectors = trees.topic_vectors(300)
    np.save(tmp_path / "vectors.npy", vectors)
    ticks, summed = count(), []

    def distortion(*arguments):
        summed.append(next(ticks))
        return mean_squared_distance(*arguments)

    monkeypatch.setattr(trees, "perf_counter", lambda: float(next(ticks)))
    monkeypatch.setattr(trees, "mean_squared_distance", distortion)
    run = trees.measure_method(method, tmp_path / "vectors.npy", (4, 3))
    assert (run["seconds"], summed) == (1.0, [2])
    assert 1 <= run["smallest"] <= 25 <= run["largest"]
    assert 0 < run["distortion"] < 1


@pytest.mark.parametrize("make", [trees.faiss_leaves, trees.balanced_leaves])
def test_both_trees_of_a_shape_give_leaves_and_no_more(make):
    leaves = make(trees.topic_vectors(300), (4, 3))
    assert leaves.shape == (300,)
    assert set(leaves.tolist()) == set(range(12))


@pytest.mark.slow
def test_memory_of_a_process_does_not_begin_with_that_of_its_parent(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    held = np.ones((1 << 29) // 8)  # half a GiB, which no child of it has
    np.save(tmp_path / "vectors.npy", trees.topic_vectors(300))
    child = trees._in_a_process("balanced tree", tmp_path / "vectors.npy", (4, 3))
    assert held.sum() > 0
    assert 0.05 < child["memory"] < trees.peak_memory() - 0.25


def test_the_median_run_has_the_least_and_most_seconds():
    runs = [{"seconds": seconds, "memory": 10 * seconds} for seconds in (3.0, 9.0, 1.0, 4.0, 2.0)]
    run = trees.median_run(runs)
    assert run == {"seconds": 3.0, "memory": 30.0, "fastest": 1.0, "slowest": 9.0}


def test_growth_is_the_power_of_ten_times_the_items():
    found = {one: {"seconds": 20.0} for one in ("FAISS", "balanced tree")}
    tenth = {"FAISS": {"seconds": 2.0}, "balanced tree": {"seconds": 1.0}}
    plain, ours = trees.growth(100_000, found, tenth)
    assert (plain.value, plain.met) == (1.0, None)
    assert ours.value == pytest.approx(1.301, abs=0.001)
    assert (ours.goal, ours.met) == ("≤ 1.1", False)
