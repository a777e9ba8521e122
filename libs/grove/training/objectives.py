"""Loss of a batch, for DSSM and for STARS: what is predicted, from where, with which weight."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from grove.features.items import ItemFeatures
from grove.features.sequences import SequenceBatch
from grove.features.vocabulary import Vocabulary
from grove.models.dssm import Dssm
from grove.models.embeddings import FIRST_KNOWN
from grove.models.losses import (
    candidate_softmax_loss,
    in_batch_softmax_loss,
    log_popularity,
    window_softmax_loss,
)
from grove.models.stars import Stars
from grove.training.rank import RankInputs
from grove.training.sampling import (
    candidate_index,
    candidate_rows,
    item_vectors_of_step,
    later_window,
    pick_one,
    sample_cuts,
    strongest_wish,
    target_mask,
)

BatchLoss = Callable[[SequenceBatch], tuple[Tensor, Tensor]]
EVENT_WEIGHTS = {"cart": 1.5, "order": 2.0}
"""Weight of a positive by kind of event; 1 for the others."""
TEMPERATURE = 0.15
"""Of DSSM's cosines; no unit, smaller is sharper."""
DSSM_CUTS = 8
STARS_CUTS = 4
"""Cuts per history and epoch at which a user vector learns."""
LATER_EVENTS = 10
"""Events of the window after a cut, of which DSSM predicts one and h_gen all."""


@dataclass(frozen=True, kw_only=True)
class DssmObjective:
    """In-batch softmax over pairs (history up to a cut → an item of the window after it).

    Every history gives several pairs per epoch, with other cuts and items in each. The window,
    and not the next event alone, because a vector is used for a whole day.

    Source: TreeBridge, "Feedback-based Embeddings"; logQ correction and masking: see
    `in_batch_softmax_loss`.
    """

    model: Dssm
    inputs: RankInputs
    log_frequency: Tensor
    """[N] logarithm of each item's share of the targets."""
    event_weights: Tensor
    """[kinds] weight of a target by kind of event."""

    def __call__(self, batch: SequenceBatch) -> tuple[Tensor, Tensor]:
        """Sum of weighted losses and sum of weights."""
        batch = self.inputs.on_device(batch)
        cuts, chosen = sample_cuts(batch, most=DSSM_CUTS, window=LATER_EVENTS)  # [B, P]
        window = later_window(batch, cuts, LATER_EVENTS)[chosen]  # [pairs, W]
        place = pick_one(window)[:, None]  # [pairs, 1]
        items = window.gather(1, place)[:, 0]  # [pairs]
        rows, index = torch.unique(batch.item_rows, return_inverse=True)  # [M], [B, T]
        vectors = item_vectors_of_step(self.model.items, self.inputs.features, rows)  # [M, D]
        users = self.model.users(batch, vectors[index], cuts)[chosen]  # [pairs, D]
        losses = in_batch_softmax_loss(
            users,
            vectors[torch.searchsorted(rows, items)],
            items=items,
            log_frequency=self.log_frequency[items - 1],
            temperature=TEMPERATURE,
        )
        worth = strongest_wish(batch, self.event_weights)  # [B, T]
        weights = worth[chosen.nonzero()[:, 0], cuts[chosen] + 1 + place[:, 0]]  # [pairs]
        return (losses * weights).sum(), weights.sum()


@dataclass(frozen=True, kw_only=True)
class StarsObjective:
    """Next item at every position, plus λ_gen times the later window at sampled cuts.

    Source: STARS §4.3, equations 1 to 4, without its same-page negatives (decision 0004); the loss
    of h_gen is ours, see `window_softmax_loss`.
    """

    model: Stars
    inputs: RankInputs
    bias: Tensor
    """[N] b_k = −γ log π_k, used in training only."""
    generation_weight: float
    """λ_gen."""

    def __call__(self, batch: SequenceBatch) -> tuple[Tensor, Tensor]:
        """Sum of losses, in units of one next-item prediction, and number of predictions."""
        batch = self.inputs.on_device(batch)
        rows, correction = candidate_rows(batch, self.inputs.features.count)  # [C]
        candidates = stars_item_vectors(self.model, self.inputs.features, rows)  # [C, D]
        bias = self.bias[rows - 1] + correction  # [C]
        index = candidate_index(batch.item_rows, rows)  # [B, T]
        known = (index >= 0)[..., None]  # [B, T, 1]
        history = candidates[index.clamp_min(0)] * known  # [B, T, D]
        cuts, chosen = sample_cuts(batch, most=STARS_CUTS, window=LATER_EVENTS)  # [B, P]
        upcoming, general = self.model(batch, history, cuts)
        mask = target_mask(batch)  # [B, T-1]
        targets = index[:, 1:][mask]  # [M]
        losses = candidate_softmax_loss(
            upcoming[:, :-1][mask], candidates, targets=targets, bias=bias
        )
        window = candidate_index(later_window(batch, cuts, LATER_EVENTS)[chosen], rows)
        later = window_softmax_loss(general[chosen], candidates, targets=window, bias=bias)
        predictions = torch.tensor(float(len(losses)), device=losses.device)
        scale = self.generation_weight * len(losses) / max(len(later), 1)
        return losses.sum() + scale * later.sum(), predictions


def dssm_objective(model: Dssm, inputs: RankInputs) -> DssmObjective:
    """Build DSSM's objective; item frequencies are those of the targets of this pass."""
    return DssmObjective(
        model=model,
        inputs=inputs,
        log_frequency=log_popularity(inputs.positives(fresh_only=True)),
        event_weights=event_weights(inputs.vocabulary).to(inputs.device),
    )


def stars_objective(
    model: Stars, inputs: RankInputs, *, gamma: float, generation_weight: float
) -> StarsObjective:
    """Build STARS' objective; the popularity prior counts every event of this pass's users."""
    prior = log_popularity(inputs.positives(fresh_only=False))  # [N]
    return StarsObjective(
        model=model, inputs=inputs, bias=-gamma * prior, generation_weight=generation_weight
    )


def stars_item_vectors(model: Stars, features: ItemFeatures, rows: Tensor) -> Tensor:
    """Candidate vectors e_k of some items: [M] rows of `ItemFeatures` → [M, D]."""
    vectors: Tensor = model.items(
        features.ids[rows], features.attributes[rows], features.text[rows]
    )
    return vectors


def event_weights(vocabulary: Vocabulary) -> Tensor:
    """Weight of a positive by row of the kinds of event, [kinds]."""
    known = [EVENT_WEIGHTS.get(name, 1.0) for name in vocabulary.event_types]
    return torch.tensor([1.0] * FIRST_KNOWN + known)
