"""The beam finds what exhaustive scoring finds, and filters never starve a user."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grove.features.code_tree import build_code_tree
from grove.inference.beam import beam_search, live_items, search_tree

CAPACITY = 3


@dataclass(frozen=True)
class TableScorer:
    """Scores that depend on user, level and node, drawn once; a step is the paths' nodes."""

    tree: object
    level_scores: list
    item_scores: torch.Tensor

    def start(self):
        return torch.zeros(len(self.item_scores), 1, dtype=torch.int64)

    def code_scores(self, step, level):
        users = torch.arange(len(step))[:, None]
        return self.level_scores[level][users, step]

    def follow(self, step, level, paths, codes):
        parents = step.gather(1, paths)
        followed = torch.zeros_like(parents)
        for place, parent in np.ndenumerate(parents.numpy()):
            first, last = self.tree.child_start[level][parent : parent + 2].tolist()
            children = self.tree.codes[level][first:last].tolist()
            code = int(codes[place])  # a path that is not kept may ask for a missing child
            followed[place] = first + (children.index(code) if code in children else 0)
        return followed

    def leaf_scores(self, step, leaf_items):
        users = torch.arange(len(step))[:, None, None]
        return self.item_scores[users, leaf_items.clamp_min(0)]


def draw_case(seed):
    """A random tree (some items without a path), scorer, eligible items, and items taken."""
    generator = np.random.default_rng(seed)
    sizes = tuple(generator.integers(1, 5, size=generator.integers(1, 4)).tolist())
    places = np.array(list(np.ndindex(*sizes, CAPACITY)))
    items, users = int(generator.integers(1, len(places) + 1)), int(generator.integers(1, 4))
    chosen = places[generator.permutation(len(places))[:items]]
    paths = np.where(generator.random((items, 1)) < 0.1, -1, chosen[:, :-1])
    paths[0] = chosen[0, :-1]
    tree = build_code_tree(paths, chosen[:, -1], capacity=CAPACITY)
    torch.manual_seed(seed)
    above = [1, *(len(codes) for codes in tree.codes)]
    scores = [torch.randn(users, above[level], size) for level, size in enumerate(sizes)]
    scorer = TableScorer(search_tree(tree), scores, torch.randn(users, items))
    eligible = generator.random(items) < generator.choice([0.2, 0.7, 1.0])
    excluded = [
        np.flatnonzero(generator.random(items) < generator.choice([0.0, 0.3, 0.9]))
        for _ in range(users)
    ]
    return tree, scorer, eligible, excluded


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


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_beam_as_wide_as_the_tree_is_exhaustive(seed):
    tree, scorer, eligible, excluded = draw_case(seed)
    live = live_items(scorer.tree, eligible, excluded)
    candidates = beam_search(scorer, scorer.tree, live, beam=500, minimum=1)
    for user, taken in enumerate(excluded):
        found = found_of(candidates, user)
        assert set(found) == allowed_items(tree, eligible, taken)
        for item, score in found.items():
            expected = reference_log_probability(scorer, tree, user, item)
            assert score == pytest.approx(expected, abs=1e-4)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), beam=st.integers(1, 4), minimum=st.integers(1, 12))
def test_filters_never_leave_fewer_than_asked_for(seed, beam, minimum):
    tree, scorer, eligible, excluded = draw_case(seed)
    live = live_items(scorer.tree, eligible, excluded)
    candidates = beam_search(scorer, scorer.tree, live, beam=beam, minimum=minimum)
    for user, taken in enumerate(excluded):
        wanted = allowed_items(tree, eligible, taken)
        rows = [row for row in candidates.rows[user].tolist() if row >= 0]
        assert set(rows) <= wanted
        assert len(rows) == len(set(rows))
        assert len(rows) >= min(minimum, len(wanted))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), beam=st.integers(1, 4), minimum=st.integers(1, 6))
def test_a_narrow_beam_keeps_what_the_plain_search_keeps(seed, beam, minimum):
    tree, scorer, eligible, excluded = draw_case(seed)
    live = live_items(scorer.tree, eligible, excluded)
    candidates = beam_search(scorer, scorer.tree, live, beam=beam, minimum=minimum)
    for user, taken in enumerate(excluded):
        wanted = allowed_items(tree, eligible, taken)
        leaves = reference_leaves(scorer, tree, wanted, user, beam=beam, minimum=minimum)
        expected = {item for item in wanted if tree.item_nodes[-1, item] in leaves}
        assert set(found_of(candidates, user)) == expected


def test_users_do_not_change_each_other():
    _, scorer, eligible, _ = draw_case(11)
    users = len(scorer.item_scores)
    assert users > 1
    nobody = [np.zeros(0, dtype=np.int64)] * users
    live = live_items(scorer.tree, eligible, nobody)
    together = beam_search(scorer, scorer.tree, live, beam=2, minimum=2)
    for user in range(users):
        only = slice(user, user + 1)
        alone = TableScorer(
            scorer.tree, [scores[only] for scores in scorer.level_scores], scorer.item_scores[only]
        )
        live = live_items(scorer.tree, eligible, nobody[:1])
        found = beam_search(alone, scorer.tree, live, beam=2, minimum=2)
        assert found_of(found, 0) == found_of(together, user)


def test_nobody_gets_anything_from_an_empty_shop():
    _, scorer, eligible, excluded = draw_case(5)
    live = live_items(scorer.tree, np.zeros_like(eligible), excluded)
    candidates = beam_search(scorer, scorer.tree, live, beam=3, minimum=3)
    assert (candidates.rows == -1).all()
