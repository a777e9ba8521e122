"""Popularity: order by count, and no user gets an excluded item."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from grove.evaluation.popularity import popularity_order, same_list_for_all


def reference_order(rows, item_count):
    return sorted(range(item_count), key=lambda item: (-rows.count(item), item))


@settings(max_examples=100)
@given(rows=st.lists(st.integers(-1, 7), max_size=40))
def test_order_against_sorting_by_count(rows):
    found = popularity_order(np.array(rows, dtype=np.int64), 8)
    assert found.tolist() == reference_order(rows, 8)


@settings(max_examples=100)
@given(
    excluded=st.lists(st.lists(st.integers(0, 9), unique=True), min_size=1, max_size=5),
    length=st.integers(1, 12),
)
def test_every_user_gets_the_best_items_that_are_not_excluded(excluded, length):
    order = np.random.default_rng(1).permutation(10)
    lists = same_list_for_all(order, [np.array(rows, np.int64) for rows in excluded], length=length)
    for row, taken in zip(lists.tolist(), excluded, strict=True):
        left = [item for item in order.tolist() if item not in taken][:length]
        assert row == left + [-1] * (length - len(left))
