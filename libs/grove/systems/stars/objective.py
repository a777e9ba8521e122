"""STARS' loss of a batch: the next item at every position and the later window at some."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from grove.features.items import ItemFeatures
from grove.features.sequences import SequenceBatch
from grove.nn.losses import candidate_softmax_loss, log_popularity, window_softmax_loss
from grove.systems.stars.network import Stars
from grove.systems.stars.user_vectors import UserVectors
from grove.training.options import read_options
from grove.training.sampling import (
    candidate_index,
    candidate_rows,
    later_window,
    sample_cuts,
    target_mask,
)
from grove.training.worker_inputs import WorkerInputs


@dataclass(frozen=True, kw_only=True)
class StarsOptions:
    """Hyper-parameters of the objective and of the item offsets."""

    generation_weight: float = 0.5
    """λ_gen, weight of the loss of h_gen."""
    popularity_gamma: float = 0.0
    """γ of the popularity term."""
    cuts: int = 4
    """Cuts per history and epoch at which h_gen is trained."""
    later_events: int = 10
    """Events of the window after a cut, all of which are positives of h_gen."""
    frozen_offset_share: float = 0.25
    """Share of the epochs in which the item offsets Δ stay zero."""
    offset_rate_factor: float = 0.2
    """Learning rate of Δ, as a multiple of the others'."""


@dataclass(frozen=True, kw_only=True)
class StarsObjective:
    """Next item at every position, plus λ_gen times the later window at sampled cuts.

    Source: STARS §4.3, equations 1 to 4, without its same-page negatives (decision 0004); the loss
    of h_gen is ours, see `window_softmax_loss`.
    """

    model: Stars
    inputs: WorkerInputs
    bias: Tensor
    """[N] b_k = −γ log π_k, used in training only."""
    options: StarsOptions
    """λ_gen, and where h_gen is trained."""

    def __call__(self, batch: SequenceBatch) -> tuple[Tensor, Tensor]:
        """Sum of losses, in units of one next-item prediction, and number of predictions."""
        options, inputs = self.options, self.inputs
        batch = inputs.on_device(batch)
        rows, correction = candidate_rows(batch, inputs.features.count, inputs.sampling)  # [C]
        candidates = stars_item_vectors(self.model, inputs.features, rows)  # [C, D]
        # Candidates drawn at random stand for more items than themselves: both terms are logits.
        bias = self.bias[rows - 1] + correction  # [C]
        index = candidate_index(batch.item_rows, rows)  # [B, T]
        # Index −1, no item, would read the last candidate: it is masked to zero instead.
        known = (index >= 0)[..., None]  # [B, T, 1]
        history = candidates[index.clamp_min(0)] * known  # [B, T, D]
        cuts, chosen = sample_cuts(batch, most=options.cuts, window=options.later_events)  # [B, P]
        users: UserVectors[Tensor] = self.model(batch, history, cuts)
        # The state after event t predicts event t + 1, so the last state has no target.
        mask = target_mask(batch)  # [B, T-1]
        targets = index[:, 1:][mask]  # [M]
        losses = candidate_softmax_loss(
            users.h_next[:, :-1][mask], candidates, targets=targets, bias=bias
        )
        later_rows = later_window(batch, cuts, options.later_events)[chosen]  # [cuts, W]
        window = candidate_index(later_rows, rows)  # [cuts, W]
        later = window_softmax_loss(users.h_gen[chosen], candidates, targets=window, bias=bias)
        predictions = torch.tensor(float(len(losses)), device=losses.device)
        # Both means count as one: the window's loss has fewer terms than the next item's.
        scale = options.generation_weight * len(losses) / max(len(later), 1)
        return losses.sum() + scale * later.sum(), predictions


def stars_objective(model: Stars, inputs: WorkerInputs) -> StarsObjective:
    """Build STARS' objective; the popularity prior counts every event of this pass's users."""
    prior = log_popularity(inputs.positives(fresh_only=False))  # [N]
    options = read_options(StarsOptions, inputs.spec.options)
    bias = -options.popularity_gamma * prior  # [N]
    return StarsObjective(model=model, inputs=inputs, bias=bias, options=options)


def stars_item_vectors(model: Stars, features: ItemFeatures, rows: Tensor) -> Tensor:
    """Candidate vectors e_k of some items: [M] rows of `ItemFeatures` → [M, D]."""
    vectors: Tensor = model.items(
        features.ids[rows], features.attributes[rows], features.text[rows]
    )
    return vectors
