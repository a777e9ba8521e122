"""STARS' loss against one written out position by position, with γ, λ_gen and a window."""

from __future__ import annotations

import math

import pytest
import torch
from tests.unit.training.objective_case import ITEMS, all_vectors, randomise, read_case, rows_of

from grove.systems.stars.network import Stars
from grove.systems.stars.objective import stars_objective
from grove.training.sampling import sample_cuts

GAMMA, LAMBDA, CUTS, LATER = 0.4, 0.7, 2, 3


@pytest.fixture
def case(tmp_path):
    options = {"popularity_gamma": GAMMA, "generation_weight": LAMBDA}
    inputs, batch = read_case(tmp_path, cuts=CUTS, later_events=LATER, **options)
    width = inputs.features.text.shape[1]
    model = randomise(Stars(8, 1, heads=2, text_width=width, rows=inputs.rows))
    return stars_objective(model, inputs), batch


def bias_of(rows, item):
    """b = −γ log π of equation 2, π the smoothed share of all events."""
    events = [row for walk in rows for row in walk]
    return -GAMMA * math.log((events.count(item) + 1) / (len(events) + ITEMS))


def entropy(state, vectors, rows, positive):
    """−log P(positive) among all items, equations 1 and 4."""
    scores = [float(state @ vectors[item]) + bias_of(rows, item) for item in range(1, ITEMS + 1)]
    return math.log(sum(map(math.exp, scores))) - scores[positive - 1]


@torch.no_grad()
def reference_loss(objective, batch):
    """Sum over next items, plus λ_gen times the mean over windows in units of a next item."""
    rows = rows_of(batch)
    cuts, chosen = sample_cuts(batch, most=CUTS, window=LATER)
    vectors = all_vectors(objective.model.items, objective.inputs)
    users = objective.model(batch, vectors[batch.item_rows], cuts)
    following = [
        entropy(users.h_next[user, at], vectors, rows, walk[at + 1])
        for user, walk in enumerate(rows)
        for at in range(len(walk) - 1)
    ]
    windows = []
    for user, number in chosen.nonzero().tolist():
        cut = int(cuts[user, number])
        window = rows[user][cut + 1 : cut + 1 + LATER]
        losses = [entropy(users.h_gen[user, number], vectors, rows, item) for item in window]
        windows.append(sum(losses) / len(losses))
    mean = sum(windows) / len(windows)
    return sum(following) + LAMBDA * len(following) * mean, len(following)


@pytest.mark.parametrize("seed", range(4))
def test_the_loss_equals_its_reference_implementation(case, seed):
    objective, batch = case
    torch.manual_seed(seed)
    expected, predictions = reference_loss(objective, batch)
    torch.manual_seed(seed)
    loss, count = objective(batch)
    assert count.item() == predictions
    assert loss.item() == pytest.approx(expected, rel=1e-4)


def test_the_popularity_term_changes_the_loss(case):
    objective, batch = case
    assert (objective.bias > 0).all()  # −log of a share
    assert objective.bias.argmin() == 1  # item001 is the most popular
    torch.manual_seed(0)
    assert objective(batch)[0].item() > 0
