"""Round robin against a reference implementation."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from grove.inference.interleave import round_robin

LISTS = st.lists(st.lists(st.integers(0, 9), unique=True, max_size=6), min_size=1, max_size=3)


def reference_round_robin(lists: list[list[int]], k: int) -> list[int]:
    fused: list[int] = []
    for turn in range(max(map(len, lists))):
        for items in lists:
            if turn < len(items) and items[turn] not in (-1, *fused):
                fused.append(items[turn])
    return (fused + [-1] * k)[:k]


@given(lists=LISTS, k=st.integers(1, 12))
def test_round_robin_equals_its_reference(lists, k):
    padded = [np.array([items + [-1] * (6 - len(items))]) for items in lists]
    assert round_robin(padded, k).tolist() == [reference_round_robin(lists, k)]


def test_users_do_not_mix():
    first = np.array([[1, 2], [3, -1]])
    second = np.array([[2, 4], [3, 5]])
    assert round_robin([first, second], 3).tolist() == [[1, 2, 4], [3, 5, -1]]
