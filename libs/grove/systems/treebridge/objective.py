"""TreeBridge's loss of a batch: every target of every history, in both trees and item by item.

Shapes: B batch, T events, P predictions, N items, L levels, τ leaf capacity, D width,
E text width, M distinct items of a step, C candidates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from grove.features.items import ItemFeatures
from grove.features.sequences import SequenceBatch
from grove.nn.losses import candidate_softmax_loss
from grove.systems.treebridge.code_tree import CodeTree, allowed_codes
from grove.systems.treebridge.network import TreeBridge
from grove.systems.treebridge.path_loss import PathTargets, path_loss
from grove.training.precision import Precision
from grove.training.sampling import (
    candidate_index,
    candidate_rows,
    item_vectors_of_step,
    target_mask,
)
from grove.training.worker_inputs import WorkerInputs


@dataclass(frozen=True, kw_only=True)
class TreeBridgeOptions:
    """Hyper-parameters of the objective, besides the weights of the trees."""

    item_weight: float = 0.0
    """λ₃, weight of the item loss; at 0 no negatives are encoded."""
    keyword_share: float = 0.5
    """Share of searches whose keyword starts the decoder; the others train the start without."""


@dataclass(frozen=True, kw_only=True)
class TreeTensors:
    """One tree on the worker's device, indexed by rows of `ItemFeatures` (row 0 is no item)."""

    paths: Tensor
    """[N+1, L] int64 codes."""
    parents: Tensor
    """[N+1, L] int64, the node above each code; the root is 0."""
    leaves: Tensor
    """[N+1] int64."""
    slots: Tensor
    """[N+1] int64."""
    allowed: tuple[Tensor, ...]
    """Per level, [nodes above, K_l] bool."""
    leaf_rows: Tensor
    """[leaves, τ] int64 rows of `ItemFeatures` by slot; 0 where a slot is free."""
    placed: Tensor
    """[N+1] bool: the item has a path."""

    def targets(self, rows: Tensor, vectors: Tensor, index: Tensor) -> PathTargets:
        """Targets of some items.

        Args:
            rows: [P] int64 rows of `ItemFeatures`, all placed.
            vectors: [M, D] vectors of the step's items.
            index: [N+1] int64, position of a row in `vectors`.

        Returns:
            Their paths, leaves and slots in this tree.
        """
        leaf_rows = self.leaf_rows[self.leaves[rows]]  # [P, τ]
        return PathTargets(
            paths=self.paths[rows],
            allowed=tuple(
                mask[self.parents[rows, level]] for level, mask in enumerate(self.allowed)
            ),
            leaf_vectors=vectors[index[leaf_rows]],
            occupied=leaf_rows > 0,
            slots=self.slots[rows],
        )


def tree_tensors(tree: CodeTree, level_sizes: Sequence[int], device: str) -> TreeTensors:
    """Put a tree on a device, shifted by the row that means "no item"."""
    nodes = torch.from_numpy(tree.item_nodes).clamp_min(0)  # [L, N]
    codes = [torch.from_numpy(level_codes) for level_codes in tree.codes]
    paths = torch.stack([level[node] for level, node in zip(codes, nodes, strict=True)], dim=1)
    parents = torch.cat([torch.zeros_like(nodes[:1]), nodes[:-1]]).T  # [N, L]
    leaf_items = torch.from_numpy(tree.leaf_items)  # [leaves, τ]
    slots = torch.zeros(nodes.shape[1], dtype=torch.int64)  # [N]
    occupied = (leaf_items >= 0).nonzero()  # [placed, 2]
    slots[leaf_items[leaf_items >= 0]] = occupied[:, 1]
    return TreeTensors(
        paths=_below_no_item(paths).to(device),
        parents=_below_no_item(parents).to(device),
        leaves=_below_no_item(nodes[-1]).to(device),
        slots=_below_no_item(slots).to(device),
        allowed=tuple(
            torch.from_numpy(allowed_codes(tree, level, size)).to(device)
            for level, size in enumerate(level_sizes)
        ),
        leaf_rows=(leaf_items + 1).to(device),
        placed=_below_no_item(torch.from_numpy(tree.item_nodes[0] >= 0)).to(device),
    )


@dataclass(frozen=True, kw_only=True)
class TreeBridgeObjective:
    """λ₁·L_llm + λ₂·L_cf + λ₃·L_item at every position whose next event is a target.

    L_item is the negative log-likelihood of the item in a softmax over the catalogue, whose logits
    are the dot products of user state and item vector that score the leaves too. A tree only
    contrasts an item with the other items of its leaf; this loss contrasts it with the whole
    catalogue. Positions with a keyword are excluded: the state does not depend on the keyword, and
    ranking leaves the item score out there as well.

    Source: TreeBridge, equation 1; every position at once is sliding-window augmentation. L_item
    is ours; without it (λ₃ = 0) the loss is the paper's.
    """

    model: TreeBridge
    inputs: WorkerInputs
    trees: Mapping[str, TreeTensors]
    weights: Mapping[str, float]
    """λ by tree."""
    options: TreeBridgeOptions
    """λ₃, and the share of keywords."""
    query_vectors: Tensor
    """[Q+1, E]; row 0, no query, is zero."""
    precision: Precision = "fp32"
    """Of the text matmuls: with λ₃ a step maps the catalogue's texts, half its time in float32."""

    def __call__(self, batch: SequenceBatch) -> tuple[Tensor, Tensor]:
        """Sum of losses and number of predictions."""
        batch = self.inputs.on_device(batch)
        mask = self._targets(batch)  # [B, T-1]
        rows = batch.item_rows[:, 1:][mask]  # [P]
        negatives, correction = self._negatives(batch)  # [C], [C]
        vectors, index = self._item_vectors(batch, rows, negatives)  # [M, D], [N+1]
        # One causal pass gives the state before every target: no prefix is copied.
        states = self.model.users(batch, vectors[index[batch.item_rows]])  # [B, T, D]
        # The state after event t predicts event t + 1, so the last state has no target.
        states = states[:, :-1][mask]  # [P, D]
        keywords = self._keywords(batch.queries[:, 1:][mask])  # [P, E]
        total = torch.zeros((), device=states.device)
        for name, tree in self.trees.items():
            targets = tree.targets(rows, vectors, index)
            losses = path_loss(self.model.decoder(name), states, keywords, targets)  # [P]
            # Sums, not means: the loop divides by the predictions of all workers.
            total = total + self.weights[name] * losses.sum()
        if self.options.item_weight:
            # The state does not depend on the keyword, so positions with one are left out.
            silent = ~keywords.any(dim=1)  # [P]
            losses = candidate_softmax_loss(
                states[silent],
                vectors[index[negatives]],
                targets=candidate_index(rows[silent], negatives),
                bias=correction,
            )  # [silent]
            total = total + self.options.item_weight * losses.sum()
        return total, torch.tensor(float(len(rows)), device=states.device)

    def _targets(self, batch: SequenceBatch) -> Tensor:
        mask = target_mask(batch)  # [B, T-1]
        # An item without a path in one tree would be a target of the other tree alone.
        for tree in self.trees.values():
            mask = mask & tree.placed[batch.item_rows[:, 1:]]
        return mask

    def _negatives(self, batch: SequenceBatch) -> tuple[Tensor, Tensor]:
        """Items of the item loss's softmax; see `candidate_rows`. Empty without that loss."""
        if self.options.item_weight:
            return candidate_rows(batch, self.inputs.features.count, self.inputs.sampling)
        return batch.item_rows.new_zeros(0), torch.zeros(0, device=batch.item_rows.device)

    def _item_vectors(
        self, batch: SequenceBatch, targets: Tensor, negatives: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Vectors of all items of the step, each once, and where a row's vector is."""
        # Every item of a step is encoded once: history, leaf siblings and negatives overlap.
        siblings = [tree.leaf_rows[tree.leaves[targets]].flatten() for tree in self.trees.values()]
        rows = torch.unique(torch.cat([batch.item_rows.flatten(), *siblings, negatives]))  # [M]
        features = self.inputs.features
        vectors = item_vectors_of_step(
            self.model.items,
            features,
            rows,
            unknown_share=self.inputs.sampling.unknown_share,
            precision=self.precision,
        )
        return vectors, row_index(rows, features)

    def _keywords(self, queries: Tensor) -> Tensor:
        used = torch.rand(len(queries), device=queries.device) < self.options.keyword_share
        return self.query_vectors[queries * used]  # [P, E]


def row_index(rows: Tensor, features: ItemFeatures) -> Tensor:
    """Position of every row of `ItemFeatures` among some rows, [N+1] int64; 0 where absent."""
    index = torch.zeros(features.count + 1, dtype=torch.int64, device=rows.device)
    index[rows] = torch.arange(len(rows), device=rows.device)
    return index


def _below_no_item(values: Tensor) -> Tensor:
    """Put a row of zeros, for "no item", before the items' rows."""
    return torch.cat([torch.zeros_like(values[:1]), values])
