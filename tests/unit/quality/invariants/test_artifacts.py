from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grove.quality.invariants import (
    finite_unit_vectors,
    finite_vectors,
    index_recall,
    leaf_capacity,
    one_path_per_item,
)


def test_vectors_that_are_not_finite_or_not_unit_are_counted() -> None:
    vectors = np.array(
        [[0.6, 0.8], [3.0, 4.0], [np.nan, 1.0], [np.inf, 0.0], [0.0, 0.0]], dtype=np.float32
    )
    finite, unit = finite_vectors(vectors), finite_unit_vectors(vectors)
    assert (finite.passed, finite.unexpected_rows) == (False, 2)
    assert (unit.passed, unit.unexpected_rows) == (False, 4)
    assert unit.observed == "4 of 5 vectors break it"


def test_good_vectors_and_no_vectors_pass() -> None:
    vectors = np.random.default_rng(1).normal(size=(50, 64)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for each in (vectors, vectors[:0], vectors.astype(np.float16)):
        assert finite_vectors(each).passed
        assert finite_unit_vectors(each).passed


def test_vectors_of_two_columns_give_two_names() -> None:
    vectors = np.zeros((1, 2))
    names = {finite_vectors(vectors, column=column).name for column in ("h_gen", "h_next")}
    assert names == {"h_gen_finite_vectors", "h_next_finite_vectors"}


@pytest.mark.parametrize(
    ("coded", "expected", "unexpected"),
    [
        ([], [], 0),
        (["a", "b"], ["b", "a"], 0),
        (["a"], ["a", "b"], 1),
        (["a", "a", "a"], ["a"], 2),
        (["a", "c"], ["a", "b"], 2),
    ],
)
def test_each_item_has_exactly_one_path(
    coded: list[str], expected: list[str], unexpected: int
) -> None:
    result = one_path_per_item(coded, expected)
    assert result.passed == (unexpected == 0)
    assert result.unexpected_rows == unexpected


def reference_overfull(paths: list[tuple[int, int]], capacity: int) -> int:
    sizes = Counter(paths)
    return sum(max(0, size - capacity) for size in sizes.values())


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2))), st.integers(1, 4))
def test_overfull_leaves_are_counted(paths: list[tuple[int, int]], capacity: int) -> None:
    array = np.array(paths, dtype=np.int32).reshape(-1, 2)
    result = leaf_capacity(array, capacity=capacity)
    assert result.unexpected_rows == reference_overfull(paths, capacity)
    assert result.passed == (result.unexpected_rows == 0)


@pytest.mark.parametrize(("recall", "passed"), [(0.95, True), (0.9499, False), (np.nan, False)])
def test_recall_has_a_floor(recall: float, passed: bool) -> None:
    assert index_recall(recall, minimum=0.95).passed == passed
