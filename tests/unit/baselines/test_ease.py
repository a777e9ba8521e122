"""EASE^R against the regressions it solves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from grove.baselines import ease as item_model
from grove.baselines.ease import ease_weights, history_matrix
from grove.errors import DataError


def draw_interactions(seed, users=30, items=9):
    generator = np.random.default_rng(seed)
    return (generator.random((users, items)) < 0.3).astype(np.float64)


def reference_ease_weights(interactions, ridge):
    """Each item regressed on all others, one by one, in double precision."""
    items = interactions.shape[1]
    weights = np.zeros((items, items))
    for item in range(items):
        others = [other for other in range(items) if other != item]
        inputs = interactions[:, others]
        gram = inputs.T @ inputs + ridge * np.eye(len(others))
        weights[others, item] = np.linalg.solve(gram, inputs.T @ interactions[:, item])
    return weights


@settings(max_examples=50)
@given(seed=st.integers(0, 10_000), ridge=st.sampled_from([0.5, 10.0, 300.0]))
def test_weights_are_those_of_the_regressions(seed, ridge):
    interactions = draw_interactions(seed)
    found = ease_weights(csr_matrix(interactions), ridge=ridge)
    assert found.dtype == np.float32
    assert (np.diagonal(found) == 0).all()
    assert np.allclose(found, reference_ease_weights(interactions, ridge), atol=1e-4)


@pytest.mark.parametrize("piece", [1, 4, 9, 100])
def test_pieces_change_nothing(monkeypatch, piece):
    interactions = draw_interactions(1)
    monkeypatch.setattr(item_model, "COLUMNS_PER_PIECE", piece)
    found = ease_weights(csr_matrix(interactions), ridge=5.0)
    assert np.allclose(found, reference_ease_weights(interactions, 5.0), atol=1e-4)
    assert found.flags.c_contiguous  # a sparse product would copy it otherwise


def test_only_whether_a_user_interacted_with_an_item_counts():
    once = csr_matrix(draw_interactions(2))
    twice = once * 3
    rows, columns = once.nonzero()
    pairs = (np.tile(rows, 2), np.tile(columns, 2))
    repeated = csr_matrix((np.ones(2 * len(rows)), pairs), shape=once.shape)
    expected = ease_weights(once, ridge=2.0)
    assert np.array_equal(ease_weights(twice, ridge=2.0), expected)
    assert np.array_equal(ease_weights(repeated, ridge=2.0), expected)
    assert twice.max() == 3  # the argument is not modified


def test_an_item_without_interactions_has_weight_zero():
    interactions = draw_interactions(3)
    interactions[:, 4] = 0
    weights = ease_weights(csr_matrix(interactions), ridge=2.0)
    assert np.allclose(weights[4], 0, atol=1e-6)
    assert np.allclose(weights[:, 4], 0, atol=1e-6)


def test_too_many_items_are_rejected_with_the_memory_they_would_take():
    with pytest.raises(DataError, match=r"20,000 items, 1\.5 GiB\n.*50,000 items.* 9\.3 GiB"):
        ease_weights(csr_matrix((3, 50_000)), ridge=1.0)


def test_a_matrix_that_cannot_be_inverted_is_an_error():
    with pytest.raises(DataError, match=r"ridge=0\.0\n.*larger ridge"):
        ease_weights(csr_matrix((3, 4)), ridge=0.0)


def reference_history_row(items, item_count, newest):
    known = [item for item in items if item >= 0]
    kept = known if newest is None else known[::-1][:newest]
    return [float(item in kept) for item in range(item_count)]


@settings(max_examples=100)
@given(
    histories=st.lists(st.lists(st.integers(-1, 6), max_size=12), max_size=5),
    newest=st.one_of(st.none(), st.integers(0, 8)),
)
def test_history_matrix_against_membership(histories, newest):
    arrays = [np.array(items, dtype=np.int64) for items in histories]
    found = history_matrix(arrays, 7, newest=newest)
    assert found.shape == (len(histories), 7)
    assert found.toarray().tolist() == [
        reference_history_row(items, 7, newest) for items in histories
    ]


def test_items_that_occur_together_are_ranked_first():
    """Items 2k and 2k + 1 always occur together."""
    generator = np.random.default_rng(5)
    pairs = generator.integers(0, 10, (300, 3))
    histories = [np.concatenate([2 * row, 2 * row + 1]) for row in pairs]
    weights = ease_weights(history_matrix(histories, 20), ridge=10.0)
    asked = [np.array([item]) for item in range(20)]
    scores = history_matrix(asked, 20) @ weights  # [20, 20]
    assert scores.argmax(axis=1).tolist() == [item ^ 1 for item in range(20)]
