"""Metrics against their definitions written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grove.evaluation.metrics import (
    average_precision,
    coverage,
    hit_matrix,
    hit_rate,
    make_targets,
    ndcg,
    recall,
    user_hits,
    user_ndcg,
)


def draw_case(seed):
    generator = np.random.default_rng(seed)
    users, items, places = (int(generator.integers(1, high)) for high in (6, 12, 9))
    lists = np.full((users, places), -1)
    for row in lists:
        length = int(generator.integers(0, min(places, items) + 1))
        row[:length] = generator.permutation(items)[:length]
    pairs = [
        (user, item) for user in range(users) for item in range(items) if generator.random() < 0.2
    ]
    return lists, pairs, items


def reference_figures(lists, pairs, cutoff):
    """(hit, ndcg) of each user with a pair, by loops."""
    figures = []
    for user, row in enumerate(lists.tolist()):
        positives = {item for owner, item in pairs if owner == user}
        if positives:
            gains = [1 / math.log2(place + 2) for place in range(cutoff)]
            reached = [gains[place] for place, item in enumerate(row[:cutoff]) if item in positives]
            figures.append((float(bool(reached)), sum(reached) / sum(gains[: len(positives)])))
    return figures


@settings(max_examples=200)
@given(seed=st.integers(0, 10_000), cutoff=st.integers(1, 12))
def test_hit_rate_and_ndcg_against_loops(seed, cutoff):
    lists, pairs, _ = draw_case(seed)
    targets = make_targets(pairs, len(lists))
    expected = reference_figures(lists, pairs, cutoff)
    assert user_hits(lists, targets, cutoff=cutoff).tolist() == [hit for hit, _ in expected]
    found = user_ndcg(lists, targets, cutoff=cutoff)
    assert found.tolist() == pytest.approx([gain for _, gain in expected])
    assert ((found >= 0) & (found <= 1 + 1e-12)).all()
    if expected:
        assert hit_rate(lists, targets, cutoff=cutoff) == pytest.approx(
            np.mean([hit for hit, _ in expected])
        )


@settings(max_examples=50)
@given(seed=st.integers(0, 10_000))
def test_a_list_with_all_positives_first_has_ndcg_one(seed):
    _, pairs, items = draw_case(seed)
    if not pairs:
        return
    users = max(user for user, _ in pairs) + 1
    lists = np.full((users, items), -1)
    for user in range(users):
        positives = [item for owner, item in pairs if owner == user]
        lists[user, : len(positives)] = positives
    targets = make_targets(pairs, users)
    for cutoff in (1, 3, items):
        assert ndcg(lists, targets, cutoff=cutoff) == pytest.approx(1)


@settings(max_examples=50)
@given(seed=st.integers(0, 10_000))
def test_hit_rate_grows_with_the_cutoff(seed):
    lists, pairs, _ = draw_case(seed)
    targets = make_targets(pairs, len(lists))
    rates = [hit_rate(lists, targets, cutoff=cutoff) for cutoff in range(1, 10)]
    assert rates == sorted(rates)


def test_no_user_to_evaluate_gives_zero_not_nan():
    targets = make_targets([], user_count=2)
    lists = np.array([[0, 1], [1, 0]])
    assert hit_rate(lists, targets, cutoff=2) == 0
    assert ndcg(lists, targets, cutoff=2) == 0
    assert recall(lists, targets, cutoff=2) == 0
    assert average_precision(lists, targets, cutoff=2) == 0
    assert coverage(lists, 0, cutoff=2) == 0


def test_a_segment_evaluates_only_users_with_a_positive_in_it():
    targets = make_targets([(0, 1), (1, 2)], user_count=2)
    new = targets.among(np.array([False, False, True]))
    assert user_hits(np.array([[1, 0], [1, 0]]), new, cutoff=2).tolist() == [0.0]


def test_lists_of_other_users_are_an_error():
    with pytest.raises(ValueError, match="expected lists of 2 users, got 1"):
        hit_matrix(np.array([[1]]), make_targets([(0, 1)], user_count=2))


def test_coverage_counts_items_not_ranks():
    assert coverage(np.array([[0, 1, 2], [0, 3, -1]]), 8, cutoff=2) == 3 / 8


def reference_recall(lists, pairs, cutoff):
    """Positives in their user's list over all positives, by loops."""
    found = [item in lists[user, :cutoff].tolist() for user, item in pairs]
    return sum(found) / max(len(pairs), 1)


def reference_average_precision(lists, pairs, cutoff):
    """Mean over users of the precision at every hit, by loops."""
    values = []
    for user, row in enumerate(lists[:, :cutoff].tolist()):
        positives = {item for owner, item in pairs if owner == user}
        hits, total = 0, 0.0
        for rank, item in enumerate(row, start=1):
            if item in positives:
                hits += 1
                total += hits / rank
        if positives:
            values.append(total / min(len(positives), cutoff))
    return sum(values) / max(len(values), 1)


@settings(max_examples=200)
@given(seed=st.integers(0, 10_000), cutoff=st.integers(1, 12))
def test_recall_and_average_precision_against_loops(seed, cutoff):
    lists, pairs, _ = draw_case(seed)
    targets = make_targets(pairs, len(lists))
    assert recall(lists, targets, cutoff=cutoff) == pytest.approx(
        reference_recall(lists, pairs, cutoff)
    )
    assert average_precision(lists, targets, cutoff=cutoff) == pytest.approx(
        reference_average_precision(lists, pairs, cutoff)
    )


@settings(max_examples=50)
@given(seed=st.integers(0, 10_000), cutoff=st.integers(1, 12))
def test_recall_equals_the_hit_rate_where_every_user_has_one_positive(seed, cutoff):
    lists, _, items = draw_case(seed)
    draw = np.random.default_rng(seed).integers(items, size=len(lists)).tolist()
    targets = make_targets(list(enumerate(draw)), len(lists))
    assert recall(lists, targets, cutoff=cutoff) == pytest.approx(
        hit_rate(lists, targets, cutoff=cutoff)
    )


def test_recall_weighs_users_by_their_positives():
    lists = np.array([[0, 1, 2], [5, 6, 7]])
    targets = make_targets([(0, 0), (0, 1), (0, 2), (1, 9)], user_count=2)
    assert recall(lists, targets, cutoff=3) == 3 / 4
    assert hit_rate(lists, targets, cutoff=3) == 1 / 2


def test_average_precision_equals_that_of_the_competition():
    lists = np.array([[3, 1, 2, 0], [0, 1, 2, 3], [2, 0, 1, 3]])
    one = make_targets([(0, 3), (1, 2), (2, 3)], 3)
    assert average_precision(lists, one, cutoff=3) == pytest.approx((1 + 1 / 3 + 0) / 3)
    more = make_targets([(0, 1), (0, 0), (2, 2), (2, 0)], 3)
    expected = ((1 / 2 + 2 / 4) / 2 + (1 / 1 + 2 / 2) / 2) / 2
    assert average_precision(lists, more, cutoff=4) == pytest.approx(expected)
    assert average_precision(lists, more, cutoff=1) == pytest.approx((0 + 1) / 2)
    assert average_precision(lists, make_targets([], 3), cutoff=3) == 0.0
