"""A retriever's loss of a batch: the next item, among all or among a sample, at every position.

Shapes: B batch, T events, P predictions, C candidates, N items, O width of the item vectors.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from grove.baselines.retriever.network import Retriever
from grove.features.sequences import SequenceBatch
from grove.nn.losses import candidate_softmax_loss
from grove.training.sampling import (
    candidate_index,
    candidate_rows,
    item_vectors_of_step,
    target_mask,
)
from grove.training.worker_inputs import WorkerInputs


@dataclass(frozen=True, kw_only=True)
class RetrieverObjective:
    """−log P(next item) at every position whose next event is a target.

    The targets are TreeBridge's; so is the share of items that a step sees without their id. The
    softmax runs over the catalogue or, where that is large, over the batch's items and a sample
    whose logits are corrected for how it was drawn; see `candidate_rows`.

    Source: STARS §4.3, equations 1 and 4, without the popularity term; TreeBridge does not
    state the loss of its dot-product baselines.
    """

    model: Retriever
    inputs: WorkerInputs

    def __call__(self, batch: SequenceBatch) -> tuple[Tensor, Tensor]:
        """Sum of losses and number of predictions."""
        features, sampling = self.inputs.features, self.inputs.sampling
        batch = self.inputs.on_device(batch)
        rows, correction = candidate_rows(batch, features.count, sampling)  # [C], [C]
        candidates = item_vectors_of_step(
            self.model.items, features, rows, unknown_share=sampling.unknown_share
        )  # [C, O]
        index = candidate_index(batch.item_rows, rows)  # [B, T]
        known = (index >= 0)[..., None]  # [B, T, 1]
        history = candidates[index.clamp_min(0)] * known  # [B, T, O]
        mask = target_mask(batch)  # [B, T-1]
        states = self.model(batch, history)[:, :-1][mask]  # [P, O]
        losses = candidate_softmax_loss(
            states, candidates, targets=index[:, 1:][mask], bias=correction
        )  # [P]
        return losses.sum(), torch.tensor(float(len(losses)), device=losses.device)
