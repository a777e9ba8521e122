"""Losses against reference implementations in loops."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from grove.nn.losses import (
    NO_TARGET,
    candidate_softmax_loss,
    in_batch_softmax_loss,
    log_popularity,
    sampling_correction,
    window_softmax_loss,
)


def reference_in_batch_softmax_loss(
    users: Tensor,
    items_of: Tensor,
    items: list[int],
    log_frequency: list[float],
    temperature: float,
) -> list[float]:
    losses = []
    for row, user in enumerate(users):
        scores = {}
        for column, item in enumerate(items_of):
            if column == row or items[column] != items[row]:
                score = float(user @ item) / temperature - log_frequency[column]
                scores[column] = math.exp(score)
        losses.append(-math.log(scores[row] / sum(scores.values())))
    return losses


def reference_log_share(state: Tensor, candidates: Tensor, bias: Tensor, target: int) -> float:
    pairs = zip(candidates, bias, strict=True)
    scores = [math.exp(float(state @ item) + float(extra)) for item, extra in pairs]
    return math.log(scores[target] / sum(scores))


@pytest.fixture
def random() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_in_batch_loss_equals_its_reference(random):
    users = torch.randn(6, 4, generator=random, dtype=torch.float64)
    vectors = torch.randn(6, 4, generator=random, dtype=torch.float64)
    items = [3, 8, 3, 1, 8, 2]
    frequency = [math.log((item + 1) / 20) for item in items]
    found = in_batch_softmax_loss(
        users,
        vectors,
        items=torch.tensor(items),
        log_frequency=torch.tensor(frequency, dtype=torch.float64),
        temperature=0.3,
    )
    expected = reference_in_batch_softmax_loss(users, vectors, items, frequency, 0.3)
    assert found.tolist() == pytest.approx(expected, rel=1e-10)


def test_in_batch_loss_of_one_item_only_is_zero():
    one = torch.eye(3)[:1].repeat(3, 1)
    loss = in_batch_softmax_loss(
        one, one, items=torch.full((3,), 4), log_frequency=torch.zeros(3), temperature=1.0
    )
    assert loss.tolist() == [0.0, 0.0, 0.0]


def test_candidate_loss_equals_its_reference(random):
    states = torch.randn(5, 3, generator=random, dtype=torch.float64)
    candidates = torch.randn(7, 3, generator=random, dtype=torch.float64)
    bias = torch.randn(7, generator=random, dtype=torch.float64)
    targets = [0, 6, 2, 2, 5]
    found = candidate_softmax_loss(states, candidates, targets=torch.tensor(targets), bias=bias)
    expected = [
        -reference_log_share(state, candidates, bias, target)
        for state, target in zip(states, targets, strict=True)
    ]
    assert found.tolist() == pytest.approx(expected, rel=1e-10)


def test_window_loss_is_the_mean_over_present_targets(random):
    states = torch.randn(3, 3, generator=random, dtype=torch.float64)
    candidates = torch.randn(5, 3, generator=random, dtype=torch.float64)
    bias = torch.zeros(5, dtype=torch.float64)
    windows = [[1, 4], [2, NO_TARGET], [NO_TARGET, NO_TARGET]]
    found = window_softmax_loss(states, candidates, targets=torch.tensor(windows), bias=bias)
    expected = []
    for state, window in zip(states, windows, strict=True):
        present = [target for target in window if target != NO_TARGET]
        losses = [-reference_log_share(state, candidates, bias, target) for target in present]
        expected.append(sum(losses) / max(len(present), 1))
    assert found.tolist() == pytest.approx(expected, rel=1e-10)


def test_log_popularity_is_a_distribution_in_which_an_unseen_item_has_a_share():
    shares = log_popularity(torch.tensor([3, 0, 5])).exp()
    assert shares.tolist() == pytest.approx([4 / 11, 1 / 11, 6 / 11])


def test_popularity_term_raises_the_logit_a_popular_item_needs():
    """With b = −γ log π, equal probabilities need a larger product for the popular item."""
    prior = log_popularity(torch.tensor([98, 0]))
    logits = torch.tensor([2.0, 2.0]) - 1.0 * prior
    assert logits[1] > logits[0]


def test_sampled_denominator_is_unbiased(random):
    """Over many draws, certain candidates plus corrected samples sum to the whole catalogue."""
    scores = torch.randn(100, generator=random, dtype=torch.float64).exp()
    correction = math.exp(sampling_correction(candidates=10, sampled=20, catalogue=100))
    sums = []
    for _ in range(2_000):
        drawn = torch.randperm(90, generator=random)[:20] + 10
        sums.append(scores[:10].sum() + correction * scores[drawn].sum())
    assert torch.stack(sums).mean().item() == pytest.approx(scores.sum().item(), rel=0.01)


def test_correction_is_zero_when_nothing_is_left_to_draw():
    assert sampling_correction(candidates=100, sampled=0, catalogue=100) == 0.0
