"""Exact top K against a reference implementation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from grove.inference import top_k as ranking
from grove.inference.products import NO_ITEM
from grove.inference.top_k import top_k


def reference_top_k(users, items, k, excluded=None, eligible=None) -> list[list[int]]:
    lists = []
    for row, user in enumerate(users):
        allowed = [
            item
            for item in range(len(items))
            if (eligible is None or eligible[item])
            and (excluded is None or item not in excluded[row])
        ]
        ranked = sorted(allowed, key=lambda item: (-float(user @ items[item]), item))[:k]
        lists.append(ranked + [NO_ITEM] * (k - len(ranked)))
    return lists


@given(
    seed=st.integers(0, 1_000),
    users=st.integers(0, 7),
    items=st.integers(1, 12),
    k=st.integers(1, 15),
    filtered=st.booleans(),
    sparse=st.booleans(),
)
def test_top_k_equals_its_reference(seed, users, items, k, filtered, sparse):
    random = np.random.default_rng(seed)
    user_vectors = random.integers(-2, 3, (users, 2)).astype(np.float32)  # many equal scores
    item_vectors = random.integers(-2, 3, (items, 2)).astype(np.float32)
    eligible = random.random(items) < 0.7 if filtered else None
    excluded = (
        [np.flatnonzero(random.random(items) < 0.3) for _ in range(users)] if filtered else None
    )
    asked = csr_matrix(user_vectors) if sparse else user_vectors
    found = top_k(asked, item_vectors, k=k, excluded=excluded, eligible=eligible)
    assert found.shape == (users, k)
    assert found.tolist() == reference_top_k(user_vectors, item_vectors, k, excluded, eligible)


def test_pieces_give_the_same_lists(monkeypatch: pytest.MonkeyPatch):
    random = np.random.default_rng(0)
    users, items = random.normal(size=(10, 4)), random.normal(size=(20, 4))
    excluded = [np.array([row]) for row in range(10)]
    whole = top_k(users, items, k=5, excluded=excluded)
    monkeypatch.setattr(ranking, "USERS_PER_PIECE", 3)
    assert top_k(users, items, k=5, excluded=excluded).tolist() == whole.tolist()
