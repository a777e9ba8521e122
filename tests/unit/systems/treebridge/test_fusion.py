"""Lists of several trees: each fusion against a reference, with ties and missing items."""

from __future__ import annotations

import math
from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grove.settings.models import TreeBridgeSettings
from grove.systems.treebridge.beam import Candidates
from grove.systems.treebridge.fusion import Fusion, fuse_candidates, rank_candidates

FUSIONS = get_args(Fusion)
POOLS = {"sum": sum, "max": max}


def random_candidates(generator, users, items):
    """Four items per user and tree, some missing; every other draw has ties."""
    rows = np.stack([generator.permutation(items)[:4] for _ in range(users)])
    found = generator.random(rows.shape) < 0.8
    shares = generator.random(rows.shape)
    if generator.random() < 0.5:
        shares = (1 + np.floor(4 * shares)) / 8
    scores = np.where(found, np.log2(shares), -np.inf) * np.log(2)
    return Candidates(torch.from_numpy(np.where(found, rows, -1)), torch.from_numpy(scores))


@st.composite
def candidates_of_trees(draw):
    """Of one to three trees for three users."""
    generator = np.random.default_rng(draw(st.integers(0, 10_000)))
    return [random_candidates(generator, 3, 6) for _ in range(draw(st.integers(1, 3)))]


def items_of(tree, user):
    """Probability by item of one user's candidates."""
    probabilities = tree.log_probabilities.exp()[user].tolist()
    pairs = zip(tree.rows[user].tolist(), probabilities, strict=True)
    return {row: probability for row, probability in pairs if row >= 0}


def reference_ranked(scores):
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))


def reference_totals(trees, user, pool):
    found = [items_of(tree, user) for tree in trees]
    return {row: pool(items.get(row, 0.0) for items in found) for row in set().union(*found)}


def reference_turns(trees, user, k):
    queues = [[row for row, _ in reference_ranked(items_of(tree, user))] for tree in trees]
    taken = []
    for place in range(max(map(len, queues), default=0)):
        for queue in queues:
            if place < len(queue) and queue[place] not in taken:
                taken.append(queue[place])
    return taken[:k]


@settings(max_examples=100)
@given(
    candidates=candidates_of_trees(),
    k=st.integers(1, 12),
    fusion=st.sampled_from(sorted(POOLS)),
)
def test_pooling_against_a_dictionary(candidates, k, fusion):
    rows, scores = fuse_candidates(candidates, k=k, fusion=fusion)
    assert rows.shape == scores.shape == (3, k)
    for user in range(3):
        totals = reference_totals(candidates, user, POOLS[fusion])
        expected = [score for _, score in reference_ranked(totals)][:k]
        listed = rows[user].tolist()[: len(expected)]
        assert rows[user, len(expected) :].tolist() == [-1] * (k - len(expected))
        assert scores[user].tolist() == pytest.approx(
            expected + [0.0] * (k - len(expected)), rel=1e-5
        )
        # Sums of other summands may be equal but for their last bit: no order is asked of these.
        assert len(set(listed)) == len(listed)
        assert [totals[row] for row in listed] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("fusion", sorted(POOLS))
def test_equal_items_are_in_the_order_of_their_rows(fusion):
    trees = [
        Candidates(torch.tensor([rows]), torch.tensor([[0.25, 0.25]]).log())
        for rows in ([4, 2], [3, 1])
    ]
    assert fuse_candidates(trees, k=4, fusion=fusion)[0].tolist() == [[1, 2, 3, 4]]


@settings(max_examples=60)
@given(candidates=candidates_of_trees(), k=st.integers(1, 12))
def test_a_product_against_a_dictionary(candidates, k):
    rows, scores = fuse_candidates(candidates, k=k, fusion="product")
    for user in range(3):
        found = [items_of(tree, user) for tree in candidates]
        total = {
            row: sum(math.log(items[row] / min(items.values())) for items in found if row in items)
            for row in set().union(*found)
        }
        listed = [row for row in rows[user].tolist() if row >= 0]
        assert len(listed) == len(set(listed)) == min(k, len(total))
        # Equal products differ in their last bits, so orders are compared by what they order by.
        best = sorted(total.values(), reverse=True)[:k]
        assert [total[row] for row in listed] == pytest.approx(best, abs=1e-9)
        assert scores[user, : len(best)].tolist() == pytest.approx(best, rel=1e-5, abs=1e-6)


@settings(max_examples=60)
@given(candidates=candidates_of_trees(), k=st.integers(1, 12))
def test_round_robin_against_plain_queues(candidates, k):
    rows, scores = fuse_candidates(candidates, k=k, fusion="round_robin")
    for user in range(3):
        expected = reference_turns(candidates, user, k)
        assert [row for row in rows[user].tolist() if row >= 0] == expected
        places = [1 / place for place in range(1, len(expected) + 1)]
        assert scores[user].tolist() == pytest.approx(places + [0.0] * (k - len(expected)))


@pytest.mark.parametrize("fusion", sorted(POOLS))
def test_ranking_one_tree_is_fusing_it_alone(fusion):
    candidates = random_candidates(np.random.default_rng(3), 5, 9)
    alone = fuse_candidates([candidates], k=6, fusion=fusion)
    for one, other in zip(rank_candidates(candidates, k=6), alone, strict=True):
        assert np.array_equal(one, other)


def test_ties_at_the_end_of_a_list_are_in_the_order_of_their_rows():
    rows = torch.tensor([[9, 4, 7, 1, 8, 2]])
    probabilities = torch.tensor([[0.1, 0.1, 0.4, 0.1, 0.1, 0.2]], dtype=torch.float64)
    ranked, _ = rank_candidates(Candidates(rows, probabilities.log()), k=4)
    assert ranked.tolist() == [[7, 2, 1, 4]]


def test_the_settings_offer_every_fusion():
    assert get_args(TreeBridgeSettings.model_fields["fusion"].annotation) == FUSIONS
    assert TreeBridgeSettings().fusion == "sum"
