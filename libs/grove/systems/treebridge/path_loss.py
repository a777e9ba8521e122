"""Negative log-likelihood of an item: code by code along its path, then inside its leaf.

Shapes: P predictions, L levels, K_l codes of level l, τ leaf capacity, D width, E keyword width.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from grove.systems.treebridge.decoder import CodeDecoder


@dataclass(frozen=True, kw_only=True)
class PathTargets:
    """Positions of P items in one tree."""

    paths: Tensor
    """[P, L] int64 codes."""
    allowed: tuple[Tensor, ...]
    """Per level, [P, K_l] bool: codes that lead from the item's parent node to a child."""
    leaf_vectors: Tensor
    """[P, τ, D] vectors of the items in the item's leaf, by slot."""
    occupied: Tensor
    """[P, τ] bool: slots that hold an item."""
    slots: Tensor
    """[P] int64, the item's own slot."""


def path_loss(
    decoder: CodeDecoder, states: Tensor, keywords: Tensor, targets: PathTargets
) -> Tensor:
    """−log P(item | user, keyword): the sum of the levels' and the leaf's cross-entropies.

    Formula: −Σ_l log P(s^(l) | s_[Keyword], s^[1:l−1], z_u) − log P(slot | s^[1:L], z_u).

    Each softmax runs over the existing children of its node, not over all K_l codes. The
    probabilities of all items then sum to one, and the beam search, which visits existing paths
    only, ranks by exactly the trained distribution.

    Source: TreeBridge, equation 1. Deviations: the softmax over existing children, and the leaf
    step.

    Args:
        decoder: of the tree.
        states: [P, D] user states.
        keywords: [P, E]; a row of zeros is no keyword.
        targets: of the same tree.

    Returns:
        [P], at least 0, in nats.
    """
    # Teacher forcing: the attention is causal, so one pass gives the outputs of all levels.
    outputs = decoder(states, keywords, targets.paths)  # [P, L+1, D]
    total = torch.zeros(len(states), dtype=states.dtype, device=states.device)  # [P]
    prefixes = torch.zeros_like(targets.paths[:, 0])  # [P]
    for level, allowed in enumerate(targets.allowed):
        codes = targets.paths[:, level]  # [P]
        logits = decoder.level_logits(outputs[:, level], prefixes, level)  # [P, K_l]
        total = total + masked_cross_entropy(logits, allowed, codes)
        # Node embeddings are looked up by the true prefix, the one the beam would have followed.
        prefixes = decoder.append_code(prefixes, level, codes)
    # Free slots are masked out: a leaf's distribution is over its items, however many they are.
    leaf_logits = decoder.leaf_logits(outputs[:, -1], targets.leaf_vectors)  # [P, τ]
    return total + masked_cross_entropy(leaf_logits, targets.occupied, targets.slots)


def masked_cross_entropy(logits: Tensor, allowed: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy of each row's target among the allowed columns.

    Formula: −log(exp(z_t) / Σ_{allowed c} exp(z_c)).

    Args:
        logits: [P, C].
        allowed: [P, C] bool; the target's column is allowed.
        targets: [P] int64.

    Returns:
        [P], at least 0.

    Example:
        >>> logits = torch.zeros(1, 3)
        >>> allowed = torch.tensor([[True, True, False]])
        >>> round(masked_cross_entropy(logits, allowed, torch.tensor([0])).item(), 4)  # ln 2
        0.6931
    """
    masked = logits.masked_fill(~allowed, -math.inf)  # [P, C]
    return functional.cross_entropy(masked, targets, reduction="none")
