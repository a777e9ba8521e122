"""Candidates weighted by the item's own score, against a reference implementation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grove.systems.treebridge import item_scores
from grove.systems.treebridge.beam import Candidates
from grove.systems.treebridge.item_scores import weigh_items

ITEMS, WIDTH, KEYWORD = 9, 4, 3
VECTORS = torch.randn(ITEMS + 1, WIDTH, generator=torch.Generator().manual_seed(1))
VECTORS[0] = 0


def trees_of(seed: int, users: int) -> dict[str, Candidates]:
    """Two trees' candidates, the last one of each user missing."""
    generator = torch.Generator().manual_seed(seed)
    trees = {}
    for name, count in {"llm": 6, "cf": 4}.items():
        rows = torch.stack(
            [torch.randperm(ITEMS, generator=generator)[:count] for _ in range(users)]
        )
        logs = torch.randn(users, count, generator=generator).log_softmax(dim=1)
        rows[:, -1], logs[:, -1] = -1, -math.inf
        trees[name] = Candidates(rows, logs)
    return trees


@given(seed=st.integers(0, 1_000), users=st.integers(1, 5))
def test_a_score_is_the_probability_times_the_own_score(seed, users):
    trees = trees_of(seed, users)
    states = torch.randn(users, WIDTH, generator=torch.Generator().manual_seed(seed))
    found = weigh_items(
        trees, states=states, keywords=torch.zeros(users, KEYWORD), item_vectors=VECTORS
    )
    for user in range(users):
        ratios = []
        for name, before in trees.items():
            after = found[name]
            assert torch.equal(after.rows, before.rows)
            assert math.isinf(float(after.log_probabilities[user, -1]))
            for place, row in enumerate(before.rows[user, :-1].tolist()):
                weight = float(before.log_probabilities[user, place])
                weight += float(states[user].double() @ VECTORS[row + 1].double())
                ratios.append(float(after.log_probabilities[user, place]) - weight)
        # One number per user divides them all, whatever the tree.
        assert np.allclose(ratios, ratios[0], atol=1e-4)


def test_with_a_keyword_candidates_keep_the_scores_of_the_trees():
    trees, keywords = trees_of(1, 2), torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.5, 0.0]])
    found = weigh_items(trees, states=torch.ones(2, WIDTH), keywords=keywords, item_vectors=VECTORS)
    for name, before in trees.items():
        assert torch.equal(found[name].log_probabilities[1], before.log_probabilities[1])
        assert not torch.equal(found[name].log_probabilities[0], before.log_probabilities[0])


@pytest.mark.parametrize("users", [0, 7])
def test_users_in_pieces_have_the_same_scores(users, monkeypatch):
    trees, states = trees_of(2, 7), torch.randn(7, WIDTH)
    trees = {
        name: Candidates(one.rows[:users], one.log_probabilities[:users])
        for name, one in trees.items()
    }
    asked = {"states": states[:users], "keywords": torch.zeros(users, 1), "item_vectors": VECTORS}
    together = weigh_items(trees, **asked)
    monkeypatch.setattr(item_scores, "CANDIDATES_AT_ONCE", 13)
    for name, piecewise in weigh_items(trees, **asked).items():
        expected = together[name].log_probabilities
        assert torch.allclose(piecewise.log_probabilities, expected, atol=1e-6)
        assert len(expected) == users
