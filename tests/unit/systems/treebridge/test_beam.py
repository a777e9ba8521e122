"""The beam equals exhaustive scoring, and filters never shorten a user's list."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.benchmarks.exhaustive import exhaustive_search
from tests.unit.systems.treebridge.random_tree import TableScorer, draw_case

from grove.systems.treebridge.beam import beam_search
from grove.systems.treebridge.fusion import rank_candidates
from grove.systems.treebridge.search_tree import eligible_items, live_items


def live_for(tree, eligible, excluded):
    return live_items(tree, eligible_items(tree, eligible), excluded)


def allowed_items(tree, eligible, excluded):
    placed = tree.item_nodes[0] >= 0
    return set(np.flatnonzero(placed & eligible).tolist()) - set(excluded.tolist())


def found_of(candidates, user):
    pairs = zip(
        candidates.rows[user].tolist(), candidates.log_probabilities[user].tolist(), strict=True
    )
    return {row: score for row, score in pairs if row >= 0}


def softmax_share(scores, columns, column):
    weights = {other: scores[other].double().exp().item() for other in columns}
    return weights[column] / sum(weights.values())


def reference_log_probability(scorer, tree, user, item):
    """log P(item) by walking its path, every softmax written out."""
    total, parent = 0.0, 0
    for level, codes in enumerate(tree.codes):
        children = codes[slice(*tree.child_start[level][parent : parent + 2])].tolist()
        node = tree.item_nodes[level, item]
        scores = scorer.level_scores[level][user, parent]
        total += np.log(softmax_share(scores, children, int(codes[node])))
        parent = node
    siblings = [row for row in tree.leaf_items[parent].tolist() if row >= 0]
    return total + np.log(softmax_share(scorer.item_scores[user], siblings, item))


def reference_leaves(scorer, tree, wanted, user, *, beam, minimum):
    """Leaves that one user's beam search with plain lists keeps."""
    frontier = [(0.0, 0)]
    for level, codes in enumerate(tree.codes):
        reached = []
        for total, parent in frontier:
            children = list(range(*tree.child_start[level][parent : parent + 2]))
            columns = [int(codes[child]) for child in children]
            scores = scorer.level_scores[level][user, parent]
            for child, column in zip(children, columns, strict=True):
                below = len(wanted & set(np.flatnonzero(tree.item_nodes[level] == child).tolist()))
                if below:
                    share = softmax_share(scores, columns, column)
                    reached.append((total + np.log(share), child, below))
        frontier, items = [], 0
        for place, (total, child, below) in enumerate(sorted(reached, reverse=True)):
            if place < beam or items < minimum:
                frontier.append((total, child))
                items += below
    return {leaf for _, leaf in frontier}


@settings(max_examples=60)
@given(seed=st.integers(0, 10_000))
def test_a_beam_as_wide_as_the_tree_is_exhaustive(seed):
    tree, scorer, eligible, excluded = draw_case(seed)
    live = live_for(scorer.tree, eligible, excluded)
    candidates = beam_search(scorer, scorer.tree, live, beam=500, minimum=1)
    for user, taken in enumerate(excluded):
        found = found_of(candidates, user)
        assert set(found) == allowed_items(tree, eligible, taken)
        for item, score in found.items():
            expected = reference_log_probability(scorer, tree, user, item)
            assert score == pytest.approx(expected, abs=1e-4)


@settings(max_examples=60)
@given(seed=st.integers(0, 10_000), beam=st.integers(1, 4), minimum=st.integers(1, 12))
def test_filters_never_leave_fewer_items_than_requested(seed, beam, minimum):
    tree, scorer, eligible, excluded = draw_case(seed)
    live = live_for(scorer.tree, eligible, excluded)
    candidates = beam_search(scorer, scorer.tree, live, beam=beam, minimum=minimum)
    for user, taken in enumerate(excluded):
        wanted = allowed_items(tree, eligible, taken)
        rows = [row for row in candidates.rows[user].tolist() if row >= 0]
        assert set(rows) <= wanted
        assert len(rows) == len(set(rows))
        assert len(rows) >= min(minimum, len(wanted))


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), beam=st.integers(1, 4), minimum=st.integers(1, 6))
def test_a_narrow_beam_keeps_what_the_plain_search_keeps(seed, beam, minimum):
    tree, scorer, eligible, excluded = draw_case(seed)
    live = live_for(scorer.tree, eligible, excluded)
    candidates = beam_search(scorer, scorer.tree, live, beam=beam, minimum=minimum)
    for user, taken in enumerate(excluded):
        wanted = allowed_items(tree, eligible, taken)
        leaves = reference_leaves(scorer, tree, wanted, user, beam=beam, minimum=minimum)
        expected = {item for item in wanted if tree.item_nodes[-1, item] in leaves}
        assert set(found_of(candidates, user)) == expected


@settings(max_examples=60)
@given(seed=st.integers(0, 10_000), k=st.integers(1, 12))
def test_a_beam_as_wide_as_the_tree_equals_scoring_every_leaf(seed, k):
    _, scorer, _, excluded = draw_case(seed)
    nothing_excluded = [np.zeros(0, dtype=np.int64)] * len(excluded)
    live = live_items(scorer.tree, scorer.tree.placed, nothing_excluded)
    wide = beam_search(scorer, scorer.tree, live, beam=500, minimum=k)
    every = exhaustive_search(scorer, scorer.tree, k=k)
    found, best = rank_candidates(wide, k=k), rank_candidates(every, k=k)
    assert np.array_equal(found[0], best[0])
    assert np.allclose(found[1], best[1], atol=1e-6)


def test_users_do_not_change_each_other():
    _, scorer, eligible, _ = draw_case(11)
    users = len(scorer.item_scores)
    assert users > 1
    nothing_excluded = [np.zeros(0, dtype=np.int64)] * users
    live = live_for(scorer.tree, eligible, nothing_excluded)
    together = beam_search(scorer, scorer.tree, live, beam=2, minimum=2)
    for user in range(users):
        only = slice(user, user + 1)
        alone = TableScorer(
            scorer.tree, [scores[only] for scores in scorer.level_scores], scorer.item_scores[only]
        )
        live = live_for(scorer.tree, eligible, nothing_excluded[:1])
        found = beam_search(alone, scorer.tree, live, beam=2, minimum=2)
        assert found_of(found, 0) == found_of(together, user)


def test_an_empty_shop_gives_no_candidates():
    _, scorer, eligible, excluded = draw_case(5)
    live = live_for(scorer.tree, np.zeros_like(eligible), excluded)
    candidates = beam_search(scorer, scorer.tree, live, beam=3, minimum=3)
    assert (candidates.rows == -1).all()
