import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from grove.errors import DataError
from grove.systems.treebridge.trees.shape import (
    WIDEST_LEVEL,
    WIDEST_ONLY_LEVEL,
    TreeShape,
    fit_level_sizes,
)


@given(
    items=st.integers(1, 3_000_000),
    leaf_capacity=st.integers(2, 64),
    headroom=st.floats(0, 0.49),
)
def test_derived_leaves_hold_all_items_and_none_is_empty(items, leaf_capacity, headroom):
    shape = TreeShape(level_sizes=None, leaf_capacity=leaf_capacity, headroom=headroom)
    assume(shape.leaf_fill > 1 or items <= WIDEST_ONLY_LEVEL)
    sizes = fit_level_sizes(shape, items)
    leaves = math.prod(sizes)
    assert leaves <= items
    assert max(sizes) <= (WIDEST_LEVEL if shape.leaf_fill > 1 else WIDEST_ONLY_LEVEL)
    assert -(-items // leaves) <= shape.leaf_fill <= leaf_capacity * (1 - headroom) + 1e-6


@pytest.mark.parametrize(
    ("items", "expected"),
    [(1, (1,)), (12, (1,)), (40, (2, 2)), (12_101, (32, 32)), (1_000_000, (44, 44, 44))],
)
def test_derived_sizes(items, expected):
    shape = TreeShape(level_sizes=None, leaf_capacity=16, headroom=0.25)
    assert fit_level_sizes(shape, items) == expected


def test_the_papers_sizes_are_taken_as_given():
    shape = TreeShape(level_sizes=(300, 100, 50), leaf_capacity=10, headroom=0)
    assert fit_level_sizes(shape, 10_000_000) == (300, 100, 50)


@pytest.mark.parametrize(
    ("level_sizes", "leaf_capacity", "headroom", "items", "message"),
    [
        ((4, 4), 8, 0.0, 15, "fewer items than codes"),
        ((4, 0), 8, 0.0, 15, "fewer items than codes"),
        ((), 8, 0.0, 15, "fewer items than codes"),
        ((2, 2), 4, 0.0, 17, "too small for the items"),
        ((2, 2), 4, 0.5, 9, "too small for the items"),
        (None, 2, 0.9, 9, "no room for an item"),
        (None, 2, 0.25, 12_101, "leaves of one item"),
    ],
)
def test_shapes_the_items_do_not_fit(level_sizes, leaf_capacity, headroom, items, message):
    shape = TreeShape(level_sizes=level_sizes, leaf_capacity=leaf_capacity, headroom=headroom)
    with pytest.raises(DataError, match=message):
        fit_level_sizes(shape, items)
