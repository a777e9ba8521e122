"""DSSM's loss against one written out pair by pair, with event weights that differ from 1."""

from __future__ import annotations

import math

import pytest
import torch
from tests.unit.training.objective_case import (
    KINDS,
    all_vectors,
    randomise,
    read_case,
    rows_of,
)

from grove.systems.dssm.network import Dssm
from grove.systems.dssm.objective import dssm_objective
from grove.training.sampling import pick_one, sample_cuts

WEIGHTS = {"cart": 3.0, "order": 7.0}
TEMPERATURE, CUTS, LATER = 0.5, 2, 3


@pytest.fixture
def case(tmp_path):
    options = {"temperature": TEMPERATURE, "cuts": CUTS, "later_events": LATER}
    inputs, batch = read_case(tmp_path, event_weights=WEIGHTS, **options)
    width = inputs.features.text.shape[1]
    model = randomise(Dssm(8, inputs.spec.max_events, text_width=width, rows=inputs.rows))
    return dssm_objective(model, inputs), batch


def drawn_pairs(batch):
    """User, cut and position of the positive, of every pair: the draws of the objective."""
    rows = rows_of(batch)
    cuts, chosen = sample_cuts(batch, most=CUTS, window=LATER)
    places = [(user, int(cuts[user, at])) for user, at in chosen.nonzero().tolist()]
    windows = [rows[user][cut + 1 : cut + 1 + LATER] for user, cut in places]
    padded = torch.tensor([window + [0] * (LATER - len(window)) for window in windows])
    picked = pick_one(padded).tolist()
    return [(user, cut, cut + 1 + at) for (user, cut), at in zip(places, picked, strict=True)]


def log_share(rows, item):
    """Smoothed share of the item among all events."""
    events = [row for walk in rows for row in walk]
    return math.log((events.count(item) + 1) / (len(events) + 12))


def weight_of(rows, user, position):
    """Largest weight among the user's events with the same item."""
    same = [at for at, row in enumerate(rows[user]) if row == rows[user][position]]
    return max(WEIGHTS.get(KINDS[user][at], 1.0) for at in same)


@torch.no_grad()
def reference_loss(objective, batch):
    rows, pairs = rows_of(batch), drawn_pairs(batch)
    vectors = all_vectors(objective.model.items, objective.inputs)
    total, weights = 0.0, 0.0
    for user, cut, position in pairs:
        cuts = torch.full((len(rows), 1), cut)
        state = objective.model.users(batch, vectors[batch.item_rows], cuts)[user, 0]
        own = rows[user][position]
        others = [rows[one][at] for one, _, at in pairs if rows[one][at] != own]
        scores = {
            item: float(state @ vectors[item]) / TEMPERATURE - log_share(rows, item)
            for item in {own, *others}
        }
        denominator = sum(math.exp(scores[item]) for item in [own, *others])
        weight = weight_of(rows, user, position)
        total += weight * (math.log(denominator) - scores[own])
        weights += weight
    return total, weights


@pytest.mark.parametrize("seed", range(4))
def test_the_loss_equals_its_reference_implementation(case, seed):
    objective, batch = case
    torch.manual_seed(seed)
    expected, weights = reference_loss(objective, batch)
    torch.manual_seed(seed)
    loss, weight = objective(batch)
    assert weight.item() == pytest.approx(weights)
    assert loss.item() == pytest.approx(expected, rel=1e-4)
    assert weights > len(drawn_pairs(batch))  # some weight differs from 1
