"""DSSM's loss of a batch: the pairs of user and item, and their weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from grove.features.event_fields import KIND
from grove.features.ids import FIRST_KNOWN
from grove.features.sequences import SequenceBatch
from grove.features.vocabulary import Vocabulary
from grove.nn.losses import in_batch_softmax_loss, log_popularity
from grove.systems.dssm.network import Dssm
from grove.training.options import read_options
from grove.training.sampling import (
    item_vectors_of_step,
    later_window,
    pick_one,
    sample_cuts,
    strongest_event_weight,
)
from grove.training.worker_inputs import WorkerInputs


@dataclass(frozen=True, kw_only=True)
class DssmOptions:
    """Hyper-parameters of the objective."""

    temperature: float = 0.15
    """Temperature of the cosines; no unit, smaller is sharper."""
    cuts: int = 8
    """Cuts per history and epoch at which a user vector is trained."""
    later_events: int = 10
    """Events of the window after a cut, of which one is the positive."""
    event_weights: Mapping[str, float] = field(default_factory=lambda: {"cart": 1.5, "order": 2.0})
    """Weight of a positive by kind of event; 1 for the others."""


@dataclass(frozen=True, kw_only=True)
class DssmObjective:
    """In-batch softmax over pairs (history up to a cut → an item of the window after it).

    Every history gives several pairs per epoch, with other cuts and items in each. The target is
    from a window, not the next event alone, because a vector is used for a whole day.

    Source: TreeBridge, "Feedback-based Embeddings"; logQ correction and masking: see
    `in_batch_softmax_loss`.
    """

    model: Dssm
    inputs: WorkerInputs
    options: DssmOptions
    log_frequency: Tensor
    """[N] logarithm of each item's share of the targets."""
    event_weights: Tensor
    """[kinds] weight of a target by kind of event."""

    def __call__(self, batch: SequenceBatch) -> tuple[Tensor, Tensor]:
        """Sum of weighted losses and sum of weights."""
        options, later = self.options, self.options.later_events
        batch = self.inputs.on_device(batch)
        cuts, chosen = sample_cuts(batch, most=options.cuts, window=later)  # [B, P]
        window = later_window(batch, cuts, later)[chosen]  # [pairs, W]
        place = pick_one(window)[:, None]  # [pairs, 1]
        # One positive per cut: with all of the window, long histories would outweigh short ones.
        items = window.gather(1, place)[:, 0]  # [pairs]
        # Each item of the batch is encoded once, however often it occurs.
        rows, index = torch.unique(batch.item_rows, return_inverse=True)  # [M], [B, T]
        vectors = item_vectors_of_step(
            self.model.items,
            self.inputs.features,
            rows,
            unknown_share=self.inputs.sampling.unknown_share,
        )  # [M, D]
        users = self.model.users(batch, vectors[index], cuts)[chosen]  # [pairs, D]
        losses = in_batch_softmax_loss(
            users,
            vectors[torch.searchsorted(rows, items)],
            items=items,
            # Row 0 of the features is no item, which has no frequency.
            log_frequency=self.log_frequency[items - 1],
            temperature=options.temperature,
        )
        # The event after a cut is at cut + 1, and `place` counts from there.
        worth = strongest_event_weight(batch, self.event_weights)  # [B, T]
        weights = worth[chosen.nonzero()[:, 0], cuts[chosen] + 1 + place[:, 0]]  # [pairs]
        return (losses * weights).sum(), weights.sum()


def dssm_objective(model: Dssm, inputs: WorkerInputs) -> DssmObjective:
    """Build DSSM's objective; item frequencies are those of the targets of this pass."""
    options = read_options(DssmOptions, inputs.spec.options)
    weights = event_weights(inputs.vocabulary, options.event_weights)
    return DssmObjective(
        model=model,
        inputs=inputs,
        options=options,
        log_frequency=log_popularity(inputs.positives(fresh_only=True)),
        event_weights=weights.to(inputs.device),
    )


def event_weights(vocabulary: Vocabulary, weights: Mapping[str, float]) -> Tensor:
    """Weight of a positive by row of the kinds of event, [kinds]; 1 where none is given."""
    known = [float(weights.get(name, 1.0)) for name in vocabulary.names(KIND.name)]
    return torch.tensor([1.0] * FIRST_KNOWN + known)
